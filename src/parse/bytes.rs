//! Bytes as served to text: forgotten compression, then the encoding.

use super::markup::Repairs;
use crate::text::decode;
use std::borrow::Cow;
use std::io::Read;

/// A body that unpacks to more is cut there.
const LARGEST: u64 = 16 << 20;
/// So many bytes at once are seen to hold nothing special.
const CHUNK: usize = 64;

/// The text, without control characters.
pub fn text<'a>(body: &'a [u8], content_type: Option<&str>, repairs: &mut Repairs) -> Cow<'a, str> {
    let transport = content_type.and_then(charset);
    let own = declared(body);
    let said: Vec<&str> = transport.into_iter().chain(own.as_deref()).collect();
    let decoded = decode(body, &said);
    let beyond_ascii = !decoded.text.is_ascii();
    if beyond_ascii {
        note_encoding(&said, decoded.encoding, repairs);
    }
    if beyond_ascii && decoded.text.contains('\u{fffd}') {
        repairs.insert("bytes that are no character");
    }
    without_controls(decoded.text, repairs)
}

fn note_encoding(said: &[&str], used: &str, repairs: &mut Repairs) {
    let named = |label: &&str| encoding_rs::Encoding::for_label(label.trim().as_bytes()).map(|e| e.name());
    let agrees =
        |label: &&str| named(label) == Some(used) || label.eq_ignore_ascii_case("utf-16") && used.starts_with("UTF-16");
    if said.iter().any(|label| !agrees(label)) {
        repairs.insert("encoding other than declared");
    }
}

/// Up to two layers of gzip or zlib; damage keeps what was readable before it.
pub fn unpack<'a>(body: &'a [u8], repairs: &mut Repairs) -> Cow<'a, [u8]> {
    let mut bytes = Cow::Borrowed(body);
    for _ in 0..2 {
        let Some((inner, whole)) = layer(&bytes) else { break };
        repairs.insert("compressed body");
        if !whole {
            repairs.insert("damage in a compressed body");
        }
        bytes = Cow::Owned(inner);
    }
    bytes
}

/// What was in it, and whether that is all of it.
fn layer(bytes: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut out = Vec::new();
    let done = match bytes {
        [0x1f, 0x8b, 8, ..] => flate2::read::MultiGzDecoder::new(bytes).take(LARGEST).read_to_end(&mut out),
        [0x78, second, ..] if (0x7800 + u16::from(*second)).is_multiple_of(31) => {
            flate2::read::ZlibDecoder::new(bytes).take(LARGEST).read_to_end(&mut out)
        }
        _ => return None,
    };
    let whole = done.is_ok() && (out.len() as u64) < LARGEST;
    (done.is_ok() || !out.is_empty()).then_some((out, whole))
}

/// `charset` of a Content-Type header.
fn charset(content_type: &str) -> Option<&str> {
    let lower = content_type.to_ascii_lowercase();
    let value = &content_type[lower.find("charset=")? + 8..];
    Some(value.trim_start_matches(['"', '\'']).split([';', '"', '\'', ',', ' ']).next().unwrap_or(value))
}

/// The encoding of an XML declaration near the beginning.
fn declared(body: &[u8]) -> Option<String> {
    let head = &body[..body.len().min(1024)];
    // in UTF-16, too
    let head: String = head.iter().filter(|b| b.is_ascii() && **b != 0).map(|b| *b as char).collect();
    let declaration = &head[head.find("<?xml")?..];
    let declaration = &declaration[..declaration.find('>').unwrap_or(declaration.len())];
    let value = declaration[declaration.find("encoding")? + 8..].trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_owned)
}

fn without_controls<'a>(text: Cow<'a, str>, repairs: &mut Repairs) -> Cow<'a, str> {
    // whole chunks, so that many bytes are looked at in one step
    let rare = |chunk: &[u8]| chunk.iter().fold(false, |found, b| found | is_control(*b) | (*b == 0xef));
    if !text.as_bytes().chunks(CHUNK).any(rare) {
        return text;
    }
    let bad = |c: char| matches!(c, '\u{fffe}' | '\u{ffff}') || c.is_ascii() && is_control(c as u8);
    if !text.contains(bad) {
        return text;
    }
    repairs.insert("control characters");
    text.chars().filter(|c| !bad(*c)).collect()
}

fn is_control(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r') || byte == 0x7f
}
