//! WebSub (W3C Recommendation of 2018): a feed that names a hub is told of by it, where hubs can reach us.
//!
//! ```text
//! keep     asks the hubs of the configured feeds: subscribe, again in good time, unsubscribe
//! intent   answers a hub that asks whether that was meant
//! deliver  reads what a hub brings, signed as agreed, as a poll would
//! ```
//! A feed is polled as any other until its hub has brought something, and again once a poll finds what the hub did not
//! bring; in between at `at_most`.

use super::{Pipeline, blocking, learn};
use crate::article::Page;
use crate::config::Site;
use crate::fetch::{self, public};
use crate::store::{Hub, Store, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use ring::{hmac, rand};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use tracing::{info, warn};
use url::{Url, form_urlencoded};

/// The lease that is asked for, and the longest that is believed.
const LEASE: TimeDelta = TimeDelta::days(10);
const LONGEST: TimeDelta = TimeDelta::days(30);
/// After a request to a hub that came to nothing; doubles up to 32 times this.
const AGAIN: TimeDelta = TimeDelta::hours(1);
/// A hub that was so often told in vain that we are done finds out by itself.
const FAREWELLS: u32 = 3;

/// What is agreed with a hub on a feed.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Subscription {
    pub site: String,
    pub feed: Url,
    pub hub: Hub,
    pub callback: Url,
    /// When the hub was last asked, and how often in vain since.
    pub asked: Option<DateTime<Utc>>,
    pub tries: u32,
    /// Since when and until when the hub tells us.
    pub lease: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// It brings what is new before a poll finds it.
    pub trusted: bool,
    /// We want it no more.
    pub ending: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Subscribe,
    Unsubscribe,
    Forget,
    Wait,
}

impl Subscription {
    /// What is to be asked of the hub now.
    fn step(&self, now: DateTime<Utc>) -> Step {
        let again = self.asked.is_none_or(|asked| now >= asked + AGAIN * (1 << self.tries.saturating_sub(1).min(5)));
        let live = self.lease.filter(|(_, until)| *until > now);
        match live {
            None if self.ending => Step::Forget,
            _ if self.ending && self.tries >= FAREWELLS => Step::Forget,
            _ if !again => Step::Wait,
            Some(_) if self.ending => Step::Unsubscribe,
            Some((since, until)) if now < since + (until - since) * 3 / 4 => Step::Wait,
            _ => Step::Subscribe,
        }
    }
}

/// Whether the feed's hub can be relied on now.
pub fn is_pushed(store: &Store, site: &Site, feed: &Url, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let Some(key) = key(store)? else { return Ok(false) };
    let known: Option<Subscription> = store.note(&name(&token(&key, &site.id, feed)))?;
    Ok(known.is_some_and(|known| known.trusted && !known.ending && known.lease.is_some_and(|(_, until)| until > now)))
}

/// Whether the hub brought the news first.
pub fn trust(store: &Store, site: &Site, feed: &Url, trusted: bool) -> Result<(), StoreError> {
    let Some(key) = key(store)? else { return Ok(()) };
    let name = name(&token(&key, &site.id, feed));
    match store.note::<Subscription>(&name)? {
        Some(known) if known.trusted != trusted => store.put_note(&name, &Subscription { trusted, ..known }),
        _ => Ok(()),
    }
}

/// Asks the hubs for what is due.
pub async fn keep(pipeline: &Arc<Pipeline>, now: DateTime<Utc>) -> Result<(), StoreError> {
    let planned = pipeline.clone();
    for (token, known) in blocking(move || plan(&planned, now)).await? {
        let step = known.step(now);
        if step == Step::Forget {
            pipeline.store.drop_note(&name(&token))?;
        }
        if matches!(step, Step::Subscribe | Step::Unsubscribe) {
            // first, since the hub may ask back before it answers
            let known = Subscription { asked: Some(now), tries: known.tries.saturating_add(1), ..known };
            pipeline.store.put_note(&name(&token), &known)?;
            ask(pipeline, &token, &known, step).await?;
        }
    }
    Ok(())
}

async fn ask(pipeline: &Pipeline, token: &str, known: &Subscription, step: Step) -> Result<(), StoreError> {
    let Some(key) = key(&pipeline.store)? else { return Ok(()) };
    let mode = if step == Step::Subscribe { "subscribe" } else { "unsubscribe" };
    let (site, hub) = (known.site.as_str(), public(&known.hub.url));
    let form = form(mode, known, &secret(&key, token)).into_bytes();
    match pipeline.fetcher.post(&known.hub.url, "application/x-www-form-urlencoded", form).await {
        Ok(()) => info!(site, %hub, mode, "hub asked"),
        Err(why) => warn!(site, %hub, mode, %why, "hub asked in vain, polling goes on"),
    }
    Ok(())
}

/// 5.1
fn form(mode: &str, known: &Subscription, secret: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("hub.mode", mode).append_pair("hub.topic", known.hub.topic.as_str());
    form.append_pair("hub.callback", known.callback.as_str());
    if mode == "subscribe" {
        form.append_pair("hub.lease_seconds", &LEASE.num_seconds().to_string()).append_pair("hub.secret", secret);
    }
    form.finish()
}

/// All that is agreed or should be, as it is wanted now.
fn plan(pipeline: &Pipeline, now: DateTime<Utc>) -> Result<Vec<(String, Subscription)>, StoreError> {
    let store = &pipeline.store;
    let mut agreed = BTreeMap::new();
    for note in store.notes(NOTES)? {
        let known: Option<Subscription> = store.note(&note)?;
        agreed.extend(known.map(|known| (note[NOTES.len()..].to_owned(), known)));
    }
    let mut all = Vec::new();
    for (token, wanted) in wanted(pipeline)? {
        let known = agreed.remove(&token);
        all.push((token, known.map_or(wanted.clone(), |known| renewed(&known, wanted, now))));
    }
    let ended = |known| Subscription { ending: true, asked: None, tries: 0, ..known };
    all.extend(agreed.into_iter().map(|(token, known)| (token, if known.ending { known } else { ended(known) })));
    Ok(all)
}

/// One for each feed with a hub, where we have an address, and a server that listens there.
fn wanted(pipeline: &Pipeline) -> Result<Vec<(String, Subscription)>, StoreError> {
    let (store, config, mut all) = (&pipeline.store, &pipeline.config, Vec::new());
    let Some(address) = config.websub.address.as_ref().filter(|_| config.status.listen.is_some()) else {
        return Ok(all);
    };
    let mut key = key(store)?;
    for site in &config.sites {
        for (feed, state) in store.site(&site.id)?.feeds {
            let Some(hub) = state.hub.filter(|_| site.feeds.contains(&feed)) else { continue };
            let made = key.map_or_else(|| new_key(store), Ok)?;
            key = Some(made);
            let token = token(&made, &site.id, &feed);
            // an address with a host takes any path
            let Ok(callback) = address.join(&format!("websub/{token}")) else { continue };
            let (site, asked, lease) = (site.id.clone(), None, None);
            let one = Subscription { site, feed, hub, callback, asked, tries: 0, lease, trusted: false, ending: false };
            all.push((token, one));
        }
    }
    Ok(all)
}

/// What is known stays, unless the feed names another hub or we are somewhere else.
fn renewed(known: &Subscription, wanted: Subscription, now: DateTime<Utc>) -> Subscription {
    let same = known.hub == wanted.hub && known.callback == wanted.callback;
    // times further away than they can be are of a clock that was wrong
    let lease = known.lease.filter(|(since, until)| *since <= now && *until - *since <= LONGEST);
    let asked = known.asked.filter(|asked| *asked <= now);
    if same { Subscription { ending: false, lease, asked, ..known.clone() } } else { wanted }
}

/// A hub asks whether its subscriber meant it (5.3): the challenge to send back, or none where it was not meant.
pub fn intent(store: &Store, token: &str, query: &str, now: DateTime<Utc>) -> Result<Option<String>, StoreError> {
    let Some(known) = find(store, token)? else { return Ok(None) };
    let field =
        |name: &str| form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
    if field("hub.topic").as_deref() != Some(known.hub.topic.as_str()) {
        return Ok(None);
    }
    let site = known.site.as_str();
    match field("hub.mode").as_deref() {
        Some("subscribe") if !known.ending => {
            let seconds = field("hub.lease_seconds").and_then(|seconds| seconds.parse().ok());
            let lasts = seconds.and_then(TimeDelta::try_seconds).unwrap_or(LEASE).clamp(TimeDelta::minutes(1), LONGEST);
            info!(site, lease = lasts.num_seconds(), "hub tells of a feed");
            let lease = Some((now, now + lasts));
            store.put_note(&name(token), &Subscription { lease, tries: 0, ..known })?;
        }
        Some("unsubscribe") if known.ending => store.drop_note(&name(token))?,
        Some("denied") => {
            warn!(site, why = field("hub.reason"), "hub refuses, polling goes on");
            store.put_note(&name(token), &Subscription { lease: None, ..known })?;
            return Ok(Some(String::new()));
        }
        _ => return Ok(None),
    }
    Ok(field("hub.challenge"))
}

/// Whether a token is one that a hub was told.
pub fn find(store: &Store, token: &str) -> Result<Option<Subscription>, StoreError> {
    let is_token = token.len() == TOKEN && token.bytes().all(|b| b.is_ascii_hexdigit());
    if is_token { store.note(&name(token)) } else { Ok(None) }
}

/// Read as a poll's body, if it is signed as agreed (7); else it is as if it had not come.
pub async fn deliver(
    pipeline: &Arc<Pipeline>,
    token: &str,
    given: &HeaderMap,
    body: Vec<u8>,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let (Some(known), Some(key)) = (find(&pipeline.store, token)?, key(&pipeline.store)?) else { return Ok(()) };
    let site = pipeline.config.sites.iter().find(|site| site.id == known.site && site.feeds.contains(&known.feed));
    let Some(site) = site.cloned() else { return Ok(()) };
    let signature = given.get("x-hub-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !is_signed(&secret(&key, token), signature, &body) {
        warn!(site = site.id.as_str(), "what came for a feed is not signed by its hub: not read");
        return Ok(());
    }
    let wire = body.len() as u64;
    let body = fetch::opened(body, given, pipeline.config.http.max_body).await?;
    let content_type = given.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let page = Page { url: public(&known.hub.topic), content_type, body };
    learn::pushed(pipeline, &site, &known.feed, page, wire, now).await?;
    // its pages are for the site's walker
    pipeline.wake(&site.id);
    Ok(())
}

/// `METHOD=HEX`; compared in constant time.
fn is_signed(secret: &str, signature: &str, body: &[u8]) -> bool {
    let Some((method, hex)) = signature.split_once('=') else { return false };
    let algorithm = match method {
        // what most hubs still send; as an HMAC it holds
        "sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "sha256" => hmac::HMAC_SHA256,
        "sha384" => hmac::HMAC_SHA384,
        "sha512" => hmac::HMAC_SHA512,
        _ => return false,
    };
    let Ok(tag) = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.trim().as_bytes()) else { return false };
    hmac::verify(&hmac::Key::new(algorithm, secret.as_bytes()), body, &tag).is_ok()
}

/// Of the notes that are subscriptions, before their token.
const NOTES: &str = "websub/";
/// Hexadecimal digits of a token: 160 bits.
const TOKEN: usize = 40;

fn name(token: &str) -> String {
    format!("{NOTES}{token}")
}

/// Made by chance once; tokens and secrets are made of it.
type Key = [u8; 32];

fn key(store: &Store) -> Result<Option<Key>, StoreError> {
    store.note("websub key")
}

fn new_key(store: &Store) -> Result<Key, StoreError> {
    let made: rand::Random<Key> =
        rand::generate(&rand::SystemRandom::new()).map_err(|_| StoreError::Io("no random numbers".to_owned()))?;
    let key = made.expose();
    store.put_note("websub key", &key)?;
    Ok(key)
}

/// The same for a feed for ever, and not to be guessed.
fn token(key: &Key, site: &str, feed: &Url) -> String {
    blake3::keyed_hash(key, format!("{site} {feed}").as_bytes()).to_hex()[..TOKEN].to_owned()
}

fn secret(key: &Key, token: &str) -> String {
    blake3::keyed_hash(key, format!("secret of {token}").as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        "2026-03-10T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hours)
    }

    fn agreed() -> Subscription {
        let url = |text: &str| Url::parse(text).unwrap();
        Subscription {
            site: "a".to_owned(),
            feed: url("http://a.vn/rss"),
            hub: Hub { url: url("https://h.vn/"), topic: url("http://a.vn/rss") },
            callback: url("https://we.vn/websub/0"),
            asked: Some(at(0)),
            tries: 0,
            lease: Some((at(0), at(100))),
            trusted: true,
            ending: false,
        }
    }

    #[test]
    fn a_lease_is_renewed_in_good_time_and_a_hub_is_not_pressed() {
        let none = Subscription { lease: None, tries: 1, ..agreed() };
        let ending = Subscription { ending: true, asked: None, ..agreed() };
        let table = [
            (Subscription { asked: None, ..none.clone() }, 0, Step::Subscribe),
            (none.clone(), 0, Step::Wait),
            (none.clone(), 1, Step::Subscribe),
            (Subscription { tries: 4, ..none.clone() }, 7, Step::Wait),
            (Subscription { tries: 4, ..none }, 8, Step::Subscribe),
            (agreed(), 74, Step::Wait),
            (agreed(), 75, Step::Subscribe),
            (Subscription { asked: Some(at(75)), tries: 1, ..agreed() }, 75, Step::Wait),
            (ending.clone(), 1, Step::Unsubscribe),
            (Subscription { tries: 3, ..ending.clone() }, 1, Step::Forget),
            (ending, 100, Step::Forget),
        ];
        for (known, hour, step) in table {
            assert_eq!(known.step(at(hour)), step, "{hour} {known:?}");
        }
    }

    #[test]
    fn another_hub_is_asked_anew_and_a_clock_that_was_wrong_is_not_believed() {
        let wanted = Subscription { asked: None, lease: None, trusted: false, ..agreed() };
        assert_eq!(renewed(&agreed(), wanted.clone(), at(1)), agreed());
        let moved = Subscription { callback: Url::parse("https://we.vn/websub/1").unwrap(), ..wanted.clone() };
        assert_eq!(renewed(&agreed(), moved.clone(), at(1)), moved);
        let wrong = renewed(&agreed(), wanted, at(-1));
        assert_eq!((wrong.lease, wrong.asked), (None, None));
    }

    /// RFC 4231 (test case 2), RFC 2202 (test case 2).
    #[test]
    fn a_body_is_believed_by_its_signature_alone() {
        let (key, body) = ("Jefe", b"what do ya want for nothing?");
        let sha256 = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert!(is_signed(key, sha256, body));
        assert!(is_signed(key, &sha256.replace("5bdcc", "5BDCC"), body));
        assert!(is_signed(key, "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", body));
        for wrong in [&sha256[..40], "", "sha256=", "md5=750c783e6ab0b503eaa86e310a5db738", &sha256.replace('5', "6")] {
            assert!(!is_signed(key, wrong, body), "{wrong}");
        }
        assert!(!is_signed("jefe", sha256, body) && !is_signed(key, sha256, b"what"));
    }
}
