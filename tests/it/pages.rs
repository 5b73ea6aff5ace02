//! The status pages, as a browser and as a program that watches meet them.

use crate::daemon::Daemon;
use crate::house::{House, Reply};
use crate::{command, stderr, stdout};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

/// A daemon with pages, and where they are.
struct Served {
    daemon: Daemon,
    at: String,
}

/// What was answered.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Served {
    /// Once the export folder has what the site brought.
    fn start(folder: &Path) -> Served {
        let mut daemon = Daemon::start(folder, &[]);
        let line = daemon.logged("status pages on");
        let at = line.split("http://").nth(1).expect("an address").trim_end().trim_end_matches('/').to_owned();
        daemon.told("READY=1");
        Served { daemon, at }
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &self.at)
    }

    fn ask(&self, method: &str, path: &str, host: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.at).expect("it listens");
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("it answers in UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// Every entry of the site is settled.
    fn settle(&mut self, pages: usize) {
        (0..pages).for_each(|_| drop(self.daemon.logged("outcome=")));
    }
}

const PAGES: [&str; 6] = ["/", "/sites", "/sites/hungyen", "/articles", "/articles?q=dan+van+kheo", "/nothing"];

#[test]
fn every_page_is_served_in_both_languages_with_nothing_from_elsewhere() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    let config = house.config(folder.path(), &["hungyen"]);
    let text = fs::read_to_string(&config).expect("a configuration");
    fs::write(&config, text.replacen("feeds =", "headers = { X-Key = \"verysecret\" }\nfeeds =", 1)).expect("writable");
    let mut served = Served::start(folder.path());
    served.settle(house.place("hungyen").pages().len());
    for prefix in ["", "/en"] {
        for page in PAGES {
            let path = format!("{prefix}{}", if page == "/" && !prefix.is_empty() { "" } else { page });
            let answer = served.get(&path);
            assert_eq!(answer.status, if page == "/nothing" { 404 } else { 200 }, "{path}");
            assert!(answer.head.contains("content-security-policy: default-src 'none'"), "{}", answer.head);
            assert!(answer.head.contains("cache-control: no-store"), "{}", answer.head);
            let language = if prefix.is_empty() { "<html lang=\"vi\">" } else { "<html lang=\"en\">" };
            assert!(answer.body.contains(language), "{path}");
            for never in ["<script", " style=", "onclick", "verysecret", "<img", "<iframe"] {
                assert!(!answer.body.contains(never), "{never} in {path}");
            }
        }
    }
    let style = served.get("/style.css");
    assert!(style.head.contains("text/css") && !style.body.contains("url("), "{}", style.head);
}

#[test]
fn a_search_finds_without_tones_and_leads_to_the_article_and_what_was_stripped() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &["hungyen"]);
    let mut served = Served::start(folder.path());
    served.settle(house.place("hungyen").pages().len());
    let found = served.get("/articles?q=dan+van+kheo&province=hung-yen").body;
    let id = found.split("/articles/").nth(1).and_then(|rest| rest.get(..26)).expect("an article is found");
    let article = served.get(&format!("/articles/{id}"));
    assert_eq!(article.status, 200);
    for part in ["<del>", "dan-van", "Bỏ đi", "Vì sao được chọn", "rel=\"noreferrer"] {
        assert!(article.body.contains(part), "{part} is not in\n{}", article.body);
    }
    let nothing = served.get("/articles?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E&province=%22%3E").body;
    assert!(nothing.contains("value=\"&lt;script&gt;") && !nothing.contains("<script"), "{nothing}");
    assert!(!nothing.contains("/articles/"), "{nothing}");
    assert!(served.get("/en/articles?q=dan+van+kheo&day=1999-01-01").body.contains("0 articles"));
    for path in ["/articles/aaaaaaaaaaaaaaaaaaaaaaaaaa", "/articles/..", "/sites/none", "/en/articles/x"] {
        assert_eq!(served.get(path).status, 404, "{path}");
    }
}

#[test]
fn only_its_own_names_are_answered_and_nothing_can_be_changed() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &["longan"]);
    let served = Served::start(folder.path());
    for path in ["/", "/metrics", "/healthz"] {
        assert_eq!(served.ask("GET", path, "evil.example").status, 421, "{path}");
        assert_eq!(served.ask("GET", path, "localhost:1").status, 200, "{path}");
        let head = served.ask("HEAD", path, &served.at);
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let refused = served.ask(method, path, &served.at);
            assert!(refused.status == 405 && refused.head.contains("allow: get, head"), "{method} {path}");
        }
    }
}

#[test]
fn a_program_that_watches_is_told_what_fails() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &["longan", "sonla"]);
    house.script("longan", &house.place("longan").feed.clone(), &[Reply::Status(500, "")]);
    let mut served = Served::start(folder.path());
    served.daemon.logged("sites answered");
    assert_eq!(served.get("/healthz").body, "ok\n");
    assert_eq!(served.get("/readyz").body, "ready\n");
    let metrics = served.get("/metrics");
    assert!(metrics.head.contains("version=0.0.4"), "{}", metrics.head);
    for line in [
        "diemtin_ready 1",
        "diemtin_sites{state=\"failing\"} 1",
        "diemtin_site_failures{site=\"longan\"} 1",
        "diemtin_site_failures{site=\"sonla\"} 0",
        "diemtin_feeds_asked_total{result=\"failed\"} 1",
        "diemtin_feeds_asked_total{result=\"read\"} 1",
        "diemtin_round_duration_seconds_bucket{le=\"+Inf\"} 2",
    ] {
        assert!(metrics.body.lines().any(|l| l == line), "{line} is not in\n{}", metrics.body);
    }
    for line in metrics.body.lines().filter(|line| !line.starts_with('#')) {
        let value = line.rsplit(' ').next().expect("a value");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    let overview = served.get("/en").body;
    assert!(
        overview.contains("Sites with a feed that cannot be read: <strong>1</strong>") && overview.contains("HTTP 500")
    );
}

#[test]
fn a_port_that_is_taken_is_said_and_all_else_goes_on() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("an address").to_string();
    let config = house.config(folder.path(), &["longan"]);
    let text = fs::read_to_string(&config).expect("a configuration");
    fs::write(&config, text.replace("127.0.0.1:0", &at)).expect("writable");
    let mut daemon = Daemon::start(folder.path(), &[]);
    assert!(daemon.logged("no status pages").contains(&at));
    daemon.logged("feed read");
    // another address is taken up by a reload
    fs::write(&config, text).expect("writable");
    daemon.signal("-HUP");
    daemon.logged("status pages on");
}

/// While the daemon holds the store it answers for it.
#[test]
fn commands_ask_the_daemon_what_the_store_knows() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &["longan"]);
    let place = house.place("longan");
    let pages = place.pages();
    let gone = &pages[0].0;
    house.script("longan", gone, &[Reply::Status(410, "")]);
    let mut served = Served::start(folder.path());
    served.settle(pages.len());
    let ask = |arguments: &[&str]| {
        let output = command(folder.path(), arguments).env("DIEMTIN_STATUS_LISTEN", &served.at).output();
        output.expect("the binary starts")
    };
    let site = ask(&["sites", "longan"]);
    let said = stdout(&site);
    assert!(site.status.success(), "{}", stderr(&site));
    assert!(said.contains("pages given up: 1\n") && said.contains("HTTP 410"), "{said}");
    assert!(said.lines().filter(|line| line.contains(" ms  next ")).count() >= pages.len(), "{said}");
    // the daemon gave that page up; now it would be there
    let explained = stdout(&ask(&["explain", &format!("{}{gone}", place.base)]));
    for part in ["as the running daemon says", "given up at", "pages of the site", "its feed"] {
        assert!(explained.contains(part), "{part} is not in:\n{explained}");
    }
    let stats = ask(&["store", "stats"]);
    assert_eq!(stats.status.code(), Some(69));
    assert!(stderr(&stats).contains("stop the daemon first") && stderr(&stats).contains("/metrics"));
    // another daemon's word is not this store's
    let elsewhere = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string(folder.path().join("config.toml")).expect("a configuration");
    fs::write(elsewhere.path().join("config.toml"), text).expect("writable");
    let _held = diemtin::store::Store::open(&elsewhere.path().join("var/store")).expect("a new store opens");
    let other = command(elsewhere.path(), &["explain", &format!("{}{gone}", place.base)])
        .env("DIEMTIN_STATUS_LISTEN", &served.at)
        .output()
        .expect("the binary starts");
    assert!(stdout(&other).contains("another daemon's"), "{}", stdout(&other));
}
