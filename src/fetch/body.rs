//! A body, whole and within bounds.

use super::client::Client;
use super::{FetchError, words};
use reqwest::Response;

/// `limit` counts bytes after decompression. A body that breaks off is an error, never a shorter body.
pub async fn read(mut response: Response, limit: u64, client: &Client) -> Result<Vec<u8>, FetchError> {
    // what the server says of its length, where it does not compress
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(FetchError::TooLarge { limit });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| words::failure(&e, client))? {
        let length = body.len() + chunk.len();
        if length as u64 > limit {
            return Err(FetchError::TooLarge { limit });
        }
        if length > body.capacity() {
            // doubled, but not past the limit: a large body takes no more memory than it may
            let most = usize::try_from(limit).unwrap_or(usize::MAX);
            body.reserve_exact((2 * length).min(most) - body.len());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
