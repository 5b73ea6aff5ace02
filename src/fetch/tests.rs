mod safety;

use super::guard::tests::only;
use super::{FetchError, Fetched, Fetcher, Guard, Validators};
use crate::article::Kind;
use crate::config::{HttpConfig, Select, Site, Tls};
use data_encoding::BASE64;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// A server that gives one answer a connection, in order, and remembers what it was asked.
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

/// Bytes as they go over the wire; after them the connection is closed.
type Answer = Vec<u8>;

impl Server {
    async fn new(answers: impl IntoIterator<Item = Answer>) -> Server {
        Server::on("127.0.0.1", answers).await
    }

    async fn on(ip: &str, answers: impl IntoIterator<Item = Answer>) -> Server {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let server = Server { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let (asked, answers) = (server.asked.clone(), answers.into_iter().collect::<Vec<_>>());
        tokio::spawn(async move {
            for answer in answers {
                let (stream, _) = listener.accept().await.unwrap();
                give(stream, &answer, &asked).await;
            }
        });
        server
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn give(mut stream: TcpStream, answer: &[u8], asked: &Mutex<Vec<String>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    asked.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
    // a client that has seen enough hangs up
    let sent = stream.write_all(answer).await;
    while sent.is_ok() && answer.ends_with(SILENCE) && stream.read_u8().await.is_ok() {}
}

/// An answer that ends so is never finished.
const SILENCE: &[u8] = b"...";

fn answer(status: &str, headers: &str, body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn page(headers: &str, body: &[u8]) -> Answer {
    answer("200 OK", headers, body)
}

/// Chunks without an end.
fn chunked(chunks: &[&[u8]]) -> Answer {
    let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in chunks {
        answer.extend(format!("{:x}\r\n", chunk.len()).bytes().chain(chunk.iter().copied()).chain(*b"\r\n"));
    }
    answer
}

fn redirect(to: &str) -> Answer {
    answer("302 Found", &format!("Location: {to}\r\n"), b"moved")
}

fn http() -> HttpConfig {
    HttpConfig {
        user_agent: "diemtin/test".into(),
        timeout: Duration::from_secs(20),
        host_gap: Duration::ZERO,
        max_body: 64 << 10,
        allow_private: true,
    }
}

fn site(feed: Url) -> Site {
    Site {
        id: "a".into(),
        name: "A".into(),
        province: "Huế".into(),
        province_now: "Huế".into(),
        kind: Kind::Party,
        feeds: vec![feed],
        lists: Default::default(),
        layout: None,
        default_offset: crate::text::VIETNAM,
        every: Duration::from_secs(1200),
        tls: Tls::Modern,
        downgrade: false,
        ca_file: None,
        pages: true,
        robots: true,
        select: Select::AnyTopic,
        headers: vec![("x-key".into(), "secret".into())],
    }
}

/// One GET of `/rss`, with a configuration of its own.
async fn get_with(http: &HttpConfig, server: &Server, known: &Validators) -> Result<Fetched, FetchError> {
    let url = server.url("/rss");
    Fetcher::new(http).unwrap().get(&site(url.clone()), &url, known).await
}

async fn get(server: &Server) -> Result<Fetched, FetchError> {
    get_with(&http(), server, &Validators::default()).await
}

async fn answered(answer: Answer) -> Result<Fetched, FetchError> {
    get(&Server::new([answer]).await).await
}

fn body(fetched: Result<Fetched, FetchError>) -> Vec<u8> {
    match fetched.unwrap() {
        Fetched::Page { page, .. } => page.body,
        Fetched::NotModified { .. } => panic!("304"),
    }
}

fn says(fetched: Result<Fetched, FetchError>) -> String {
    fetched.err().unwrap().to_string()
}

fn known(etag: &str, last_modified: &str) -> Validators {
    Validators { etag: Some(etag.into()), last_modified: Some(last_modified.into()) }
}

#[tokio::test]
async fn a_page_comes_with_its_validators() {
    let headers = "ETag: W/\"a b\"\r\nLast-Modified: yesterday\r\nContent-Type: text/html; charset=utf-8\r\n";
    let server = Server::new([page(headers, b"text")]).await;
    match get(&server).await.unwrap() {
        Fetched::Page { page, validators } => {
            assert_eq!((page.url, page.body), (server.url("/rss"), b"text".to_vec()));
            assert_eq!(page.content_type.as_deref(), Some("text/html; charset=utf-8"));
            assert_eq!(validators, known("W/\"a b\"", "yesterday"));
        }
        other => panic!("{other:?}"),
    }
    let asked = server.asked().remove(0).to_ascii_lowercase();
    assert!(asked.starts_with("get /rss http/1.1\r\n") && asked.contains("user-agent: diemtin/test\r\n"), "{asked}");
    let encodings = asked.lines().find(|line| line.starts_with("accept-encoding:")).unwrap();
    assert!(["gzip", "br", "zstd", "deflate"].iter().all(|name| encodings.contains(name)), "{encodings}");
    assert!(!asked.contains("if-none-match") && !asked.contains("if-modified-since"));
}

#[tokio::test]
async fn validators_go_back_as_they_came_and_a_304_renews_them() {
    let server =
        Server::new([answer("304 Not Modified", "", b""), answer("304 Not Modified", "ETag: \"new\"\r\n", b"")]).await;
    let old = known("W/\"\u{e1}\" odd", "24/01/2024");
    match get_with(&http(), &server, &old).await.unwrap() {
        Fetched::NotModified { validators } => assert_eq!(validators, old),
        other => panic!("{other:?}"),
    }
    match get_with(&http(), &server, &old).await.unwrap() {
        Fetched::NotModified { validators } => assert_eq!(validators, known("\"new\"", "24/01/2024")),
        other => panic!("{other:?}"),
    }
    let asked = server.asked().remove(0);
    assert!(asked.contains("if-none-match: W/\"\u{fffd}\" odd\r\n"), "{asked}");
    assert!(asked.contains("if-modified-since: 24/01/2024\r\n"), "{asked}");
}

#[tokio::test]
async fn a_304_that_was_not_asked_for_is_no_answer() {
    assert_eq!(says(answered(answer("304 Not Modified", "", b"")).await), "HTTP 304: unchanged, though nobody asked");
}

const PACKED: &str = "<rss>Điểm tin</rss>";

/// [`PACKED`], by each encoding that is asked for.
fn packed() -> [(&'static str, Vec<u8>); 4] {
    [
        ("gzip", BASE64.decode(b"H4sIAAAAAAACA7MpKi62OzIh8+Hu5lyFksw8G32QAACIE0OhFgAAAA==").unwrap()),
        ("deflate", BASE64.decode(b"eJyzKSoutjsyIfPh7uZchZLMPBt9kAAAc3oJiA==").unwrap()),
        ("br", BASE64.decode(b"UAEQPHJzcz7EkGnhu4NtIHRpbjwvcnNzPgM=").unwrap()),
        ("zstd", zstd::encode_all(PACKED.as_bytes(), 3).unwrap()),
    ]
}

fn encoded(encoding: &str, body: &[u8]) -> Answer {
    page(&format!("Content-Encoding: {encoding}\r\n"), body)
}

#[tokio::test]
async fn compressed_bodies_are_opened() {
    for (encoding, bytes) in packed() {
        assert_eq!(body(answered(encoded(encoding, &bytes)).await), PACKED.as_bytes(), "{encoding}");
    }
}

#[tokio::test]
async fn the_cap_counts_what_was_unpacked() {
    let limit = 64 << 10;
    let bomb = zstd::encode_all(&vec![0; 8 << 20][..], 3).unwrap();
    assert!(bomb.len() < limit / 10);
    let too_large = [
        encoded("zstd", &bomb),
        page("", &vec![b'a'; limit + 1]),
        // the length alone is enough
        b"HTTP/1.1 200 OK\r\nContent-Length: 4294967296\r\n\r\nab...".to_vec(),
        chunked(&[&[b'a'; 0x400], &[b'a'; 0x10000]]),
    ];
    for answer in too_large {
        assert!(matches!(answered(answer).await, Err(FetchError::TooLarge { limit: 65536 })));
    }
    assert_eq!(body(answered(page("", &vec![b'a'; limit])).await).len(), limit);
}

#[tokio::test]
async fn a_body_that_broke_off_is_an_error() {
    let cut = packed().map(|(encoding, bytes)| encoded(encoding, &bytes[..bytes.len() - 9]));
    let partial = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345".to_vec(),
        chunked(&[b"12345"]),
        [chunked(&[b"12345"]), b"zz\r\n".to_vec()].concat(),
    ];
    for answer in partial.into_iter().chain(cut) {
        let failed = answered(answer).await.unwrap_err();
        assert!(matches!(&failed, FetchError::Network(says) if says.contains("broke off")), "{failed}");
    }
}

#[tokio::test]
async fn the_deadline_holds_for_all_of_it() {
    let http = HttpConfig { timeout: Duration::from_millis(150), ..http() };
    for silent in ["HTTP/1.1 200 OK\r\nServer: ...", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n..."] {
        let server = Server::new([redirect("/there"), silent.into()]).await;
        let failed = get_with(&http, &server, &Validators::default()).await;
        assert_eq!(says(failed), "no whole answer within 150ms");
    }
}

#[tokio::test]
async fn statuses_are_told_apart() {
    assert!(matches!(answered(answer("404 Not Found", "", b"")).await, Err(FetchError::Gone { status: 404 })));
    assert!(matches!(answered(answer("410 Gone", "", b"")).await, Err(FetchError::Gone { status: 410 })));
    assert!(matches!(answered(answer("500 Oops", "", b"")).await, Err(FetchError::Status { status: 500 })));
    assert!(matches!(answered(answer("206 Partial", "", b"x")).await, Err(FetchError::Status { status: 206 })));
    let busy = answered(answer("429 Slow Down", "", b"")).await;
    assert!(matches!(busy, Err(FetchError::Busy { status: 429, until: None })));
    let before = chrono::Utc::now();
    match answered(answer("503 Busy", "Retry-After: 600\r\n", b"")).await {
        Err(FetchError::Busy { status: 503, until: Some(until) }) => {
            assert!((600..660).contains(&(until - before).num_seconds()));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn redirects_are_followed_to_the_page() {
    let server = Server::new([redirect("/a?x=1#part"), redirect("b"), page("ETag: \"b\"\r\n", b"text")]).await;
    match get_with(&http(), &server, &known("\"k\"", "m")).await.unwrap() {
        Fetched::Page { page, validators } => {
            assert_eq!((page.url, validators.etag.as_deref()), (server.url("/b"), Some("\"b\"")));
        }
        other => panic!("{other:?}"),
    }
    let first: Vec<_> = server.asked().iter().filter_map(|r| r.split(' ').nth(1).map(str::to_owned)).collect();
    assert_eq!(first, ["/rss", "/a?x=1", "/b"]);
}

#[tokio::test]
async fn redirects_end() {
    let circle = Server::new([redirect("/a"), redirect("/rss")]).await;
    assert!(says(get(&circle).await).starts_with("the redirects lead in a circle, back to http://127.0.0.1"));
    let long = Server::new((0..9).map(|n| redirect(&format!("/{n}")))).await;
    assert!(says(get(&long).await).starts_with("more than 5 redirects"));
    assert_eq!(long.asked().len(), 6);
    assert!(says(answered(answer("302 Found", "", b"")).await).contains("no Location"));
}

#[tokio::test]
async fn a_redirect_cannot_lead_within() {
    let inside = Server::on("127.0.0.2", [page("", b"secret")]).await;
    let to = [inside.url("/").to_string(), "http://169.254.169.254/".into(), "file:///etc/passwd".into()];
    for to in to {
        let server = Server::new([redirect(&to)]).await;
        let fetcher = Fetcher::guarded(&http(), only("127.0.0.1"));
        let failed = fetcher.get(&site(server.url("/rss")), &server.url("/rss"), &Validators::default()).await;
        assert!(matches!(failed, Err(FetchError::Refused(_))), "{to}: {failed:?}");
    }
    assert!(inside.asked().is_empty());
}

#[tokio::test]
async fn a_name_of_this_machine_is_refused_when_it_is_dialled() {
    let server = Server::new([page("", b"secret")]).await;
    let url = Url::parse(&format!("http://localhost:{}/", server.address.port())).unwrap();
    let fetcher = Fetcher::guarded(&http(), Guard::new(false));
    let failed = fetcher.get(&site(url.clone()), &url, &Validators::default()).await.unwrap_err();
    assert!(matches!(&failed, FetchError::Refused(says) if says.contains("a loopback address")), "{failed}");
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_sites_headers_stay_at_home() {
    let away = Server::new([page("", b"text")]).await;
    let home = Server::new([redirect(away.url("/").as_str())]).await;
    assert_eq!(body(get(&home).await), b"text");
    assert!(home.asked()[0].contains("x-key: secret\r\n"));
    assert!(!away.asked()[0].contains("x-key"));
}

#[tokio::test]
async fn a_password_stays_at_home_and_out_of_sight() {
    let away = Server::new([redirect("/"), redirect("/")]).await;
    let home = Server::new([redirect("/a"), page("", b"text"), redirect(away.url("/").as_str())]).await;
    let mut url = home.url("/rss");
    url.set_username("u").and_then(|()| url.set_password(Some("hidden"))).unwrap();
    let (fetcher, site, none) = (Fetcher::new(&http()).unwrap(), site(url.clone()), Validators::default());
    match fetcher.get(&site, &url, &none).await.unwrap() {
        Fetched::Page { page, .. } => assert_eq!(page.url, home.url("/a")),
        other => panic!("{other:?}"),
    }
    assert!(!says(fetcher.get(&site, &url, &none).await).contains("hidden"));
    assert!(home.asked().iter().all(|request| request.contains("authorization: Basic ")));
    assert!(away.asked().iter().all(|request| !request.contains("authorization")));
}

#[tokio::test]
async fn a_host_is_asked_with_pauses_between() {
    let http = HttpConfig { host_gap: Duration::from_millis(60), ..http() };
    let server = Server::new([redirect("/a"), page("", b"1"), page("", b"2")]).await;
    let (fetcher, url) = (Fetcher::new(&http).unwrap(), server.url("/rss"));
    let (site, none, start) = (site(url.clone()), Validators::default(), Instant::now());
    let (a, b) = tokio::join!(fetcher.get(&site, &url, &none), fetcher.get(&site, &url, &none));
    assert!(a.is_ok() && b.is_ok() && start.elapsed() >= 2 * http.host_gap);
}

#[tokio::test]
async fn names_of_one_machine_take_turns() {
    let http = HttpConfig { host_gap: Duration::from_millis(60), ..http() };
    let server = Server::new([page("", b"1"), page("", b"2"), page("", b"3")]).await;
    let fetcher = Fetcher::new(&http).unwrap();
    fetcher.guard.know("a.example", server.address);
    fetcher.guard.know("b.example", server.address);
    let urls =
        ["a", "b"].map(|name| format!("http://{name}.example:{}/rss", server.address.port()).parse::<Url>().unwrap());
    let (site, none, start) = (site(urls[0].clone()), Validators::default(), Instant::now());
    let (a, b) = tokio::join!(fetcher.get(&site, &urls[0], &none), fetcher.get(&site, &urls[1], &none));
    assert!(a.is_ok() && b.is_ok() && start.elapsed() >= http.host_gap, "{a:?} {b:?}");
}

#[tokio::test]
async fn a_host_that_asked_to_wait_is_left_alone_by_all() {
    let wait = answer("503 Busy", "Retry-After: 600\r\n", b"");
    let server = Server::new([wait, page("", b"2")]).await;
    let (fetcher, url, now) = (Fetcher::new(&http()).unwrap(), server.url("/rss"), chrono::Utc::now());
    let (site, none) = (site(url.clone()), Validators::default());
    let busy = fetcher.ask(&site, &url, &none, now).await;
    assert!(matches!(busy.result, Err(FetchError::Busy { status: 503, until: Some(_) })));
    let held = fetcher.ask(&site, &server.url("/other"), &none, now).await;
    assert!(matches!(held.result, Err(FetchError::Held { .. })), "{held:?}");
    assert_eq!(server.asked().len(), 1);
    let renewed = fetcher.renewed(&http()).unwrap();
    assert!(matches!(renewed.get(&site, &url, &none).await, Err(FetchError::Held { .. })));
    let later = fetcher.ask(&site, &url, &none, now + chrono::TimeDelta::seconds(700)).await;
    assert_eq!(body(later.result), b"2");
}

#[tokio::test]
async fn facts_are_told_of_each_answer() {
    let (encoding, bytes) = packed()[0].clone();
    let headers = format!("Content-Encoding: {encoding}\r\nCache-Control: max-age=60\r\n");
    let moved = answer("301 Gone There", "Location: /b\r\n", b"moved");
    let server = Server::new([moved, page(&headers, &bytes), answer("500 Oops", "", b"")]).await;
    let (fetcher, url) = (Fetcher::new(&http()).unwrap(), server.url("/rss"));
    let (site, none) = (site(url.clone()), Validators::default());
    let facts = fetcher.ask(&site, &url, &none, chrono::Utc::now()).await.facts;
    assert_eq!((facts.status, facts.wire, facts.decoded), (Some(200), bytes.len() as u64, PACKED.len() as u64));
    assert_eq!((facts.moved, facts.freshness), (Some(server.url("/b")), Some(Duration::from_secs(60))));
    assert_eq!(fetcher.ask(&site, &url, &none, chrono::Utc::now()).await.facts.status, Some(500));
}

#[tokio::test]
async fn failures_are_told_in_plain_words() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = Server { address: free.local_addr().unwrap(), asked: Arc::default() };
    drop(free);
    assert_eq!(says(get(&closed).await), "the server refuses connections");
    assert!(says(answered(Vec::new()).await).starts_with("no proper answer: "));
}

#[tokio::test]
async fn a_server_without_tls_is_called_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("https://{}/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream.read_to_end(&mut Vec::new()).await
    });
    let failed = Fetcher::new(&http()).unwrap().get(&site(url.clone()), &url, &Validators::default()).await;
    assert_eq!(says(failed), "the server does not speak TLS at this port");
}

/// A server whose certificate no one knows but who has the file; it serves each connection one page.
fn tls_server(connections: usize) -> SocketAddr {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    let cert = CertificateDer::from_pem_slice(include_bytes!("../../tests/tls/cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../../tests/tls/key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![cert], key).unwrap());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(connections) {
            // a client that does not trust us hangs up
            serve_tls(stream.unwrap(), config.clone()).unwrap_or(());
        }
    });
    address
}

fn serve_tls(stream: std::net::TcpStream, config: Arc<rustls::ServerConfig>) -> std::io::Result<()> {
    use std::io::{Read, Write};
    let connection = rustls::ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = rustls::StreamOwned::new(connection, stream);
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    stream.write_all(&page("", b"text"))?;
    stream.conn.send_close_notify();
    stream.flush()
}

#[tokio::test]
async fn a_certificate_is_trusted_as_the_site_says() {
    let url = Url::parse(&format!("https://{}/", tls_server(3))).unwrap();
    let fetcher = Fetcher::new(&http()).unwrap();
    let ca_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls/cert.pem");
    let modern = site(url.clone());
    let added = Site { ca_file: Some(ca_file), ..modern.clone() };
    let insecure = Site { tls: Tls::Insecure, ..modern.clone() };
    let none = Validators::default();
    let failed = says(fetcher.get(&modern, &url, &none).await);
    let expected = ["the server's certificate is not trusted: its issuer is unknown", "this machine has no list"];
    assert!(expected.iter().any(|says| failed.starts_with(says)), "{failed}");
    assert_eq!(body(fetcher.get(&added, &url, &none).await), b"text");
    assert_eq!(body(fetcher.get(&insecure, &url, &none).await), b"text");
}

#[cfg(feature = "legacy-tls")]
#[tokio::test]
async fn old_tls_is_verified_too() {
    let url = Url::parse(&format!("https://{}/", tls_server(2))).unwrap();
    let fetcher = Fetcher::new(&http()).unwrap();
    let ca_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls/cert.pem");
    let legacy = Site { tls: Tls::Legacy, ..site(url.clone()) };
    let added = Site { ca_file: Some(ca_file), ..legacy.clone() };
    let none = Validators::default();
    let failed = says(fetcher.get(&legacy, &url, &none).await);
    assert!(failed.starts_with("the server's certificate is not trusted"), "{failed}");
    assert_eq!(body(fetcher.get(&added, &url, &none).await), b"text");
}

#[test]
fn a_get_can_run_in_any_task() {
    fn sendable<T: Send>(_: T) {}
    let (fetcher, url) = (Fetcher::new(&http()).unwrap(), Url::parse("http://a.example/").unwrap());
    sendable(fetcher.get(&site(url.clone()), &url, &Validators::default()));
}
