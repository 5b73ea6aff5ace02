//! tests/safety.tsv, walked: what must not be fetched, and how much of it, for how long. tokio's clock is paused, so that
//! time passes where nothing else does.

use super::{Answer, http, site};
use crate::config::Site;
use crate::fetch::guard::tests::only;
use crate::fetch::{FetchError, Fetched, Fetcher, Guard, Validators};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::Instant;
use url::Url;

/// One row of the table.
struct Row<'a> {
    number: &'a str,
    title: &'a str,
    given: &'a str,
    expected: &'a str,
}

fn rows(table: &str) -> Vec<Row<'_>> {
    let lines = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let row = |line| {
        let mut cells = str::split(line, '\t');
        let mut cell = || cells.next().unwrap_or_default();
        Row { number: cell(), title: cell(), given: cell(), expected: cell() }
    };
    lines.map(row).collect()
}

#[tokio::test(start_paused = true)]
async fn the_table_holds() {
    let rows = rows(include_str!("../../../tests/safety.tsv"));
    let (mut failed, sources) = (String::new(), sources(&at_home("src")) + &sources(&at_home("tests")));
    for (nth, row) in rows.iter().enumerate() {
        assert_eq!(row.number, (nth + 1).to_string(), "the rows are numbered");
        let wrong = match row.given.split_once(' ') {
            Some(("test", names)) => unknown_tests(names, &sources),
            Some(("script", path)) => {
                (!at_home(path).is_file()).then(|| format!("no script {path}")).into_iter().collect()
            }
            _ => play(row).await,
        };
        wrong.iter().for_each(|why| writeln!(failed, "{} {}: {why}", row.number, row.title).unwrap());
    }
    assert!(rows.len() >= 65 && failed.is_empty(), "{failed}");
}

fn at_home(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn unknown_tests(names: &str, sources: &str) -> Vec<String> {
    let known = |name: &&str| sources.contains(&format!("fn {}(", name.rsplit(':').next().unwrap()));
    names.split(' ').filter(|name| !known(name)).map(|name| format!("no test {name}")).collect()
}

fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.extension() {
            _ if path.is_dir() => all += &sources(&path),
            Some(end) if end == "rs" => all += &std::fs::read_to_string(&path).unwrap(),
            _ => {}
        }
    }
    all
}

/// The two servers of a row, and what the row wants to be different.
struct Scene {
    home: Host,
    away: Host,
    /// Takes no connection.
    full: Full,
}

impl Scene {
    async fn new() -> Scene {
        Scene { home: Host::on("127.0.0.1").await, away: Host::on("127.0.0.2").await, full: Full::new().await }
    }

    /// HOME, AWAY and FULL stand for the addresses of servers, PORT for the first one's port.
    fn filled(&self, text: &str) -> String {
        let Scene { home, away, full } = self;
        let filled = text.replace("HOME", &home.address.to_string()).replace("AWAY", &away.address.to_string());
        filled.replace("FULL", &full.address.to_string()).replace("PORT", &home.address.port().to_string())
    }
}

/// What came of a row's request.
struct Saw {
    answer: Result<(Vec<u8>, u64), FetchError>,
    took: Duration,
    home: Vec<String>,
    away: Vec<String>,
}

async fn play(row: &Row<'_>) -> Vec<String> {
    let scene = Scene::new().await;
    let (flags, answers) = flags(row.given);
    let script = answers.split(" > ").filter(|answer| !answer.is_empty());
    scene.home.serve(script.map(|answer| steps(&scene.filled(answer))).collect());
    scene.away.serve(vec![steps("200 away")]);
    let at = flags.iter().find_map(|flag| flag.strip_prefix("at ")).unwrap_or("http://HOME/rss");
    let Ok(url) = Url::parse(&scene.filled(at)) else {
        return (row.expected != "no address").then(|| "it is no address".to_owned()).into_iter().collect();
    };
    let saw = ask(&scene, &flags, url).await;
    let wrong = row.expected.split(", ").filter(|check| !saw.holds(check));
    let told = |check| format!("not `{check}`: {:?} after {:?}, {:?}", saw.shown(), saw.took, saw.home);
    wrong.map(told).collect()
}

async fn ask(scene: &Scene, flags: &[&str], url: Url) -> Saw {
    let http = crate::config::HttpConfig { timeout: Duration::from_secs(60), ..http() };
    let guard = match flags {
        flags if flags.contains(&"closed") => Guard::new(false),
        flags if flags.contains(&"private") => Guard::new(true),
        _ => only("127.0.0.1"),
    };
    for flag in flags {
        if let Some((name, address)) = flag.strip_prefix("name ").and_then(|known| known.split_once('=')) {
            guard.know(name, format!("{address}:0").parse().unwrap());
        }
    }
    let fetcher = Fetcher::guarded(&http, guard);
    let feed: Url = format!("http://{}/rss", scene.home.address).parse().unwrap();
    let site = Site { downgrade: flags.contains(&"downgrade"), ..site(feed) };
    let start = Instant::now();
    let answer = fetcher.ask(&site, &url, &Validators::default(), chrono::Utc::now()).await;
    let wire = answer.facts.wire;
    let answer = answer.result.map(|fetched| match fetched {
        Fetched::Page { page, .. } => (page.body, wire),
        Fetched::NotModified { .. } => (Vec::new(), wire),
    });
    Saw { answer, took: start.elapsed(), home: scene.home.asked(), away: scene.away.asked() }
}

fn flags(given: &str) -> (Vec<&str>, &str) {
    let (mut flags, mut rest) = (Vec::new(), given);
    while let Some((flag, behind)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        flags.push(flag);
        rest = behind.trim_start();
    }
    (flags, rest)
}

impl Saw {
    fn shown(&self) -> Result<usize, String> {
        self.answer.as_ref().map(|(body, _)| body.len()).map_err(ToString::to_string)
    }

    fn holds(&self, check: &str) -> bool {
        let (word, rest) = check.split_once(' ').unwrap_or((check, ""));
        let failed = self.answer.as_ref().err();
        let sent = |requests: &[String]| requests.iter().any(|request| request.contains(&format!("\r\n{rest}: ")));
        match word {
            "body" => self.answer.as_ref().is_ok_and(|(body, _)| body == rest.as_bytes()),
            "size" => self.answer.as_ref().is_ok_and(|(body, _)| body.len() as u64 == size(rest)),
            "refused" => matches!(failed, Some(FetchError::Refused(why)) if why.contains(rest)),
            "fails" => failed.is_some_and(|why| why.to_string().contains(rest)),
            "large" => matches!(failed, Some(FetchError::TooLarge { .. })),
            "asked" => self.home.len().to_string() == rest,
            "away" => self.away.len().to_string() == rest,
            "sends" => sent(&self.home),
            "hides" => sent(&self.home) && !self.away.is_empty() && !sent(&self.away),
            "after" => {
                let after = humantime::parse_duration(rest).unwrap();
                (after..after + Duration::from_secs(1)).contains(&self.took)
            }
            other => panic!("no such check: {other}"),
        }
    }
}

/// A server that plays one script a connection, and remembers what it was asked.
struct Host {
    address: SocketAddr,
    listener: Arc<TcpListener>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Host {
    async fn on(ip: &str) -> Host {
        let listener = Arc::new(TcpListener::bind((ip, 0)).await.unwrap());
        Host { address: listener.local_addr().unwrap(), listener, asked: Arc::default() }
    }

    fn serve(&self, scripts: Vec<Vec<Step>>) {
        let (listener, asked) = (self.listener.clone(), self.asked.clone());
        tokio::spawn(async move {
            for script in scripts {
                let (stream, _) = listener.accept().await.unwrap();
                play_to(stream, &script, &asked).await;
            }
        });
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// What a server does on a connection after it was asked.
enum Step {
    Bytes(Answer),
    Pause(Duration),
    /// The same again and again, with pauses.
    Forever(Answer, Duration),
    /// Nothing more, and the connection stays.
    Silence,
}

async fn play_to(mut stream: TcpStream, script: &[Step], asked: &Mutex<Vec<String>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") && !matches!(script, [Step::Silence]) {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    asked.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
    for step in script {
        // a client that has seen enough hangs up
        let gone = match step {
            Step::Bytes(bytes) => stream.write_all(bytes).await.is_err(),
            Step::Pause(pause) => {
                tokio::time::sleep(*pause).await;
                false
            }
            Step::Forever(bytes, pause) => {
                while stream.write_all(bytes).await.is_ok() {
                    tokio::time::sleep(*pause).await;
                }
                true
            }
            Step::Silence => {
                while stream.read_u8().await.is_ok() {}
                true
            }
        };
        if gone {
            return;
        }
    }
}

/// A server whose queue is full: a connection to it neither comes about nor fails.
struct Full {
    address: SocketAddr,
    _kept: (TcpListener, Vec<TcpStream>),
}

impl Full {
    async fn new() -> Full {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(10), TcpStream::connect(address)).await {
            waiting.push(stream);
        }
        Full { address, _kept: (listener, waiting) }
    }
}

/// An answer as the table writes it.
fn steps(answer: &str) -> Vec<Step> {
    let (word, rest) = answer.split_once(' ').unwrap_or((answer, ""));
    match word {
        "hang" => return vec![Step::Silence],
        "late" => {
            let (time, rest) = rest.split_once(' ').unwrap();
            let pause = Step::Pause(humantime::parse_duration(time).unwrap());
            return std::iter::once(pause).chain(steps(rest)).collect();
        }
        "headers" => {
            let line = |n: u32| format!("X-{n}: {}\r\n", "a".repeat(1 << 10));
            let many: String = (0..64).map(line).collect();
            let first = Step::Bytes(b"HTTP/1.1 200 OK\r\n".to_vec());
            return vec![first, Step::Forever(many.into_bytes(), Duration::ZERO)];
        }
        "line" => return vec![Step::Bytes(rest.replace('^', "\r\n").into_bytes())],
        _ => {}
    }
    let (mut head, mut rest) = (format!("HTTP/1.1 {word} As Scripted\r\nConnection: close\r\n"), rest.trim_start());
    while let Some((header, behind)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        head += &format!("{header}\r\n");
        rest = behind.trim_start();
    }
    body_steps(head, rest)
}

fn body_steps(head: String, words: &str) -> Vec<Step> {
    let (word, rest) = words.split_once(' ').unwrap_or((words, ""));
    let with = |more: &str, body: &[u8]| Step::Bytes([head.as_bytes(), more.as_bytes(), b"\r\n", body].concat());
    let chunk = |body: &[u8]| [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n"].concat();
    let chunked = "Transfer-Encoding: chunked\r\n";
    match word {
        "endless" => vec![with(chunked, b""), Step::Forever(chunk(&[b'a'; 8192]), Duration::ZERO)],
        "unending" => vec![with("", b""), Step::Forever(vec![b'a'; 8192], Duration::ZERO)],
        "drip" => {
            let (bytes, pause) = rest.split_once('/').unwrap();
            let bytes = vec![b'a'; bytes.parse().unwrap()];
            let pause = humantime::parse_duration(pause).unwrap();
            vec![with("Content-Length: 65000\r\n", b""), Step::Forever(bytes, pause)]
        }
        "silent" => vec![with("Content-Length: 9\r\n", b"ab"), Step::Silence],
        "half" => vec![with(&format!("Content-Length: {}\r\n", 2 * body(rest).len()), &body(rest))],
        "chunks" => vec![with(chunked, &chunk(&body(rest)))],
        "broken" => vec![with(chunked, &[chunk(&body(rest)), b"zz\r\n".to_vec()].concat())],
        _ if head.contains("Content-Length") => vec![with("", &body(words))],
        _ => vec![with(&format!("Content-Length: {}\r\n", body(words).len()), &body(words))],
    }
}

/// 8 MiB of zeros by brotli.
const BROTLI_BOMB: &str = "m///f/gnAOKxQCD3/g8=";

/// `gzip:`, `deflate:`, `zstd:` pack, `cut:` takes the end away, `C*N` is a character so many times.
fn body(words: &str) -> Vec<u8> {
    use flate2::{Compression, write};
    let packer = words.split_once(':').map(|(packer, inner)| (packer, body(inner)));
    match packer.as_ref().map(|(packer, inner)| (*packer, inner.as_slice())) {
        Some(("gzip", inner)) => {
            let mut encoder = write::GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(inner).and_then(|()| encoder.finish()).unwrap()
        }
        Some(("deflate", inner)) => {
            let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(inner).and_then(|()| encoder.finish()).unwrap()
        }
        Some(("zstd", inner)) => zstd::encode_all(inner, 3).unwrap(),
        Some(("wide", inner)) => {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
            encoder.window_log(27).unwrap();
            encoder.write_all(inner).and_then(|()| encoder.finish()).unwrap()
        }
        Some(("twice", inner)) => [inner, inner].concat(),
        Some(("cut", inner)) => inner[..inner.len() - 9].to_vec(),
        _ if words == "brotli-bomb" => data_encoding::BASE64.decode(BROTLI_BOMB.as_bytes()).unwrap(),
        _ => match words.split_once('*') {
            Some((text, times)) => text.repeat(usize::try_from(size(times)).unwrap()).into_bytes(),
            None => words.as_bytes().to_vec(),
        },
    }
}

/// `65536`, `64K`, `8M`.
fn size(text: &str) -> u64 {
    let (digits, unit) = text.split_at(text.find(['K', 'M']).unwrap_or(text.len()));
    let factor = [("K", 1 << 10), ("M", 1 << 20)].iter().find(|(name, _)| *name == unit).map_or(1, |(_, by)| *by);
    digits.parse::<u64>().unwrap() * factor
}

#[tokio::test]
async fn what_was_checked_is_what_is_dialled() {
    let host = Host::on("127.0.0.1").await;
    host.serve(vec![steps("200 one"), steps("200 two")]);
    let guard = only("127.0.0.1");
    let fetcher = Fetcher::guarded(&http(), guard.clone());
    let url: Url = format!("http://rebound.example:{}/", host.address.port()).parse().unwrap();
    let (site, none) = (site(url.clone()), Validators::default());
    guard.know("rebound.example", host.address);
    assert!(fetcher.get(&site, &url, &none).await.is_ok());
    // the name's owner lets it point within
    guard.know("rebound.example", "10.0.0.1:0".parse().unwrap());
    let refused = fetcher.get(&site, &url, &none).await.unwrap_err();
    assert_eq!(refused.to_string(), "refused: rebound.example is 10.0.0.1, a private address");
    assert_eq!(host.asked().len(), 1);
}
