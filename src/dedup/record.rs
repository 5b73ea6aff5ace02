//! A print as it is stored: packed, about 230 bytes.

use super::print::Print;

/// Little-endian: text (8 bytes), headline (4), shingles (varint), level (1), samples (their number as a varint, 2 each),
/// the key, figures (their number in 1 byte, 2 each). The samples of a text nearly always hold its key, but for the lower
/// bits of each; so the key is its largest hash (4) and for each sample that can be no larger than that, in the order of
/// the samples, the 16 bits that follow the sample's. Where they do not hold it, the level has [`LISTED`] and the key is
/// its number of hashes (varint) and the hashes (4 each).
const LISTED: u8 = 0x80;

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("not a print")]
pub struct Unreadable;

/// Several, one after the other.
pub fn pack(prints: &[Print]) -> Vec<u8> {
    let mut bytes = Vec::new();
    prints.iter().for_each(|print| write(print, &mut bytes));
    bytes
}

pub fn unpack(mut bytes: &[u8]) -> Result<Vec<Print>, Unreadable> {
    let mut prints = Vec::with_capacity(1);
    while !bytes.is_empty() {
        prints.push(read(&mut bytes).filter(Print::is_sound).ok_or(Unreadable)?);
    }
    Ok(prints)
}

fn write(print: &Print, out: &mut Vec<u8>) {
    let low = low_bits(print);
    out.extend(print.text.to_le_bytes());
    out.extend(print.headline.to_le_bytes());
    varint(out, print.shingles);
    out.push(print.level | if low.is_none() { LISTED } else { 0 });
    varint(out, print.samples.len() as u32);
    print.samples.iter().for_each(|h| out.extend(h.to_le_bytes()));
    match low {
        Some((largest, low)) => {
            out.extend(largest.to_le_bytes());
            low.iter().for_each(|bits| out.extend(bits.to_le_bytes()));
        }
        None => {
            varint(out, print.key.len() as u32);
            print.key.iter().for_each(|h| out.extend(h.to_le_bytes()));
        }
    }
    // never more than `FIGURES`
    out.push(print.figures.len() as u8);
    print.figures.iter().for_each(|h| out.extend(h.to_le_bytes()));
}

fn read(bytes: &mut &[u8]) -> Option<Print> {
    let text = u64::from_le_bytes(take(bytes)?);
    let headline = u32::from_le_bytes(take(bytes)?);
    let shingles = read_varint(bytes)?;
    let [level] = take(bytes)?;
    let (level, listed) = (level & !LISTED, level & LISTED != 0);
    let count = read_varint(bytes)?;
    let samples: Vec<u16> = list(bytes, count)?.iter().map(|h| u16::from_le_bytes(*h)).collect();
    let key = if listed {
        let count = read_varint(bytes)?;
        list(bytes, count)?.iter().map(|h| u32::from_le_bytes(*h)).collect()
    } else {
        let largest = u32::from_le_bytes(take(bytes)?);
        let low = list(bytes, candidates(&samples, level, largest)?.count() as u32)?;
        implied(&samples, level, largest, low.iter().map(|bits| u16::from_le_bytes(*bits)))?
    };
    let [count] = take(bytes)?;
    let figures = list(bytes, count.into())?.iter().map(|h| u16::from_le_bytes(*h)).collect();
    Some(Print { text, headline, shingles, level, key, samples, figures })
}

/// The largest hash of the key, and the lower bits of those samples that may be of it; None where the samples do not
/// hold the key.
fn low_bits(print: &Print) -> Option<(u32, Vec<u16>)> {
    let largest = *print.key.last()?;
    let mut left = print.key.clone();
    let mut low = Vec::new();
    for sample in candidates(&print.samples, print.level, largest)? {
        let at = left.iter().position(|h| sample_of(*h, print.level) == sample);
        // all ones: a larger one than the largest
        low.push(at.map_or(u16::MAX, |at| (left.remove(at) << print.level) as u16));
    }
    let key = implied(&print.samples, print.level, largest, low.iter().copied())?;
    (key == print.key).then_some((largest, low))
}

/// The samples that may be of the key.
fn candidates(samples: &[u16], level: u8, largest: u32) -> Option<impl Iterator<Item = u16>> {
    let most = (level <= 16 && largest.leading_zeros() >= level.into()).then(|| sample_of(largest, level))?;
    Some(samples.iter().copied().filter(move |sample| *sample <= most))
}

fn implied(samples: &[u16], level: u8, largest: u32, low: impl ExactSizeIterator<Item = u16>) -> Option<Vec<u32>> {
    let samples = candidates(samples, level, largest)?;
    let mut key = Vec::with_capacity(low.len());
    let hashes = samples.zip(low).map(|(sample, low)| (u32::from(sample) << 16 | u32::from(low)) >> level);
    key.extend(hashes.filter(|h| *h <= largest));
    key.sort_unstable();
    Some(key)
}

/// As [`Print::samples`] has it.
fn sample_of(hash: u32, level: u8) -> u16 {
    (hash << level >> 16) as u16
}

/// LEB128.
fn varint(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_varint(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    for shift in (0..32).step_by(7) {
        let [byte] = take(bytes)?;
        number |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

fn list<'b, const N: usize>(bytes: &mut &'b [u8], count: u32) -> Option<&'b [[u8; N]]> {
    let length = usize::try_from(count).ok()?.checked_mul(N)?;
    let (head, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(head.as_chunks().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(lines: u32) -> Print {
        let line = |n: u32| format!("Dòng {n}: thôn {} góp {} ngày công làm đường liên xã mới.\n", n * 7, n * 31);
        Print::of("Làm đường", &(1..lines).map(line).collect::<String>())
    }

    #[test]
    fn prints_are_read_back_as_they_were() {
        let mut all: Vec<Print> = (1..200).step_by(7).map(print).collect();
        all.push(Print::of("", ""));
        // a key that the samples do not hold: more than the half of few shingles, often repeated
        all.push(Print::of("", &"một hai ba bốn năm sáu bảy tám chín mười. ".repeat(40)));
        assert_eq!(unpack(&pack(&all)), Ok(all.clone()));
        let listed = all.iter().filter(|print| low_bits(print).is_none()).count();
        assert!((1..4).contains(&listed), "{listed}");
    }

    #[test]
    fn a_print_is_small() {
        let length = pack(&[print(40)]).len();
        assert!((200..260).contains(&length), "{length}");
    }

    #[test]
    fn what_is_no_print_is_refused() {
        let record = pack(&[print(30)]);
        for length in 1..record.len() {
            assert_eq!(unpack(&record[..length]), Err(Unreadable), "{length}");
        }
        assert_eq!(unpack(&[record, vec![0, 0, 0, 0]].concat()), Err(Unreadable));
        for seed in 0..2000_u32 {
            let noise = blake3::hash(&seed.to_le_bytes());
            let length = seed as usize % 32;
            assert!(unpack(&noise.as_bytes()[..length]).is_err() || length == 0);
        }
    }
}
