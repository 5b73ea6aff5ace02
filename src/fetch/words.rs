//! Failures in the words of the people who read them.

use super::FetchError;
use super::client::Client;
use super::guard::Unresolved;
use rustls::{AlertDescription, CertificateError};
use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;
use url::Url;

/// Why no answer came, or not all of it.
pub fn failure(error: &reqwest::Error, client: &Client) -> FetchError {
    let causes = causes(error);
    let network = |says: &str| FetchError::Network(says.to_owned());
    for cause in &causes {
        match cause.downcast_ref::<Unresolved>() {
            Some(Unresolved::Blocked(says)) => return FetchError::Refused(says.clone()),
            Some(Unresolved::Unknown(says)) => return network(says),
            None => {}
        }
        if let Some(error) = cause.downcast_ref::<rustls::Error>() {
            return FetchError::Network(tls(error, client));
        }
    }
    if error.is_timeout() {
        return network(if error.is_connect() {
            "the server cannot be reached in time"
        } else {
            "the server fell silent"
        });
    }
    let mut io = causes.iter().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    match io.rfind(|io| io.raw_os_error().is_some()) {
        Some(io) => FetchError::Network(connection(io)),
        None => FetchError::Network(other(error, &causes)),
    }
}

/// The error and what caused it, outermost first. An `io::Error` hides the one that it wraps.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut causes = vec![error];
    let mut last = error;
    while let Some(next) = within(last) {
        causes.push(next);
        last = next;
    }
    causes
}

fn within<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

fn tls(error: &rustls::Error, client: &Client) -> String {
    use CertificateError::*;
    let old = "the server speaks only an old TLS: tls = \"legacy\" may help";
    match error {
        rustls::Error::InvalidCertificate(_) if client.rootless => {
            "this machine has no list of trusted certificate authorities: install ca-certificates".to_owned()
        }
        rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. }) => {
            "the server's certificate is not trusted: it has expired".to_owned()
        }
        rustls::Error::InvalidCertificate(NotValidYet | NotValidYetContext { .. }) => {
            "the server's certificate is not trusted: it is not valid yet".to_owned()
        }
        rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "the server's certificate is not trusted: it is for another host".to_owned()
        }
        rustls::Error::InvalidCertificate(UnknownIssuer) => {
            "the server's certificate is not trusted: its issuer is unknown here (ca_file adds one)".to_owned()
        }
        rustls::Error::InvalidCertificate(why) => format!("the server's certificate is not trusted: {why}"),
        rustls::Error::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion)
        | rustls::Error::PeerIncompatible(_) => old.to_owned(),
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS at this port".to_owned(),
        other => format!("no secure connection: {other}"),
    }
}

fn connection(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "the server refuses connections".to_owned(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "the server broke off the connection".to_owned(),
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
            "there is no way to the server from this network".to_owned()
        }
        ErrorKind::TimedOut => "the server cannot be reached in time".to_owned(),
        _ => format!("the connection failed: {error}"),
    }
}

fn other(error: &reqwest::Error, causes: &[&(dyn Error + 'static)]) -> String {
    let innermost = causes.last().map_or_else(|| error.to_string(), |cause| cause.to_string());
    let what = match error {
        // OpenSSL's words, with old TLS
        _ if innermost.contains("certificate") => "the server's certificate is not trusted",
        e if e.is_decode() => "the answer is damaged or broke off",
        e if e.is_body() => "the answer broke off",
        e if e.is_connect() => "no connection",
        _ => "no proper answer",
    };
    format!("{what}: {innermost}")
}

pub fn too_slow(timeout: Duration) -> FetchError {
    FetchError::Network(format!("no whole answer within {}", humantime::format_duration(timeout)))
}

/// An address without the password that it may hold: what is shown, and the base of a page's links.
pub fn public(url: &Url) -> Url {
    let mut public = url.clone();
    // these fail for addresses without a host alone, which hold none
    public.set_username("").and_then(|()| public.set_password(None)).unwrap_or(());
    public
}

/// The client itself could not be made.
pub fn setup(error: &reqwest::Error) -> FetchError {
    let innermost = causes(error).last().map_or_else(|| error.to_string(), |cause| cause.to_string());
    FetchError::Network(format!("no HTTPS on this machine: {innermost}"))
}

pub fn status(status: u16) -> &'static str {
    match status {
        401 | 407 => "it asks for a password",
        403 => "the server does not want us",
        304 => "unchanged, though nobody asked",
        300..=399 => "a redirect that cannot be followed",
        200..=299 => "not a whole page",
        500..=599 => "the server has a fault",
        _ => "not an answer we know",
    }
}
