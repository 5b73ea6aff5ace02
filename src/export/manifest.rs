//! manifest.json: every file of the folder, its length and its hash.

use crate::export::article::sha256;
use crate::store::Logged;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const SCHEMA: &str = "diemtin.manifest/1";
pub const PATH: &str = "manifest.json";
pub const HEAD: &str = "changes/HEAD";
pub const STATUS: &str = "status/sites.json";

/// Changes a segment holds.
const SEGMENT: u64 = 1000;

/// Every file of the export folder but this one, `changes/HEAD` and `status/sites.json`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Debug)]
#[schemars(title = "diemtin manifest")]
pub struct Manifest {
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The last change that the files hold.
    pub seq: u64,
    /// When that change was made; null before the first.
    pub generated_at: Option<DateTime<Utc>>,
    /// As which kinds of file articles are written.
    pub formats: Vec<String>,
    /// Sorted by path.
    #[serde(with = "lines")]
    #[schemars(with = "Vec<FileLine>")]
    pub files: BTreeMap<String, Stamp>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    pub bytes: u64,
    pub sha256: String,
}

impl Stamp {
    pub fn of(bytes: &[u8]) -> Stamp {
        Stamp { bytes: bytes.len() as u64, sha256: sha256(bytes) }
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "File")]
struct FileLine {
    /// From the export folder.
    path: String,
    bytes: u64,
    /// In hex.
    sha256: String,
}

impl Manifest {
    pub fn empty(formats: Vec<String>) -> Manifest {
        Manifest { schema: SCHEMA.to_owned(), seq: 0, generated_at: None, formats, files: BTreeMap::new() }
    }

    /// None where it is not a whole manifest of this schema.
    pub fn read(bytes: &[u8]) -> Option<Manifest> {
        // whatever is wrong with it, the answer is to make it again
        serde_json::from_slice::<Manifest>(bytes).ok().filter(|manifest| manifest.schema == SCHEMA)
    }

    /// A file a line, so that two manifests can be compared by eye.
    pub fn write(&self) -> Vec<u8> {
        let head = Manifest { files: BTreeMap::new(), ..self.clone_head() };
        let head = serde_json::to_string(&head).expect("strings and numbers only");
        let mut out = head.strip_suffix("]}").expect("files come last").to_owned();
        push_lines(&self.files, &mut out);
        out.into_bytes()
    }

    fn clone_head(&self) -> Manifest {
        Manifest {
            schema: self.schema.clone(),
            seq: self.seq,
            generated_at: self.generated_at,
            formats: self.formats.clone(),
            files: BTreeMap::new(),
        }
    }
}

/// Of a part of the manifest.
const PART: &str = "diemtin.manifest.part/1";

/// Where the files of an article's month are listed in a big folder: `articles/YYYY/MM/manifest.json`. `manifest.json`
/// lists this one.
pub fn part_of(path: &str) -> Option<String> {
    let month = path.strip_prefix("articles/")?.get(..7)?;
    Some(format!("articles/{month}/{PATH}"))
}

pub fn is_part(path: &str) -> bool {
    path.ends_with("/manifest.json") && part_of(path).as_deref() == Some(path)
}

/// `{"schema":"diemtin.manifest.part/1","files":[…]}`, a file a line.
pub fn write_part(files: &BTreeMap<String, Stamp>) -> Vec<u8> {
    let mut out = format!("{{\"schema\":\"{PART}\",\"files\":[");
    push_lines(files, &mut out);
    out.into_bytes()
}

/// None where it is not a whole part.
pub fn read_part(bytes: &[u8]) -> Option<BTreeMap<String, Stamp>> {
    #[derive(Deserialize)]
    struct Part {
        schema: String,
        #[serde(with = "lines")]
        files: BTreeMap<String, Stamp>,
    }
    // whatever is wrong with it, the answer is to make it again
    serde_json::from_slice::<Part>(bytes).ok().filter(|part| part.schema == PART).map(|part| part.files)
}

fn push_lines(files: &BTreeMap<String, Stamp>, out: &mut String) {
    for (n, (path, stamp)) in files.iter().enumerate() {
        let line = FileLine { path: path.clone(), bytes: stamp.bytes, sha256: stamp.sha256.clone() };
        out.push_str(if n == 0 { "\n" } else { ",\n" });
        out.push_str(&serde_json::to_string(&line).expect("strings and numbers only"));
    }
    out.push_str("\n]}\n");
}

mod lines {
    use super::{FileLine, Stamp};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub fn serialize<S: Serializer>(files: &BTreeMap<String, Stamp>, out: S) -> Result<S::Ok, S::Error> {
        let line = |(path, stamp): (&String, &Stamp)| FileLine {
            path: path.clone(),
            bytes: stamp.bytes,
            sha256: stamp.sha256.clone(),
        };
        files.iter().map(line).collect::<Vec<_>>().serialize(out)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Stamp>, D::Error> {
        let lines = Vec::<FileLine>::deserialize(from)?;
        let stamp = |line: FileLine| (line.path, Stamp { bytes: line.bytes, sha256: line.sha256 });
        Ok(lines.into_iter().map(stamp).collect())
    }
}

/// The first change of the segment that holds a change.
pub fn segment_of(seq: u64) -> u64 {
    seq.saturating_sub(1) / SEGMENT * SEGMENT + 1
}

/// The last change that a segment can hold.
pub fn segment_end(first: u64) -> u64 {
    first + SEGMENT - 1
}

pub fn segment_path(first: u64) -> String {
    format!("changes/{first}.jsonl")
}

/// The first change of a segment, from its path.
pub fn segment_first(path: &str) -> Option<u64> {
    let number = path.strip_prefix("changes/")?.strip_suffix(".jsonl")?;
    // anything else is not ours
    number.parse().ok().filter(|n: &u64| *n > 0 && n.to_string() == number)
}

pub fn change_line(change: &Logged) -> Vec<u8> {
    let mut out = serde_json::to_vec(change).expect("strings and numbers only");
    out.push(b'\n');
    out
}

/// Whether the export writes files of this name, or the temporary ones of such: only these does it ever take away.
pub fn owned(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = name.strip_prefix('.').and_then(|n| n.strip_suffix(".tmp")).unwrap_or(name);
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    match (folder.split_once('/').unwrap_or((folder, "")), extension) {
        (("articles", day), "json" | "md" | "html") => {
            is_part(path) || is_day(day, '/') && crate::article::Id::from_name(stem).is_some()
        }
        (("daily", ""), "jsonl") => is_day(stem, '-'),
        (("changes", ""), "jsonl") => segment_first(&format!("changes/{name}")).is_some(),
        (("changes", ""), "") => name == "HEAD",
        (("feeds", ""), "json" | "atom") => stem == "all",
        (("feeds", "archive"), "atom") => is_day(stem, '-'),
        (("feeds", "province"), "json" | "atom") => crate::text::slug(stem) == stem,
        (("status", ""), "json") => stem == "sites",
        (("schema", ""), "schema.json") => matches!(stem, "article" | "change" | "manifest"),
        (("", ""), _) => matches!(name, "manifest.json" | "README.txt"),
        _ => false,
    }
}

fn is_day(text: &str, between: char) -> bool {
    let parts: Vec<&str> = text.split(between).collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [4, 2, 2] && parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_comes_back() {
        let mut manifest = Manifest::empty(vec!["json".to_owned()]);
        assert_eq!(Manifest::read(&manifest.write()), Some(manifest.clone()));
        manifest.seq = 7;
        manifest.files.insert("b".to_owned(), Stamp::of(b"1"));
        manifest.files.insert("a".to_owned(), Stamp::of(b""));
        assert_eq!(Manifest::read(&manifest.write()), Some(manifest.clone()));
        assert_eq!(Manifest::read(&manifest.write()[1..]), None);
    }

    #[test]
    fn segments_hold_a_thousand() {
        assert_eq!([1, 1000, 1001, 2000].map(segment_of), [1, 1, 1001, 1001]);
        assert_eq!(segment_first("changes/1001.jsonl"), Some(1001));
        assert_eq!(segment_first("changes/01.jsonl"), None);
        assert_eq!(segment_first("changes/HEAD"), None);
    }

    #[test]
    fn only_its_own_names_are_owned() {
        let id = "abcdefghijklmnopqrstuvwxyz";
        for path in [
            format!("articles/2024/01/24/{id}.json"),
            format!("articles/2024/01/24/.{id}.md.tmp"),
            "daily/2024-01-24.jsonl".to_owned(),
            "changes/1.jsonl".to_owned(),
            "changes/.HEAD.tmp".to_owned(),
            "feeds/province/hung-yen.atom".to_owned(),
            "feeds/archive/2024-01-24.atom".to_owned(),
            "schema/article.schema.json".to_owned(),
            "manifest.json".to_owned(),
            "articles/2024/01/manifest.json".to_owned(),
        ] {
            assert!(owned(&path), "{path}");
        }
        for path in [
            "articles/mine.json",
            "articles/2024/01/24/mine.json",
            "daily/notes.jsonl",
            "changes/notes.jsonl",
            "notes.txt",
            "feeds/province/Hung.json",
            "a/b/c",
        ] {
            assert!(!owned(path), "{path}");
        }
    }
}
