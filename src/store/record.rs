//! Values: version, CRC32C, number of parts, JSON as it is or compressed by zstd.
//!
//! Version 1 is a zstd frame. In version 2 a byte says how the rest is coded: [`PLAIN`], or [`DICTIONARY_1`], zstd with
//! `dictionary.txt` as its prefix: the names, addresses and phrases that most records have in common, put down by hand,
//! the most frequent last. Records are short, so without it each pays for the same names again. It must never change:
//! another one is another code. Prints are hashes, of which JSON and zstd would only make more: [`PACKED`].
//!
//! sled keeps up to 16 items of a leaf in one log message and puts a message above 128 KiB into a file of its own that
//! it never syncs, so a long value is cut into parts of at most [`PART`] bytes: `key`, `key 0 1`, `key 0 2`, ….

use crate::dedup::{self, Print};
use crate::store::{Result, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sled::transaction::{TransactionalTree, UnabortableTransactionError};
use std::cell::RefCell;
use std::io;
use std::sync::LazyLock;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

const VERSION: u8 = 2;
const BEFORE: u8 = 1;
const HEAD: usize = 7;
const PART: usize = 6 * 1024;

/// The tree of the prints.
const PRINTS: &str = "prints";

const PLAIN: u8 = 0;
const DICTIONARY_1: u8 = 1;
const PACKED: u8 = 2;
const DICTIONARY: &[u8] = include_bytes!("dictionary.txt");
const LEVEL: i32 = 15;

/// For what is written again and again: a quarter of the bytes less is not worth ten times the work.
const LIGHT: i32 = 1;

/// Digested once.
static ENCODER: LazyLock<EncoderDictionary> = LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static LIGHT_ENCODER: LazyLock<EncoderDictionary> = LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LIGHT));
static DECODER: LazyLock<DecoderDictionary> = LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

// kept, since to make one costs more than to use it
thread_local! {
    static LIGHT_COMPRESSOR: RefCell<io::Result<Compressor<'static>>> =
        RefCell::new(Compressor::with_prepared_dictionary(&LIGHT_ENCODER));
    static DECOMPRESSOR: RefCell<io::Result<Decompressor<'static>>> =
        RefCell::new(Decompressor::with_prepared_dictionary(&DECODER));
}

/// The values under which a record goes into its tree, first part first.
pub fn pack<T: Serialize>(value: &T) -> Result<Vec<Vec<u8>>> {
    packed(value, |json| Compressor::with_prepared_dictionary(&ENCODER)?.compress(json))
}

/// [`pack`] in a fraction of its time, for records that live until the next poll.
pub fn pack_light<T: Serialize>(value: &T) -> Result<Vec<Vec<u8>>> {
    packed(value, |json| LIGHT_COMPRESSOR.with_borrow_mut(|kept| made(kept)?.compress(json)))
}

fn packed<T: Serialize>(value: &T, compress: impl FnOnce(&[u8]) -> io::Result<Vec<u8>>) -> Result<Vec<Vec<u8>>> {
    let json = serde_json::to_vec(value).map_err(|e| StoreError::Io(format!("a record cannot be written: {e}")))?;
    let frame = compress(&json).map_err(|e| StoreError::Io(format!("zstd: {e}")))?;
    // the shorter of the two codings
    let (code, body) = if frame.len() < json.len() { (DICTIONARY_1, &frame) } else { (PLAIN, &json) };
    cut(&[&[code], body.as_slice()].concat())
}

/// The values under which an article's prints go into their tree.
pub fn pack_prints(prints: &[Print]) -> Result<Vec<Vec<u8>>> {
    cut(&[[PACKED].as_slice(), &dedup::pack(prints)].concat())
}

fn cut(coded: &[u8]) -> Result<Vec<Vec<u8>>> {
    let parts: Vec<Vec<u8>> = coded.chunks(PART).map(<[u8]>::to_vec).collect();
    if u16::try_from(parts.len()).is_err() {
        return Err(StoreError::Io(format!("a record of {} bytes is too long", coded.len())));
    }
    Ok(parts)
}

fn decode(version: u8, packed: &[u8]) -> io::Result<Vec<u8>> {
    match packed.split_first() {
        _ if version == BEFORE => zstd::decode_all(packed),
        Some((&PLAIN, json)) => Ok(json.to_vec()),
        Some((&DICTIONARY_1, frame)) => {
            let length = zstd::zstd_safe::get_frame_content_size(frame).ok().flatten();
            let length = length.and_then(|length| usize::try_from(length).ok());
            let length = length.ok_or_else(|| io::Error::other("a frame without its length"))?;
            DECOMPRESSOR.with_borrow_mut(|kept| made(kept)?.decompress(frame, length))
        }
        _ => Err(io::Error::other("an unknown coding")),
    }
}

fn made<T>(kept: &mut io::Result<T>) -> io::Result<&mut T> {
    kept.as_mut().map_err(|why| io::Error::other(why.to_string()))
}

/// Puts a record in place of what was there.
pub fn put(
    tree: &TransactionalTree,
    key: &[u8],
    parts: &[Vec<u8>],
) -> std::result::Result<(), UnabortableTransactionError> {
    // `pack` gives no more than fit
    let count = u16::try_from(parts.len()).unwrap_or(u16::MAX);
    for (n, part) in (0..count).zip(parts) {
        let key = part_key(key, n);
        let old = tree.insert(key.as_slice(), seal(&key, count, part))?;
        if n == 0 {
            remove_parts(tree, &key, count, old.as_deref())?;
        }
    }
    Ok(())
}

pub fn remove(tree: &TransactionalTree, key: &[u8]) -> std::result::Result<(), UnabortableTransactionError> {
    let old = tree.remove(key)?;
    remove_parts(tree, key, 1, old.as_deref())
}

/// The parts of what was there that nothing is put in place of. A damaged head leaves its parts behind, which nothing
/// refers to.
fn remove_parts(
    tree: &TransactionalTree,
    key: &[u8],
    kept: u16,
    old: Option<&[u8]>,
) -> std::result::Result<(), UnabortableTransactionError> {
    let count = old.and_then(|old| open(key, old).ok()).map_or(1, |(_, count, _)| count);
    (kept.max(1)..count).try_for_each(|n| tree.remove(part_key(key, n)).map(drop))
}

/// Reads a record; `first` is the value found under `key`, where the caller already has it.
pub fn get<T: DeserializeOwned>(
    name: &'static str,
    key: &[u8],
    part: impl FnMut(&[u8]) -> Result<Option<sled::IVec>>,
) -> Result<Option<T>> {
    let bad = |why: String| StoreError::Value { tree: name, key: show(key), why };
    let Some((version, coded)) = joined(name, key, part)? else { return Ok(None) };
    let json = decode(version, &coded).map_err(|e| bad(format!("zstd: {e}")))?;
    serde_json::from_slice(&json).map(Some).map_err(|e| bad(e.to_string()))
}

/// Reads an article's prints.
pub fn get_prints(key: &[u8], part: impl FnMut(&[u8]) -> Result<Option<sled::IVec>>) -> Result<Option<Vec<Print>>> {
    let Some((_, coded)) = joined(PRINTS, key, part)? else { return Ok(None) };
    let prints = coded.strip_prefix(&[PACKED]).and_then(|prints| dedup::unpack(prints).ok());
    let bad = || StoreError::Value { tree: PRINTS, key: show(key), why: "it is no print".to_owned() };
    prints.map(Some).ok_or_else(bad)
}

/// The version, and the parts' bytes in one.
fn joined(
    name: &'static str,
    key: &[u8],
    mut part: impl FnMut(&[u8]) -> Result<Option<sled::IVec>>,
) -> Result<Option<(u8, Vec<u8>)>> {
    let Some(first) = part(key)? else { return Ok(None) };
    let bad = |why: String| StoreError::Value { tree: name, key: show(key), why };
    let (version, count, slice) = open(key, &first).map_err(bad)?;
    let mut coded = slice.to_vec();
    for n in 1..count {
        let key = part_key(key, n);
        let value = part(&key)?.ok_or_else(|| bad(format!("part {n} of {count} is missing")))?;
        coded.extend_from_slice(open(&key, &value).map_err(bad)?.2);
    }
    Ok(Some((version, coded)))
}

fn part_key(key: &[u8], n: u16) -> Vec<u8> {
    let mut out = key.to_vec();
    if n > 0 {
        out.push(0);
        out.extend_from_slice(&n.to_be_bytes());
    }
    out
}

/// Whether a key has the form of the second or a later part's, where no record's own key ends so.
pub fn is_part(key: &[u8]) -> bool {
    key.len() > 3 && key[key.len() - 3] == 0
}

/// The CRC covers the key too: a value that turns up under another key is not that key's value.
fn seal(key: &[u8], count: u16, part: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + part.len());
    out.push(VERSION);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&count.to_be_bytes());
    out.extend_from_slice(part);
    let crc = checksum(key, &out);
    out[1..5].copy_from_slice(&crc.to_le_bytes());
    out
}

/// The version, how many parts there are, and this one's bytes.
fn open<'a>(key: &[u8], value: &'a [u8]) -> std::result::Result<(u8, u16, &'a [u8]), String> {
    let Some((head, part)) = value.split_first_chunk::<HEAD>() else {
        return Err(format!("{} bytes only", value.len()));
    };
    let [version, a, b, c, d, high, low] = *head;
    if ![BEFORE, VERSION].contains(&version) {
        return Err(format!("version {version}, not {VERSION}"));
    }
    let (stored, found) = (u32::from_le_bytes([a, b, c, d]), checksum(key, value));
    if stored != found {
        return Err(format!("CRC32C {found:08x}, not {stored:08x}"));
    }
    Ok((version, u16::from_be_bytes([high, low]), part))
}

/// Of the key, and of the value without its own four bytes.
fn checksum(key: &[u8], value: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(crc32c::crc32c(key), &value[..1]);
    crc32c::crc32c_append(crc, &value[5..])
}

/// A key that is a number.
pub fn number(key: &[u8]) -> Option<u64> {
    <[u8; 8]>::try_from(key).map(u64::from_be_bytes).ok()
}

/// A key for people: text as it is, numbers as numbers.
pub fn show(key: &[u8]) -> String {
    if let Some(number) = number(key).filter(|_| key[0] == 0) {
        return number.to_string();
    }
    String::from_utf8_lossy(key).replace('\0', "/")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn kept(key: &[u8], value: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let parts = pack(&value).unwrap();
        let count = u16::try_from(parts.len()).unwrap();
        (0..count).zip(&parts).map(|(n, p)| (part_key(key, n), seal(&part_key(key, n), count, p))).collect()
    }

    fn read(map: &BTreeMap<Vec<u8>, Vec<u8>>, key: &[u8]) -> Result<Option<String>> {
        get("test", key, |k| Ok(map.get(k).map(|v| sled::IVec::from(v.clone()))))
    }

    /// Text that zstd cannot make small.
    pub fn noise(len: usize) -> String {
        let mut out = String::new();
        for n in 0u64.. {
            if out.len() >= len {
                break;
            }
            out.push_str(&blake3::hash(&n.to_le_bytes()).to_hex());
        }
        out
    }

    #[test]
    fn long_values_come_back_whole() {
        for len in [0, 100, 30_000] {
            let text = noise(len);
            let map = kept(b"k", &text);
            assert_eq!(map.len() > 1, len > 20_000);
            assert!(map.values().all(|v| v.len() <= HEAD + PART));
            assert_eq!(read(&map, b"k").unwrap(), Some(text));
        }
    }

    #[test]
    fn a_record_of_version_1_is_read() {
        let mut value = seal(b"k", 1, &zstd::encode_all(br#""m\u1ed9t""#.as_slice(), 3).unwrap());
        value[0] = BEFORE;
        let crc = checksum(b"k", &value);
        value[1..5].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(read(&BTreeMap::from([(b"k".to_vec(), value)]), b"k").unwrap().as_deref(), Some("một"));
    }

    #[test]
    fn short_ones_stay_as_they_are_and_the_dictionary_never_changes() {
        assert_eq!(pack(&7).unwrap(), [vec![PLAIN, b'7']]);
        assert_eq!(blake3::hash(DICTIONARY).to_hex()[..16], *"16a3170065e676ec");
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let map = kept(b"k", "một giá trị");
        let value = &map[b"k".as_slice()];
        for bit in 0..value.len() * 8 {
            let mut bad = value.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let bad = BTreeMap::from([(b"k".to_vec(), bad)]);
            assert!(matches!(read(&bad, b"k"), Err(StoreError::Value { .. })), "bit {bit}");
        }
    }

    #[test]
    fn missing_parts_and_exchanged_keys_are_found() {
        let mut map = kept(b"k", &noise(30_000));
        let moved = map.remove(&part_key(b"k", 2)).unwrap();
        assert!(matches!(read(&map, b"k"), Err(StoreError::Value { .. })));
        map.insert(part_key(b"k", 2), map[&part_key(b"k", 1)].clone());
        assert!(matches!(read(&map, b"k"), Err(StoreError::Value { .. })));
        map.insert(part_key(b"k", 2), moved);
        assert!(read(&map, b"k").is_ok());
        assert_eq!(read(&map, b"none").unwrap(), None);
    }
}
