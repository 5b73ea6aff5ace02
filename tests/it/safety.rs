//! What is refused, escaped and marked by the real binary: rows of tests/safety.tsv; and who is told of a site's state.

use crate::house::{House, Reply};
use crate::{command, diemtin, stderr, stdout, tree};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

#[test]
fn proxies_of_the_environment_are_not_used() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &["longan"]);
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a loopback address");
    proxy.set_nonblocking(true).expect("a socket");
    let address = format!("http://{}", proxy.local_addr().expect("a bound socket"));
    let names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    let done =
        command(folder.path(), &["once"]).envs(names.map(|name| (name, &address))).output().expect("the binary starts");
    assert!(stdout(&done).contains("1 sites polled, 0 failed"), "{}", stdout(&done));
    assert!(proxy.accept().is_err(), "the proxy was asked");
}

/// Every request is answered so; what was asked comes out of the channel.
fn serve(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback address");
    let base = format!("http://{}", listener.local_addr().expect("a bound socket"));
    let (tell, asked) = mpsc::channel();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            // a client that went away is its own affair, and so is a test that has seen enough
            drop(request(&connection).and_then(|request| {
                (&connection).write_all(&answer(&request))?;
                tell.send(request).map_err(std::io::Error::other)
            }));
        }
    });
    (base, asked)
}

/// Head and body.
fn request(connection: impl Read) -> std::io::Result<String> {
    let mut lines = BufReader::new(connection);
    let (mut text, mut length) = (String::new(), 0);
    while !text.ends_with("\r\n\r\n") && lines.read_line(&mut text)? > 0 {
        let last = text.trim_end().lines().last().unwrap_or_default().to_ascii_lowercase();
        length = last.strip_prefix("content-length: ").map_or(length, |n| n.parse().expect("a number"));
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body)?;
    Ok(text + &String::from_utf8_lossy(&body))
}

fn answer(status: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Of one entry without a date.
fn feed(title: &str) -> String {
    let text = "Chữ. ".repeat(60);
    let item = format!("<item><title>{title}</title><link>/p/1</link><description>{text}</description></item>");
    format!("<rss version=\"2.0\"><channel><title>{title}</title>{item}</channel></rss>")
}

fn site(id: &str, feed: &str, more: &str) -> String {
    let keys = "province = \"Huế\"\nkind = \"party\"\npages = false\nselect = false";
    format!("[[site]]\nid = \"{id}\"\nname = \"Báo {id}\"\n{keys}\nfeeds = [\"{feed}\"]\n{more}\n")
}

fn configure(folder: &Path, text: &str) {
    let local = "[store]\nmin_free = \"0\"\n[http]\nhost_gap = \"0s\"\nallow_private = true\n";
    fs::write(folder.join("config.toml"), format!("{local}{text}")).expect("a writable folder");
}

/// A terminal's commands: set the title, clear, and the same in one byte.
const EVIL: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}\r\u{7f}";

fn is_raw(text: &str) -> bool {
    text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}')
}

#[test]
fn nothing_a_server_says_reaches_the_terminal_raw() {
    let (base, _asked) = serve(|request| match request.split(' ').nth(1) {
        Some("/feed") => answer("200 OK", "application/xml", feed(&format!("Tin {EVIL} mới")).as_bytes()),
        Some("/html") => answer("200 OK", EVIL, format!("<html><title>{EVIL}</title><p>{EVIL}</html>").as_bytes()),
        Some("/moved") => {
            [b"HTTP/1.1 302 \x1b[2J\r\nLocation: ", EVIL.replace('\r', "").as_bytes(), b":x\r\n\r\n"].concat()
        }
        Some("/broken") => {
            [b"HTTP/1.1 200 OK\r\nX\x1b[2J\x00: a\r\nContent-Length: ", EVIL.as_bytes(), b"\r\n\r\n"].concat()
        }
        _ => answer(&format!("500 {}", EVIL.replace('\r', "")), "text/plain", b""),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let paths = ["feed", "html", "moved", "broken", "other"];
    configure(folder.path(), &paths.map(|path| site(path, &format!("{base}/{path}"), "")).concat());
    for form in [&["once"][..], &["once", "--log", "json"], &["sites"], &["sites", "html"], &["sites", "moved"]] {
        let done = diemtin(folder.path(), form);
        for said in [stdout(&done), stderr(&done)] {
            assert!(!is_raw(&said), "{form:?}: {said:?}");
        }
        assert!(done.status.success(), "{form:?}: {}", stderr(&done));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let sites = ["feed", "html"].map(|path| site(path, &format!("{base}/{path}"), ""));
    configure(folder.path(), &sites.concat());
    let mut daemon = command(folder.path(), &["run"]).stderr(Stdio::piped()).spawn().expect("the daemon starts");
    let log = BufReader::new(daemon.stderr.take().expect("piped")).lines();
    let mut lines = Vec::new();
    for line in log.map(|line| line.expect("UTF-8")) {
        lines.push(line);
        if ["feed failed", "article"].iter().all(|word| lines.iter().any(|line| line.contains(word))) {
            break;
        }
    }
    daemon.kill().and_then(|()| daemon.wait()).expect("it ends");
    assert!(lines.len() > 3 && lines.iter().all(|line| !is_raw(line)), "{lines:#?}");
}

#[test]
fn a_password_in_an_address_is_shown_nowhere() {
    let (base, _asked) = serve(|request| match request.split(' ').nth(1) {
        Some("/feed") => answer("200 OK", "application/xml", feed("Tin mới").as_bytes()),
        Some("/moved") => b"HTTP/1.1 302 Found\r\nLocation: /gone\r\nContent-Length: 0\r\n\r\n".to_vec(),
        Some("/gone") => answer("410 Gone", "text/plain", b""),
        _ => answer("500 Fault", "text/plain", b""),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let base = base.replace("http://", "http://u:hidden@");
    let sites = ["feed", "moved", "gone", "other"].map(|path| site(path, &format!("{base}/{path}"), ""));
    configure(folder.path(), &sites.concat());
    let forms = [&["once", "--log", "json"][..], &["once"], &["sites"], &["sites", "--json"], &["sites", "moved"]];
    for form in forms {
        let done = diemtin(folder.path(), form);
        let said = stdout(&done) + &stderr(&done);
        assert!(!said.contains("hidden") && said.contains("gone"), "{form:?}: {said}");
    }
    for (name, bytes) in crate::tree(&folder.path().join("var/export")) {
        assert!(!String::from_utf8_lossy(&bytes).contains("hidden"), "{name}");
    }
}

/// A server whose certificate no one trusts; it serves one feed.
fn tls_server() -> String {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    let cert = CertificateDer::from_pem_slice(include_bytes!("../tls/cert.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../tls/key.pem")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_no_client_auth().with_single_cert(vec![cert], key).expect("a pair");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback address");
    let address = listener.local_addr().expect("a bound socket");
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let connection_config = config.clone();
            let session = rustls::ServerConnection::new(connection_config).expect("a session");
            let mut stream = rustls::StreamOwned::new(session, connection);
            let page = answer("200 OK", "application/xml", feed("Tin mới").as_bytes());
            // a client that does not trust us hangs up
            drop(request(&mut stream).and_then(|_| stream.write_all(&page)));
        }
    });
    format!("https://{address}/rss")
}

#[test]
fn an_insecure_site_is_said_at_each_start_and_marked_in_each_article() {
    let folder = tempfile::tempdir().expect("a folder");
    configure(folder.path(), &site("a", &tls_server(), "tls = \"insecure\""));
    let done = diemtin(folder.path(), &["once"]);
    assert!(stdout(&done).contains("1 stored"), "{}", stdout(&done));
    assert!(stderr(&done).contains("a: tls = \"insecure\""), "{}", stderr(&done));
    let files = tree(&folder.path().join("var/export/articles"));
    let text = |end: &str| {
        let file = files.iter().find(|(name, _)| name.ends_with(end)).expect("an article");
        String::from_utf8(file.1.clone()).expect("UTF-8")
    };
    let article: serde_json::Value = serde_json::from_str(&text(".json")).expect("JSON");
    assert_eq!(article.pointer("/site/insecure"), Some(&true.into()));
    assert!(text(".md").contains("\ninsecure: true\n"), "{}", text(".md"));
    for _start in 0..2 {
        let mut daemon = command(folder.path(), &["run"]).stderr(Stdio::piped()).spawn().expect("the daemon starts");
        let mut log = BufReader::new(daemon.stderr.take().expect("piped")).lines().map(|line| line.expect("UTF-8"));
        assert!(log.any(|line| line.contains("tls = \\\"insecure\\\"") || line.contains("tls = \"insecure\"")));
        daemon.kill().and_then(|()| daemon.wait()).expect("it ends");
    }
    // the way back, for a store that is made again from the folder, keeps the mark
    fs::remove_dir_all(folder.path().join("var/store")).expect("a store");
    assert!(diemtin(folder.path(), &["once"]).status.success());
    assert!(stdout(&diemtin(folder.path(), &["export", "verify"])).len() < 400);
    assert_eq!(tree(&folder.path().join("var/export/articles")), files);
}

#[test]
fn a_changed_state_is_told_once_by_command_and_webhook() {
    let folder = tempfile::tempdir().expect("a folder");
    let (hook, posts) = serve(|_| answer("204 Fine", "text/plain", b""));
    let well = Arc::new(AtomicBool::new(true));
    let asked = well.clone();
    let (base, _asked) = serve(move |_| match asked.load(Ordering::Relaxed) {
        true => answer("200 OK", "application/xml", feed("Tin mới").as_bytes()),
        false => answer("500 Oops", "text/plain", b""),
    });
    let alert =
        format!("[alert]\ncommand = [\"sh\", \"-c\", \"cat >> told; echo >> told\"]\nwebhook = \"{hook}/secret\"\n");
    configure(folder.path(), &(alert + &site("a", &base, "")));
    let told = || {
        let text = fs::read_to_string(folder.path().join("told")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<serde_json::Value>>()
    };
    let once = || assert!(diemtin(folder.path(), &["once"]).status.success());
    once();
    assert!(told().is_empty());
    well.store(false, Ordering::Relaxed);
    once();
    // another run, the same state
    once();
    let first = told();
    assert_eq!(first.len(), 1, "{first:?}");
    let change = &first[0]["changes"][0];
    assert_eq!((&change["site"], &change["state"], &change["was"]), (&"a".into(), &"failing".into(), &"ok".into()));
    assert!(change["since"].is_string() && change["reason"].as_str().is_some_and(|why| why.contains("HTTP 500")));
    assert!(first[0]["text"].as_str().is_some_and(|text| text.starts_with("a (Báo a): failing since ")));
    well.store(true, Ordering::Relaxed);
    once();
    assert_eq!(told()[1]["changes"][0]["state"], "ok");
    let posts: Vec<String> = posts.try_iter().collect();
    assert_eq!(posts.len(), 2);
    assert!(
        posts[0].starts_with("POST /secret ") && posts[0].contains("content-type: application/json"),
        "{}",
        posts[0]
    );
    assert!(posts[0].ends_with(&first[0].to_string()), "{}", posts[0]);
}

#[test]
fn an_alert_that_fails_is_said_and_stops_nothing() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    let config = house.config(folder.path(), &["longan"]);
    let text = fs::read_to_string(&config).expect("a configuration");
    let alert = "[alert]\ncommand = [\"sh\", \"-c\", \"echo no mail today >&2; exit 3\", \"--token=secret\"]\nwebhook = \"http://127.0.0.1:1/secret\"\n";
    fs::write(&config, alert.to_owned() + &text).expect("a writable folder");
    house.script("longan", &house.place("longan").feed.clone(), &[Reply::Status(500, "")]);
    let done = diemtin(folder.path(), &["--log", "json", "once"]);
    let log = stderr(&done);
    assert!(done.status.success());
    assert!(log.contains("no mail today") && log.contains("exit status: 3"), "{log}");
    assert!(log.contains("the alert webhook failed") && !log.contains("secret"), "{log}");
}
