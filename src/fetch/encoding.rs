//! Content-Encoding: bodies are opened here, so that the bytes on the wire are known, stacked encodings are opened too, and
//! one bound holds for every layer.

use super::FetchError;
use brotli_decompressor::{Allocator, CustomRead, DecompressorCustomIo, IntoIoReader, StandardAlloc};
use std::io::{self, Read};

/// Layers opened; nobody means to send more.
const LAYERS: usize = 5;
/// Bytes that show whether a body is text.
const BEGINNING: usize = 512;
/// The largest window of zstd that a server may ask for: 8 MiB (RFC 9659).
const WINDOW_LOG: u32 = 23;
/// A decoder of brotli or zstd may keep a window beside what it makes. Larger ones than this are for longer texts than are
/// served here: a body that needs one may be no longer than it, so that no body costs more than `limit` and this.
const WIDE: u64 = 4 << 20;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    /// `None` for what changes nothing, and for words that are no encoding: some servers put a charset here.
    pub fn named(name: &str) -> Option<Coding> {
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Coding::Gzip),
            "deflate" => Some(Coding::Deflate),
            "br" => Some(Coding::Brotli),
            "zstd" => Some(Coding::Zstd),
            _ => None,
        }
    }

    /// Whether the bytes can be what was declared; some servers declare what they did not do. Brotli has no mark.
    fn fits(self, bytes: &[u8]) -> bool {
        match self {
            Coding::Gzip => is_gzip(bytes),
            Coding::Zstd => is_zstd(bytes),
            Coding::Deflate | Coding::Brotli => !is_text(bytes) && !bytes.is_empty(),
        }
    }

    /// What it may make at most.
    fn limit(self, bytes: &[u8], limit: u64) -> u64 {
        if self == Coding::Zstd && is_wide(bytes) { limit.min(WIDE) } else { limit }
    }

    /// At most `limit` bytes and one more.
    fn open(self, bytes: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        match self {
            Coding::Gzip => gzip(bytes, limit),
            Coding::Deflate if is_zlib(bytes) => all(flate2::bufread::ZlibDecoder::new(bytes), limit),
            Coding::Deflate => all(flate2::bufread::DeflateDecoder::new(bytes), limit),
            Coding::Brotli => brotli(bytes, limit),
            Coding::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes)?;
                decoder.window_log_max(WINDOW_LOG)?;
                all(decoder, limit)
            }
        }
    }
}

/// `codings` in the order in which they were applied; then what is packed though nobody said so.
pub fn opened(wire: Vec<u8>, codings: &[Coding], limit: u64) -> Result<Vec<u8>, FetchError> {
    let mut body = wire;
    for coding in codings.iter().rev().take(LAYERS) {
        if coding.fits(&body) {
            let limit = coding.limit(&body, limit);
            body = bounded(coding.open(&body, limit).map_err(damaged)?, limit)?;
        }
    }
    for _ in 0..LAYERS {
        let coding = match body.as_slice() {
            packed if is_gzip(packed) => Coding::Gzip,
            packed if is_zstd(packed) => Coding::Zstd,
            _ => break,
        };
        // what only looks packed, or broke off within, is left to those who read it
        let limit = coding.limit(&body, limit);
        let Ok(inner) = coding.open(&body, limit) else { break };
        body = bounded(inner, limit)?;
    }
    Ok(body)
}

fn bounded(body: Vec<u8>, limit: u64) -> Result<Vec<u8>, FetchError> {
    if body.len() as u64 > limit { Err(FetchError::TooLarge { limit }) } else { Ok(body) }
}

fn damaged(why: io::Error) -> FetchError {
    FetchError::Network(format!("the answer is damaged or broke off: {why}"))
}

fn all(decoder: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    decoder.take(limit + 1).read_to_end(&mut out)?;
    Ok(out)
}

/// Nobody packs a page into more.
const MEMBERS: usize = 1000;

/// Members one after the other; what follows the last is padding.
fn gzip(bytes: &[u8], limit: u64) -> io::Result<Vec<u8>> {
    let (mut out, mut rest) = (Vec::new(), bytes);
    for _ in 0..MEMBERS {
        if !is_gzip(rest) || out.len() as u64 > limit {
            break;
        }
        let mut decoder = flate2::bufread::GzDecoder::new(rest);
        let left = limit + 1 - out.len() as u64;
        decoder.by_ref().take(left).read_to_end(&mut out)?;
        rest = decoder.into_inner();
    }
    Ok(out)
}

/// A zstd frame that does not say how long it is, with a window beyond [`WIDE`] (RFC 8878, 3.1.1.1).
fn is_wide(zstd: &[u8]) -> bool {
    matches!(zstd, [_, _, _, _, head, window, ..] if head & 0x20 == 0 && 10 + (window >> 3) >= 22 && *window != 12 << 3)
}

/// Memory for the brotli decoder, which takes as much of the window as the text needs, and gives up where it gets none.
#[derive(Default)]
struct Bounded(StandardAlloc);

impl Allocator<u8> for Bounded {
    type AllocatedMemory = <StandardAlloc as Allocator<u8>>::AllocatedMemory;

    fn alloc_cell(&mut self, length: usize) -> Self::AllocatedMemory {
        // a little more than the window itself
        if length as u64 > WIDE + (WIDE >> 4) { Self::AllocatedMemory::default() } else { self.0.alloc_cell(length) }
    }

    fn free_cell(&mut self, cell: Self::AllocatedMemory) {
        self.0.free_cell(cell);
    }
}

fn brotli(bytes: &[u8], limit: u64) -> io::Result<Vec<u8>> {
    let mut memory = Bounded::default();
    let (buffer, standard) = (memory.alloc_cell(4096), StandardAlloc::default);
    let invalid = io::Error::new(io::ErrorKind::InvalidData, "no brotli, or with a window beyond 4 MiB");
    let mut decoder = DecompressorCustomIo::new(IntoIoReader(bytes), buffer, memory, standard(), standard(), invalid);
    let (mut out, mut piece) = (Vec::new(), [0; 16 << 10]);
    while out.len() as u64 <= limit {
        match decoder.read(&mut piece)? {
            0 => break,
            count => out.extend_from_slice(&piece[..count]),
        }
    }
    Ok(out)
}

/// A feed or a page that is not packed, by its beginning. Packed ones can begin like JSON (brotli of more than 64 KiB does
/// so, with `[`, as a rule), but have control characters soon.
fn is_text(bytes: &[u8]) -> bool {
    const BOMS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    let begins = matches!(bytes.trim_ascii_start(), [b'<' | b'{' | b'[', ..]);
    let control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    let plain = || !bytes.iter().take(BEGINNING).any(control);
    bytes.starts_with(b"<") || BOMS.iter().any(|bom| bytes.starts_with(bom)) || begins && plain()
}

fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b, 8])
}

fn is_zstd(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
}

fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [first, second, ..] if first & 15 == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0)
}

#[cfg(test)]
mod tests {
    use super::{Coding, opened};
    use std::io::Write;

    const LIMIT: u64 = 1 << 16;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn stacked_undeclared_and_untrue_encodings_are_read() {
        let text = b"<rss>tin</rss>";
        let twice = gzip(&zstd::encode_all(&text[..], 3).unwrap());
        let padded = [gzip(text), vec![0; 16]].concat();
        let members = [gzip(b"<rss>"), gzip(b"tin</rss>")].concat();
        let table = [
            (twice.clone(), vec![Coding::Zstd, Coding::Gzip]),
            (twice, vec![]),
            (gzip(text), vec![]),
            (padded, vec![Coding::Gzip]),
            (members, vec![Coding::Gzip]),
            (text.to_vec(), vec![Coding::Gzip]),
            (text.to_vec(), vec![Coding::Brotli, Coding::Deflate]),
        ];
        for (wire, codings) in table {
            assert_eq!(opened(wire, &codings, LIMIT).unwrap(), text, "{codings:?}");
        }
    }

    #[test]
    fn text_that_is_declared_as_packed_is_left_and_what_begins_like_text_is_opened() {
        let texts: [&[u8]; 7] = [
            b"\xef\xbb\xbf<rss>tin</rss>",
            b"\r\n\t <rss>tin</rss>",
            b"{\"version\": \"https://jsonfeed.org/version/1.1\"}",
            b" [{\"id\": 1}]",
            b"\xff\xfe<\0r\0s\0s\0>\0",
            b"<\0r\0s\0s\0>\0",
            b"<rss>Tin t\xfcc</rss>",
        ];
        for text in texts {
            for coding in [Coding::Brotli, Coding::Deflate] {
                assert_eq!(opened(text.to_vec(), &[coding], LIMIT).unwrap(), text, "{coding:?}");
            }
        }
        // brotli of texts beyond 64 KiB begins with `[` as a rule
        let packed = data_encoding::BASE64.decode(b"W28Rgd9xGqz52XPJ8wJXbnTlkxYHhgKAJATYNA==").unwrap();
        assert_eq!(packed[0], b'[');
        assert_eq!(opened(packed, &[Coding::Brotli], 1 << 20).unwrap(), b"<p>tin</p>".repeat(7000));
    }

    #[test]
    fn no_layer_may_be_larger_than_the_bound() {
        let bomb = gzip(&gzip(&vec![0; 1 << 22]));
        for codings in [&[][..], &[Coding::Gzip], &[Coding::Gzip, Coding::Gzip]] {
            assert!(matches!(opened(bomb.clone(), codings, LIMIT), Err(super::FetchError::TooLarge { .. })));
        }
    }

    #[test]
    fn a_window_larger_than_the_text_needs_costs_nothing_and_one_that_is_needed_is_refused() {
        let wide = "z///f/gnAOKxQCD3/p/////wTwDEYQGA7v0/////4Z8AiMMiAN37//z//8c/ARCHBQC69/8=";
        let wide = data_encoding::BASE64.decode(wide.as_bytes()).unwrap();
        let narrow = data_encoding::BASE64.decode(b"m///f/gnAOKxQCD3/g8=").unwrap();
        let made = |wire, coding, limit| opened(wire, &[coding], limit).map(|body| body.len());
        assert!(made(wide, Coding::Brotli, 100 << 20).unwrap_err().to_string().contains("a window beyond 4 MiB"));
        assert_eq!(made(narrow, Coding::Brotli, 100 << 20).unwrap(), 8 << 20);
        let zstd = |length: usize| {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
            encoder.window_log(23).unwrap();
            encoder.write_all(&vec![0; length]).unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(made(zstd(4 << 20), Coding::Zstd, 100 << 20).unwrap(), 4 << 20);
        assert!(matches!(made(zstd(5 << 20), Coding::Zstd, 100 << 20), Err(super::FetchError::TooLarge { .. })));
    }

    #[test]
    fn words_that_are_no_encoding_are_left_out() {
        assert_eq!(
            ["identity", "utf-8", " GZIP ", "x-gzip"].map(Coding::named),
            [None, None, Some(Coding::Gzip), Some(Coding::Gzip)]
        );
    }
}
