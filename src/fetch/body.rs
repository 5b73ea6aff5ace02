//! A body, whole and within bounds.

use super::client::Client;
use super::{Facts, FetchError, encoding, headers, words};
use reqwest::Response;
use reqwest::header::HeaderMap;

/// Larger ones are opened off the network's threads.
const LARGE: usize = 256 << 10;

/// `limit` counts bytes on the wire, and bytes after each layer of compression. A body that breaks off is an error,
/// never a shorter body.
pub async fn read(
    mut response: Response,
    limit: u64,
    client: &Client,
    facts: &mut Facts,
) -> Result<Vec<u8>, FetchError> {
    let codings = headers::codings(response.headers());
    // what the server says of its length
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(FetchError::TooLarge { limit });
    }
    let mut wire = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| words::failure(&e, client))? {
        let length = wire.len() + chunk.len();
        facts.wire += chunk.len() as u64;
        if length as u64 > limit {
            return Err(FetchError::TooLarge { limit });
        }
        if length > wire.capacity() {
            // doubled, but not past the limit: a large body takes no more memory than it may
            let most = usize::try_from(limit).unwrap_or(usize::MAX);
            wire.reserve_exact((2 * length).min(most) - wire.len());
        }
        wire.extend_from_slice(&chunk);
    }
    let open = move || encoding::opened(wire, &codings, limit);
    let body = if facts.wire as usize > LARGE { super::blocking(open).await? } else { open()? };
    facts.decoded += body.len() as u64;
    Ok(body)
}

/// A body that was sent to us, within the same bounds.
pub async fn opened(body: Vec<u8>, given: &HeaderMap, limit: u64) -> Result<Vec<u8>, FetchError> {
    let codings = headers::codings(given);
    super::blocking(move || encoding::opened(body, &codings, limit)).await
}
