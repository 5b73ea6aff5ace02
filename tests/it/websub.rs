//! A feed with a hub (WebSub): the real daemon, a loopback feed and hub, and this test in the place of the proxy.

use crate::daemon::Daemon;
use diemtin::store::Store;
use ring::hmac;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::{fs, thread};
use url::form_urlencoded;

/// Serves a feed that names a hub, and is that hub: what it is asked for comes out of the channel.
fn hub() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback address");
    let base = format!("http://{}", listener.local_addr().expect("a bound socket"));
    let (told, asked) = channel();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            if let Ok(Some(form)) = answer(connection) {
                told.send(form).expect("the test waits for it");
            }
        }
    });
    (base, asked)
}

fn answer(mut connection: TcpStream) -> std::io::Result<Option<String>> {
    let mut reader = BufReader::new(connection.try_clone()?);
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line)? > 2 {
        head += &line;
        line.clear();
    }
    if head.starts_with("POST /hub ") {
        let length =
            head.to_ascii_lowercase().split("content-length: ").nth(1).map(|rest| rest.lines().next().map(str::parse));
        let mut form = vec![0; length.flatten().and_then(Result::ok).unwrap_or(0)];
        reader.read_exact(&mut form)?;
        connection.write_all(b"HTTP/1.1 202 Taken\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
        return Ok(Some(String::from_utf8_lossy(&form).into_owned()));
    }
    let feed = feed(1);
    let links = "Link: </hub>; rel=\"hub\", </rss>; rel=\"self\"\r\n";
    let head = format!("HTTP/1.1 200 OK\r\n{links}Content-Length: {}\r\nConnection: close\r\n\r\n", feed.len());
    connection.write_all((head + &feed).as_bytes())?;
    Ok(None)
}

fn feed(entry: u32) -> String {
    let text = "Sáng nay xã mở buổi đối thoại với bà con về con đường vào khu sản xuất. ".repeat(5);
    let item =
        format!("<item><title>Tin {entry}</title><link>/p/{entry}</link><description>{text}</description></item>");
    format!("<rss version=\"2.0\"><channel><title>A</title>{item}</channel></rss>")
}

fn field(form: &str, name: &str) -> String {
    let found = form_urlencoded::parse(form.as_bytes()).find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("no {name} in {form}")).1.into_owned()
}

/// As a proxy passes it on: by the public name.
fn ask(at: &str, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(at).expect("it listens");
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: tin.example\r\nConnection: close\r\nContent-Length: {length}\r\n");
    stream.write_all(format!("{head}{headers}\r\n{body}").as_bytes()).expect("it reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers in UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    (head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status"), body.to_owned())
}

fn configure(folder: &Path, base: &str, ids: &[&str]) {
    let mut text = "[store]\nmin_free = \"0\"\n[status]\nlisten = \"127.0.0.1:0\"\n[http]\nhost_gap = \"0s\"\n\
                    allow_private = true\n[websub]\naddress = \"https://tin.example/diemtin\"\n"
        .to_owned();
    for id in ids {
        text +=
            &format!("[[site]]\nid = \"{id}\"\nname = \"A\"\nprovince = \"Huế\"\nkind = \"party\"\npages = false\n");
        text += &format!("select = false\nfeeds = [\"{base}/rss?{id}\"]\n");
    }
    fs::write(folder.join("config.toml"), text).expect("a writable folder");
}

#[test]
fn a_hub_is_asked_answered_believed_by_its_signature_and_left() {
    let (base, asked) = hub();
    let folder = tempfile::tempdir().expect("a folder");
    configure(folder.path(), &base, &["a"]);
    let mut daemon = Daemon::start(folder.path(), &[]);
    let line = daemon.logged("status pages on");
    let at = line.split("http://").nth(1).expect("an address").trim_end().trim_end_matches('/').to_owned();
    daemon.logged("outcome=");

    let form = asked.recv().expect("the hub is asked");
    assert_eq!((field(&form, "hub.mode"), field(&form, "hub.topic")), ("subscribe".into(), format!("{base}/rss")));
    let callback = field(&form, "hub.callback");
    let path = callback.strip_prefix("https://tin.example/diemtin").expect("below the public address");
    let (secret, topic) = (field(&form, "hub.secret"), field(&form, "hub.topic"));
    assert!(path.len() == "/websub/".len() + 40 && secret.len() < 200, "{form}");
    daemon.logged("hub asked");

    // whoever guesses learns nothing and changes nothing
    let intent = |path: &str, mode: &str, topic: &str| {
        let query: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("hub.mode", mode),
                ("hub.topic", topic),
                ("hub.challenge", "x<y"),
                ("hub.lease_seconds", "9000"),
            ])
            .finish();
        ask(&at, "GET", &format!("{path}?{query}"), "", "")
    };
    let guessed = format!("/websub/{}", "0".repeat(40));
    assert_eq!(intent(&guessed, "subscribe", &topic).0, 404);
    assert_eq!(intent("/websub/x%00", "subscribe", &topic).0, 404);
    assert_eq!(intent(path, "subscribe", "http://other.example/").0, 404);
    assert_eq!(intent(path, "unsubscribe", &topic).0, 404, "nobody meant that");
    assert_eq!(intent(path, "subscribe", &topic), (200, "x<y".to_owned()));
    daemon.logged("hub tells of a feed");

    let signed = |body: &str| {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body.as_bytes());
        format!("X-Hub-Signature: sha256={}\r\n", data_encoding::HEXLOWER.encode(tag.as_ref()))
    };
    assert_eq!(ask(&at, "POST", &guessed, &signed(&feed(2)), &feed(2)).0, 410);
    for headers in ["", "X-Hub-Signature: sha256=00\r\n", &signed(&feed(3))] {
        assert_eq!(ask(&at, "POST", path, headers, &feed(2)).0, 202);
        daemon.logged("not signed by its hub");
    }
    assert_eq!(ask(&at, "POST", path, &signed(&feed(4)), &feed(4)).0, 202);
    let told = daemon.logged("outcome=");
    assert!(told.contains("/p/4"), "the only one that was signed: {told}");

    configure(folder.path(), &base, &["b"]);
    daemon.signal("-HUP");
    let forms = [asked.recv().expect("the hub is asked"), asked.recv().expect("the hub is asked")];
    let farewell = forms.iter().find(|form| field(form, "hub.mode") == "unsubscribe").expect("it is told goodbye");
    assert_eq!(field(farewell, "hub.callback"), callback);
    daemon.logged("hub asked");
    daemon.logged("hub asked");
    assert_eq!(intent(path, "unsubscribe", &topic), (200, "x<y".to_owned()));
    assert_eq!(ask(&at, "POST", path, &signed(&feed(5)), &feed(5)).0, 410, "it is forgotten");
    daemon.signal("-TERM");
    assert!(daemon.child.wait().expect("it ends").success());

    let store = Store::open_again(&folder.path().join("var/store")).expect("it was closed");
    let state = store.site("a").expect("the store works").feeds.into_values().next().expect("its feed");
    let fetches = store.fetches("a").expect("the store works");
    assert!(fetches.last().is_some_and(|last| last.decision == "told by its hub, 1 entries"), "{fetches:?}");
    assert_eq!(state.window.items, 1, "of what was polled");
}
