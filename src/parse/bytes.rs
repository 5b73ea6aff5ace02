//! Bytes as served to text: forgotten compression, then the encoding.

use super::markup::Repairs;
use crate::text::decode;
use std::borrow::Cow;
use std::io::Read;

/// A body that unpacks to more is cut there.
const LARGEST: u64 = 32 << 20;

/// The text, without control characters.
pub fn text(body: &[u8], content_type: Option<&str>, repairs: &mut Repairs) -> String {
    let body = unpack(body, repairs);
    let transport = content_type.and_then(charset);
    let own = declared(&body);
    let said: Vec<&str> = transport.into_iter().chain(own.as_deref()).collect();
    let decoded = decode(&body, &said);
    note_encoding(&said, decoded.encoding, &decoded.text, repairs);
    if decoded.text.contains('\u{fffd}') {
        repairs.insert("bytes that are no character");
    }
    without_controls(decoded.text, repairs)
}

fn note_encoding(said: &[&str], used: &str, text: &str, repairs: &mut Repairs) {
    let named = |label: &&str| encoding_rs::Encoding::for_label(label.trim().as_bytes()).map(|e| e.name());
    let agrees =
        |label: &&str| named(label) == Some(used) || label.eq_ignore_ascii_case("utf-16") && used.starts_with("UTF-16");
    if said.iter().any(|label| !agrees(label)) && !text.is_ascii() {
        repairs.insert("encoding other than declared");
    }
}

/// Up to two layers of gzip or zlib; damage keeps what was readable before it.
fn unpack<'a>(body: &'a [u8], repairs: &mut Repairs) -> Cow<'a, [u8]> {
    let mut bytes = Cow::Borrowed(body);
    for _ in 0..2 {
        let Some(inner) = layer(&bytes) else { break };
        repairs.insert("compressed body");
        bytes = Cow::Owned(inner);
    }
    bytes
}

fn layer(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let done = match bytes {
        [0x1f, 0x8b, 8, ..] => flate2::read::MultiGzDecoder::new(bytes).take(LARGEST).read_to_end(&mut out),
        [0x78, second, ..] if (0x7800 + u16::from(*second)).is_multiple_of(31) => {
            flate2::read::ZlibDecoder::new(bytes).take(LARGEST).read_to_end(&mut out)
        }
        _ => return None,
    };
    (done.is_ok() || !out.is_empty()).then_some(out)
}

/// `charset` of a Content-Type header.
fn charset(content_type: &str) -> Option<&str> {
    let lower = content_type.to_ascii_lowercase();
    let value = &content_type[lower.find("charset=")? + 8..];
    Some(value.trim_start_matches(['"', '\'']).split([';', '"', '\'', ',', ' ']).next().unwrap_or(value))
}

/// The encoding of an XML declaration near the beginning.
fn declared(body: &[u8]) -> Option<String> {
    let head: String = body.iter().take(1024).map(|b| *b as char).filter(char::is_ascii).collect();
    let declaration = &head[head.find("<?xml")?..];
    let declaration = &declaration[..declaration.find('>').unwrap_or(declaration.len())];
    let value = declaration[declaration.find("encoding")? + 8..].trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_owned)
}

fn without_controls(text: String, repairs: &mut Repairs) -> String {
    let bad = |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{fffe}' | '\u{ffff}');
    let ascii = |b: u8| matches!(b, 0..=8 | 0xb | 0xc | 0xe..=0x1f | 0x7f);
    if !text.bytes().any(ascii) && !text.contains(['\u{fffe}', '\u{ffff}']) {
        return text;
    }
    repairs.insert("control characters");
    text.chars().filter(|c| !bad(*c)).collect()
}
