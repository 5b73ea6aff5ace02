//! Which addresses may be asked at all: a feed or a page must not turn the daemon against its own network.
//!
//! Names are checked when they are resolved, and what was checked is what is dialled; addresses written as such never
//! come to a resolver and are checked in each URL, the first and every redirect.

use super::FetchError;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::HashMap;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use url::{Host, Url};

/// The networks that may be asked although they are blocked elsewhere, as address and length of the prefix.
#[derive(Clone, Debug)]
pub struct Guard {
    open: Vec<(IpAddr, u32)>,
    /// Names looked up a moment ago, so that what is asked in turn is what is dialled.
    found: Arc<Mutex<HashMap<String, Found>>>,
}

/// When a name was looked up, and what was found.
type Found = (Instant, Vec<SocketAddr>);

/// How long what was found for a name is used.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Names remembered before the old ones are dropped.
const MANY: usize = 4096;

impl Guard {
    pub fn new(allow_private: bool) -> Guard {
        let all = vec![(Ipv4Addr::UNSPECIFIED.into(), 0), (Ipv6Addr::UNSPECIFIED.into(), 0)];
        Guard { open: if allow_private { all } else { Vec::new() }, found: Arc::default() }
    }

    /// Only http and https, no blocked address.
    pub fn check(&self, url: &Url) -> Result<(), FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::Refused(format!("`{}:` cannot be fetched, only http and https", url.scheme())));
        }
        let literal = match url.host() {
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
            _ => return Ok(()),
        };
        self.refused(literal).map_or(Ok(()), |kind| Err(FetchError::Refused(format!("{literal} is {kind}"))))
    }

    /// The address that stands for the machine behind a name: hosts that share it take turns. None where the name is an
    /// address itself, or is not found.
    pub async fn machine(&self, url: &Url) -> Option<IpAddr> {
        let Some(Host::Domain(name)) = url.host() else { return None };
        // the request itself will say why
        let found = self.look_up(name).await.ok()?;
        found.iter().map(SocketAddr::ip).filter(|ip| self.refused(*ip).is_none()).min()
    }

    /// For tests: what a name server would say.
    #[cfg(test)]
    pub fn know(&self, name: &str, address: SocketAddr) {
        let found = vec![SocketAddr::new(address.ip(), 0)];
        self.found.lock().unwrap().insert(name.to_owned(), (Instant::now(), found));
    }

    async fn look_up(&self, name: &str) -> std::io::Result<Vec<SocketAddr>> {
        let known = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some((_, found)) = known.filter(|(at, _)| at.elapsed() < REMEMBERED) {
            return Ok(found);
        }
        let found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
        // what a panicking thread left behind is a whole map
        let mut all = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MANY {
            all.retain(|_, (at, _)| at.elapsed() < REMEMBERED);
        }
        all.insert(name.to_owned(), (Instant::now(), found.clone()));
        Ok(found)
    }

    /// What kind of address it is, if it must not be asked.
    fn refused(&self, ip: IpAddr) -> Option<&'static str> {
        blocked(ip).filter(|_| !self.open.iter().any(|network| within(ip, *network)))
    }

    /// Of the addresses of a name those that may be dialled.
    fn allowed(&self, name: &str, found: Vec<SocketAddr>) -> Result<Addrs, Unresolved> {
        let (good, bad): (Vec<_>, Vec<_>) = found.into_iter().partition(|a| self.refused(a.ip()).is_none());
        match bad.first().and_then(|a| Some((a.ip(), blocked(a.ip())?))) {
            Some((ip, kind)) if good.is_empty() => Err(Unresolved::Blocked(format!("{name} is {ip}, {kind}"))),
            _ => Ok(Box::new(good.into_iter())),
        }
    }
}

fn within(ip: IpAddr, (network, prefix): (IpAddr, u32)) -> bool {
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(net)) => (ip.to_bits() ^ net.to_bits()).leading_zeros() >= prefix,
        (IpAddr::V6(ip), IpAddr::V6(net)) => (ip.to_bits() ^ net.to_bits()).leading_zeros() >= prefix,
        _ => false,
    }
}

/// Resolves by the system.
impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = guard.look_up(name.as_str()).await.map_err(|e| unknown(name.as_str(), &e))?;
            Ok(guard.allowed(name.as_str(), found)?)
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Unresolved {
    #[error("{0}")]
    Blocked(String),
    #[error("{0}")]
    Unknown(String),
}

/// getaddrinfo tells its errors apart only by their text.
fn unknown(name: &str, error: &std::io::Error) -> Box<dyn Error + Send + Sync> {
    let text = error.to_string();
    let says = match text.as_str() {
        t if t.contains("Temporary failure") => format!("the name server does not answer (asked for {name})"),
        t if t.contains("not known") || t.contains("No address") => format!("the host name {name} does not exist"),
        _ => format!("the host name {name} cannot be looked up: {text}"),
    };
    Box::new(Unresolved::Unknown(says))
}

/// What kind of address it is, if none that a public site can have (IANA special-purpose registries, RFC 6890).
pub fn blocked(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => blocked_v4(ip),
        IpAddr::V6(ip) => blocked_v6(ip),
    }
}

fn blocked_v4(ip: Ipv4Addr) -> Option<&'static str> {
    match ip.octets() {
        [0, ..] => Some("an unspecified address"),
        [127, ..] => Some("a loopback address: this machine itself"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some("a private address"),
        [169, 254, ..] => Some("a link-local address"),
        [100, 64..=127, ..] => Some("a shared address (CGNAT)"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some("an address for documentation"),
        [192, 0, 0, _] | [192, 88, 99, _] | [198, 18..=19, ..] | [240..=255, ..] => Some("a reserved address"),
        [224..=239, ..] => Some("a multicast address"),
        _ => None,
    }
}

fn blocked_v6(ip: Ipv6Addr) -> Option<&'static str> {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("an unspecified address"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("a loopback address: this machine itself"),
        // mapped, NAT64 (RFC 6052), 6to4 (RFC 3056): as good as the IPv4 address within
        [0, 0, 0, 0, 0, 0xffff, a, b] | [0x64, 0xff9b, 0, 0, 0, 0, a, b] | [0x2002, a, b, ..] => blocked_v4(v4(a, b)),
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] | [0x64, 0xff9b, 1, ..] => Some("a private address"),
        [0xff00..=0xffff, ..] => Some("a multicast address"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some("an address for documentation"),
        // protocol assignments, Teredo, benchmarks; all that is not global unicast, IPv4-compatible ones too
        [0x2001, 0..=0x1ff, ..] | [0..=0x1fff, ..] | [0x4000..=0xffff, ..] => Some("a reserved address"),
        _ => None,
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
pub mod tests {
    use super::{Guard, Unresolved, blocked};
    use std::net::{IpAddr, SocketAddr};
    use url::Url;

    /// tests/addresses.tsv: an address or a URL, and whether it may be fetched.
    #[test]
    fn addresses_are_allowed_or_blocked_as_the_table_says() {
        let rows = include_str!("../../tests/addresses.tsv").lines().filter(|row| !row.starts_with('#'));
        let mut wrong = Vec::new();
        for row in rows {
            let (address, expected) = row.split_once('\t').unwrap();
            let url = match address.parse::<IpAddr>() {
                Ok(IpAddr::V6(ip)) => format!("http://[{ip}]/"),
                Ok(IpAddr::V4(ip)) => format!("https://{ip}/"),
                Err(_) => address.to_owned(),
            };
            // an address that cannot be read is not fetched either
            let allowed = Url::parse(&url).is_ok_and(|url| Guard::new(false).check(&url).is_ok());
            if allowed != (expected == "allowed") {
                wrong.push(row);
            }
        }
        assert!(wrong.is_empty(), "not so: {wrong:#?}");
    }

    #[test]
    fn private_addresses_can_be_opened_and_other_schemes_cannot() {
        assert!(Guard::new(true).check(&Url::parse("http://[::1]/").unwrap()).is_ok());
        assert!(Guard::new(true).check(&Url::parse("ftp://example.vn/").unwrap()).is_err());
    }

    #[test]
    fn of_a_name_only_what_is_allowed_is_dialled() {
        let addresses = |list: &[&str]| list.iter().map(|a| a.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let mixed = addresses(&["10.0.0.1:0", "113.160.1.1:0"]);
        let dialled: Vec<_> = Guard::new(false).allowed("a", mixed).ok().unwrap().collect();
        assert_eq!(dialled, addresses(&["113.160.1.1:0"]));
        let refused = Guard::new(false).allowed("a", addresses(&["10.0.0.1:0"])).err().unwrap();
        assert!(matches!(refused, Unresolved::Blocked(says) if says == "a is 10.0.0.1, a private address"));
        assert_eq!(Guard::new(true).allowed("a", addresses(&["10.0.0.1:0"])).ok().unwrap().count(), 1);
    }

    #[test]
    fn one_network_can_be_opened_alone() {
        let guard = Guard {
            open: vec![("127.1.0.0".parse().unwrap(), 16), ("fd00::".parse().unwrap(), 8)],
            ..Guard::new(false)
        };
        let open = |ip: &str| guard.refused(ip.parse().unwrap()).is_none();
        assert!(open("127.1.255.1") && open("fd12::1"));
        assert!(!open("127.0.0.1") && !open("127.2.0.1") && !open("fc00::1"));
        assert_eq!(blocked("fd00::1".parse().unwrap()), Some("a private address"));
    }

    /// For tests that ask a server on this address alone.
    pub fn only(open: &str) -> Guard {
        Guard { open: vec![(open.parse().unwrap(), 32)], ..Guard::new(false) }
    }
}
