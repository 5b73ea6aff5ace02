//! `diemtin run`: what systemd and an operator see.

use crate::command;
use crate::house::House;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};
use std::time::{Duration, Instant};

/// A running daemon, its log, and the socket on which it tells systemd.
pub struct Daemon {
    pub child: Child,
    log: BufReader<ChildStderr>,
    notify: UnixDatagram,
}

impl Daemon {
    pub fn start(folder: &Path, environment: &[(&str, &str)]) -> Daemon {
        let socket = folder.join("notify");
        let notify = UnixDatagram::bind(&socket).expect("a socket");
        notify.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        let mut child = command(folder, &["run"])
            .env("NOTIFY_SOCKET", &socket)
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        Daemon { child, log, notify }
    }

    /// The next message to systemd that contains a word.
    pub fn told(&self, word: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            let length =
                self.notify.recv(&mut buffer).unwrap_or_else(|why| panic!("systemd was not told {word}: {why}"));
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if message.contains(word) {
                return message;
            }
        }
    }

    /// The next line of the log that contains a word.
    pub fn logged(&mut self, word: &str) -> String {
        let mut line = String::new();
        while self.log.read_line(&mut line).expect("a readable log") > 0 {
            if line.contains(word) {
                return line;
            }
            line.clear();
        }
        panic!("the log ended without {word}");
    }

    pub fn signal(&self, name: &str) {
        // The shell's own: a bare machine has no kill program.
        let kill = format!("kill {name} {}", self.child.id());
        let sent = std::process::Command::new("sh").args(["-c", &kill]).status().expect("a shell");
        assert!(sent.success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn it_tells_systemd_reloads_and_stops_within_five_seconds() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    let config = house.config(folder.path(), &["longan"]);
    let right = std::fs::read_to_string(&config).expect("a configuration");
    let mut daemon = Daemon::start(folder.path(), &[]);
    assert!(daemon.told("READY=1").contains("STATUS="));
    daemon.logged("feed read");

    std::fs::write(&config, right.replace("[[site]]", "[[sight]]")).expect("writable");
    daemon.signal("-HUP");
    assert!(daemon.told("RELOADING=1").contains("MONOTONIC_USEC="));
    daemon.told("READY=1");
    assert!(daemon.logged("the old one stays").contains("sight"));

    house.config(folder.path(), &["sonla"]);
    daemon.signal("-HUP");
    daemon.told("RELOADING=1");
    daemon.told("READY=1");
    daemon.logged("configuration reloaded");
    assert!(daemon.logged("feed read").contains("sonla"));
    // What was under way to the removed site has ended by now.
    house.seen();
    daemon.logged("article");
    assert!(house.seen().iter().all(|seen| seen.site == "sonla"), "a removed site is left alone");

    let asked = Instant::now();
    daemon.signal("-TERM");
    daemon.told("STOPPING=1");
    let status = daemon.child.wait().expect("it ends");
    assert!(status.success(), "{status}");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}

#[test]
fn the_watchdog_is_fed() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &["longan"]);
    let daemon = Daemon::start(folder.path(), &[("WATCHDOG_USEC", "600000")]);
    daemon.told("WATCHDOG=1");
    daemon.told("WATCHDOG=1");
}
