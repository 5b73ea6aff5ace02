//! A print as it is stored: packed, about 250 bytes, in Base64 so that it fits into JSON.

use super::print::Print;
use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};

/// Of the layout: version, text (8 bytes), headline (4), shingles (4), level (1), then key (4 each), samples (2 each)
/// and figures (2 each), each list after its length (2); little-endian.
const VERSION: u8 = 1;

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("not a print of version {VERSION}")]
pub struct Unreadable;

impl From<Print> for String {
    fn from(print: Print) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(print.text.to_le_bytes());
        bytes.extend(print.headline.to_le_bytes());
        bytes.extend(print.shingles.to_le_bytes());
        bytes.push(print.level);
        put(&mut bytes, &print.key, |h| h.to_le_bytes());
        put(&mut bytes, &print.samples, |h| h.to_le_bytes());
        put(&mut bytes, &print.figures, |h| h.to_le_bytes());
        BASE64_STANDARD_NO_PAD.encode(bytes)
    }
}

/// Texts so long that a list has more than 65,535 items keep as many.
fn put<T: Copy, const N: usize>(bytes: &mut Vec<u8>, list: &[T], to_bytes: fn(T) -> [u8; N]) {
    let list = &list[..list.len().min(usize::from(u16::MAX))];
    bytes.extend((list.len() as u16).to_le_bytes());
    list.iter().for_each(|item| bytes.extend(to_bytes(*item)));
}

impl TryFrom<String> for Print {
    type Error = Unreadable;

    fn try_from(record: String) -> Result<Print, Unreadable> {
        let bytes = BASE64_STANDARD_NO_PAD.decode(record).map_err(|_| Unreadable)?;
        read(&mut bytes.as_slice()).ok_or(Unreadable)
    }
}

fn read(bytes: &mut &[u8]) -> Option<Print> {
    if take::<1>(bytes)? != [VERSION] {
        return None;
    }
    let print = Print {
        text: u64::from_le_bytes(take(bytes)?),
        headline: u32::from_le_bytes(take(bytes)?),
        shingles: u32::from_le_bytes(take(bytes)?),
        level: take::<1>(bytes)?[0],
        key: list(bytes, u32::from_le_bytes)?,
        samples: list(bytes, u16::from_le_bytes)?,
        figures: list(bytes, u16::from_le_bytes)?,
    };
    (bytes.is_empty() && print.is_sound()).then_some(print)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

fn list<T, const N: usize>(bytes: &mut &[u8], of_bytes: fn([u8; N]) -> T) -> Option<Vec<T>> {
    let length = u16::from_le_bytes(take(bytes)?);
    (0..length).map(|_| take(bytes).map(of_bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print() -> Print {
        let line = |n: u32| format!("Dòng {n}: thôn {} góp {} ngày công làm đường liên xã mới.\n", n * 7, n * 31);
        Print::of("Làm đường", &(1..40).map(line).collect::<String>())
    }

    #[test]
    fn a_print_is_read_back_as_it_was() {
        let record = String::from(print());
        assert!((300..400).contains(&record.len()), "{}", record.len());
        assert_eq!(Print::try_from(record), Ok(print()));
        let empty = Print::of("", "");
        assert_eq!(Print::try_from(String::from(empty.clone())), Ok(empty));
    }

    #[test]
    fn what_is_no_print_is_refused() {
        let record = String::from(print());
        for length in 0..record.len() {
            assert_eq!(Print::try_from(record[..length].to_owned()), Err(Unreadable), "{length}");
        }
        assert_eq!(Print::try_from(format!("{record}AAAA")), Err(Unreadable));
        assert_eq!(Print::try_from(format!("B{}", &record[1..])), Err(Unreadable), "another version");
    }
}
