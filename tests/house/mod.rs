//! The sites of tests/sites, served on loopback addresses, well or badly as a script says.

mod frame;

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use toml_edit::{DocumentMut, Item};

/// Where the fixture sites lie.
pub fn sites_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sites")
}

/// A site as its site.toml describes it.
pub struct Place {
    pub id: String,
    pub folder: PathBuf,
    /// The `[site]` table, as text for a config.toml.
    pub table: String,
    pub feed: String,
    /// Address path to file and Content-Type.
    pub files: HashMap<String, (String, String)>,
    /// What stands around the article on every page; without one, each page's file is the whole page.
    frame: Option<String>,
    /// By file, where it isn't served as it lies here.
    charsets: HashMap<String, String>,
    /// `http://host:port`
    pub base: String,
    host: String,
}

impl Place {
    fn read(folder: &Path) -> Place {
        let text = fs::read_to_string(folder.join("site.toml")).expect("a fixture site has a site.toml");
        let doc: DocumentMut = text.parse().expect("site.toml is TOML");
        let (mut files, mut charsets) = (HashMap::new(), HashMap::new());
        let feed = &doc["feed"];
        files.insert(word(feed, "path"), (word(feed, "file"), word(feed, "type")));
        let frame = doc.get("frame").and_then(Item::as_str);
        let charset = doc.get("charset").and_then(Item::as_str).unwrap_or("utf-8");
        for page in doc["page"].as_array_of_tables().expect("[[page]]") {
            let charset = page.get("charset").and_then(Item::as_str).unwrap_or(charset).to_owned();
            let page = Item::Table(page.clone());
            files.insert(word(&page, "path"), (word(&page, "file"), word(&page, "type")));
            charsets.insert(word(&page, "file"), charset);
        }
        Place {
            id: word(&doc["site"], "id"),
            folder: folder.to_owned(),
            table: doc["site"].as_table().expect("[site]").to_string(),
            feed: word(feed, "path"),
            files,
            frame: frame.map(|file| fs::read_to_string(folder.join(file)).expect("a frame")),
            charsets,
            base: String::new(),
            host: doc["host"].as_str().expect("host").to_owned(),
        }
    }

    /// A page's or a feed's bytes, what changes at each request not yet filled in.
    pub fn raw(&self, path: &str) -> Option<Vec<u8>> {
        let (file, _) = self.files.get(path)?;
        let raw = fs::read(self.folder.join(file)).expect("a fixture file");
        let (Some(frame), Some(charset)) = (&self.frame, self.charsets.get(file)) else { return Some(raw) };
        let page = frame::assemble(frame, &String::from_utf8(raw).expect("an article in UTF-8"));
        Some(frame::encode(&page, charset))
    }

    /// Every page that has an expected export beside it: path, page, expectation.
    pub fn pages(&self) -> Vec<(String, PathBuf, PathBuf)> {
        let pages = self.files.iter().filter(|(_, (file, _))| file.ends_with(".html"));
        let mut pages: Vec<_> = pages
            .map(|(path, (file, _))| {
                let page = self.folder.join(file);
                (path.clone(), page.clone(), page.with_extension("md"))
            })
            .collect();
        pages.sort();
        pages
    }
}

fn word(item: &Item, key: &str) -> String {
    item[key].as_str().unwrap_or_else(|| panic!("site.toml: {key} is missing")).to_owned()
}

/// All fixture sites, not served.
pub fn places() -> Vec<Place> {
    places_in(&sites_folder())
}

fn places_in(folder: &Path) -> Vec<Place> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder of sites").map(|f| f.expect("a readable folder").path()).collect();
    folders.retain(|folder| folder.join("site.toml").exists());
    folders.sort();
    folders.iter().map(|folder| Place::read(folder)).collect()
}

/// How to answer one request otherwise than well.
#[derive(Clone)]
pub enum Reply {
    Status(u16, &'static str),
    /// A Content-Length that is not kept.
    HalfBody,
    /// Other bytes than the file's.
    Bytes(&'static str, Vec<u8>),
}

#[derive(Clone, Debug)]
pub struct Seen {
    pub site: String,
    pub path: String,
    pub status: u16,
}

#[derive(Default)]
struct State {
    scripts: Mutex<HashMap<(String, String), VecDeque<Reply>>>,
    replaced: Mutex<HashMap<(String, String), Vec<u8>>>,
    seen: Mutex<Vec<Seen>>,
    hits: AtomicU64,
}

/// The sites, being served until the process ends.
pub struct House {
    pub places: Vec<Arc<Place>>,
    state: Arc<State>,
}

impl House {
    pub fn open() -> House {
        House::open_in(&sites_folder())
    }

    /// With the sites that lie in a folder, in the form of those of tests/sites.
    pub fn open_in(folder: &Path) -> House {
        let state = Arc::new(State::default());
        let places = places_in(folder).into_iter().map(|place| serve(place, state.clone())).collect();
        House { places, state }
    }

    pub fn place(&self, id: &str) -> &Place {
        self.places.iter().find(|place| place.id == id).unwrap_or_else(|| panic!("no fixture site {id}"))
    }

    /// The next requests for a path are answered so, one reply each.
    pub fn script(&self, site: &str, path: &str, replies: &[Reply]) {
        let key = (site.to_owned(), path.to_owned());
        self.state.scripts.lock().unwrap().entry(key).or_default().extend(replies.iter().cloned());
    }

    /// From now on these are the file's bytes.
    pub fn replace(&self, site: &str, path: &str, bytes: &[u8]) {
        self.state.replaced.lock().unwrap().insert((site.to_owned(), path.to_owned()), bytes.to_owned());
    }

    /// The file's bytes as they are now, tokens not replaced.
    pub fn bytes(&self, site: &str, path: &str) -> Vec<u8> {
        raw_bytes(self.place(site), path, &self.state).expect("a path of the site").0
    }

    /// The requests answered since the last call.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state.seen.lock().unwrap())
    }

    /// A config.toml for these sites in `folder`, with the layouts that diemtin ships.
    pub fn config(&self, folder: &Path, only: &[&str]) -> PathBuf {
        let shipped =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml")).expect("config.toml");
        let shipped: DocumentMut = shipped.parse().expect("config.toml is TOML");
        let mut text =
            "[status]\nlisten = \"127.0.0.1:0\"\n[http]\nhost_gap = \"0s\"\nallow_private = true\n".to_owned();
        for place in self.places.iter().filter(|place| only.is_empty() || only.contains(&place.id.as_str())) {
            text += &format!("[[site]]\n{}\nfeeds = [\"{}{}\"]\n", place.table.trim(), place.base, place.feed);
        }
        for (name, layout) in shipped["layout"].as_table().expect("[layout.*]") {
            text += &format!("[layout.{name}]\n{}\n", layout.as_table().expect("a table").to_string().trim());
        }
        let file = folder.join("config.toml");
        fs::write(&file, text).expect("a writable folder");
        file
    }
}

fn serve(mut place: Place, state: Arc<State>) -> Arc<Place> {
    let listener = TcpListener::bind((place.host.as_str(), 0)).expect("a loopback address");
    place.base = format!("http://{}", listener.local_addr().expect("a bound socket"));
    let place = Arc::new(place);
    let served = place.clone();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let (place, state) = (served.clone(), state.clone());
            // A client that went away is its own affair.
            thread::spawn(move || drop(answer(connection, &place, &state)));
        }
    });
    place
}

fn answer(mut connection: TcpStream, place: &Place, state: &State) -> std::io::Result<()> {
    let Some((path, known)) = request(&connection)? else { return Ok(()) };
    let key = (place.id.clone(), path.clone());
    let scripted = state.scripts.lock().unwrap().get_mut(&key).and_then(VecDeque::pop_front);
    let (status, head, body) = match scripted {
        Some(Reply::Status(status, headers)) => (status, headers.to_owned(), Vec::new()),
        Some(Reply::Bytes(mime, bytes)) => (200, format!("Content-Type: {mime}\r\n"), bytes),
        other => well(place, &path, known.as_deref(), state, matches!(other, Some(Reply::HalfBody))),
    };
    state.seen.lock().unwrap().push(Seen { site: place.id.clone(), path, status });
    let length =
        if head.contains("Content-Length") { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    write!(connection, "HTTP/1.1 {status} Fixture\r\n{head}{length}Connection: close\r\n\r\n")?;
    connection.write_all(&body)
}

/// As the site itself would answer; half of it, if so asked.
fn well(place: &Place, path: &str, known: Option<&str>, state: &State, half: bool) -> (u16, String, Vec<u8>) {
    let Some((raw, mime)) = raw_bytes(place, path, state) else { return (404, String::new(), Vec::new()) };
    let tag = format!("\"{}\"", blake3::hash(&raw).to_hex());
    if known == Some(&tag) {
        return (304, format!("ETag: {tag}\r\n"), Vec::new());
    }
    let hits = state.hits.fetch_add(1, Ordering::Relaxed);
    let mut body = fill(&raw, &place.base, hits);
    let mut head = format!("Content-Type: {mime}\r\nETag: {tag}\r\n");
    if half {
        head += &format!("Content-Length: {}\r\n", body.len());
        body.truncate(body.len() / 2);
    }
    (200, head, body)
}

fn raw_bytes(place: &Place, path: &str, state: &State) -> Option<(Vec<u8>, String)> {
    let (_, mime) = place.files.get(path)?;
    let replaced = state.replaced.lock().unwrap().get(&(place.id.clone(), path.to_owned())).cloned();
    Some((replaced.or_else(|| place.raw(path))?, mime.clone()))
}

/// The tokens of a fixture, replaced: `{{base}}`, and what changes at each request: `{{hits}}`, `{{clock}}`,
/// `{{some N}}…{{or}}…{{end}}`.
pub fn fill(raw: &[u8], base: &str, hits: u64) -> Vec<u8> {
    let raw = &frame::turn(raw, hits)[..];
    let grouped = format!("{},{:03}", 1 + hits / 1000, hits % 1000);
    let clock = format!("{:02}:{:02}:{:02}", hits / 3600 % 24, hits / 60 % 60, hits % 60);
    let tokens: [(&[u8], &str); 3] = [(b"{{base}}", base), (b"{{hits}}", &grouped), (b"{{clock}}", &clock)];
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    'scan: while let Some((&first, tail)) = rest.split_first() {
        for (token, value) in tokens {
            if let Some(after) = rest.strip_prefix(token) {
                out.extend_from_slice(value.as_bytes());
                rest = after;
                continue 'scan;
            }
        }
        out.push(first);
        rest = tail;
    }
    out
}

/// The path, and the If-None-Match.
fn request(connection: &TcpStream) -> std::io::Result<Option<(String, Option<String>)>> {
    let mut lines = BufReader::new(connection.take(64 * 1024));
    let mut line = String::new();
    if lines.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut known = None;
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 || line == "\r\n" {
            return Ok(Some((path, known)));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("if-none-match")
        {
            known = Some(value.trim().to_owned());
        }
    }
}
