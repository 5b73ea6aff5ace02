//! What a running daemon says of the store that it holds, over its status pages.

use crate::config::Config;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(20);
/// Bytes of an answer.
const LONGEST: u64 = 256 << 20;

#[derive(Deserialize)]
struct Told<T> {
    store: PathBuf,
    said: T,
}

/// Where this machine finds the status pages; none where there are none, or at a port that the system chose.
pub fn address(config: &Config) -> Option<SocketAddr> {
    let mut at = config.status.listen.filter(|at| at.port() != 0)?;
    if at.ip().is_unspecified() {
        at.set_ip(if at.is_ipv4() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { IpAddr::V6(Ipv6Addr::LOCALHOST) });
    }
    Some(at)
}

/// What the daemon of this store says at a path, or why it says nothing.
pub fn ask<T: DeserializeOwned>(config: &Config, path: &str) -> Result<T, String> {
    let at = address(config).ok_or("its status pages are turned off ([status] listen)")?;
    let no = |why: String| format!("its status pages on http://{at}/ do not answer: {why}");
    let answer = get(at, path).map_err(|why| no(why.to_string()))?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| no("that is no HTTP".to_owned()))?;
    // an answer without a first line is none of ours, as below
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(no(format!("{status}: {}", super::harmless(body))));
    }
    let told: Told<T> = serde_json::from_str(body).map_err(|why| no(why.to_string()))?;
    let same = |one: &PathBuf| one.canonicalize().unwrap_or(one.clone());
    if same(&told.store) != same(&config.store.path) {
        return Err(format!("http://{at}/ is another daemon's, of the store {}", told.store.display()));
    }
    Ok(told.said)
}

fn get(at: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&at, CONNECT)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.set_write_timeout(Some(ANSWER))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer)?;
    Ok(answer)
}
