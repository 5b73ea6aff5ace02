//! What is known of hosts: which want to be left alone, and what their robots.txt says.

use crate::fetch::Robots;
use crate::store::{Result, Store, record};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Of a key that is an origin's robots.txt.
pub(super) const ROBOTS: &[u8] = b"robots\0";

/// Rules that nobody asked for so long go.
const FORGET_AFTER: TimeDelta = TimeDelta::days(30);

/// robots.txt as it was answered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Rules {
    pub at: DateTime<Utc>,
    /// None: the server has a fault, so that nothing may be fetched.
    pub robots: Option<Robots>,
    /// Since when it has had that fault.
    #[serde(default)]
    pub since: Option<DateTime<Utc>>,
}

impl Store {
    /// What is over goes.
    pub fn hold(&self, host: &str, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
        let parts = record::pack_light(&until)?;
        let mut over = Vec::new();
        for key in self.walk(self.trees.hosts.iter().keys()) {
            let key = key?;
            let known = if key.starts_with(ROBOTS) { None } else { self.get("hosts", &self.trees.hosts, &key)? };
            over.extend(known.filter(|until: &DateTime<Utc>| *until <= now).map(|_| key));
        }
        let _one = self.write();
        self.transaction(|trees| {
            over.iter().try_for_each(|key| record::remove(&trees.hosts, key))?;
            record::put(&trees.hosts, host.as_bytes(), &parts)
        })
    }

    /// The hosts that want to be left alone, and until when. What is over goes, and old rules.
    pub fn holds(&self, now: DateTime<Utc>) -> Result<Vec<(String, DateTime<Utc>)>> {
        let (mut holds, mut over) = (Vec::new(), Vec::new());
        for key in self.walk(self.trees.hosts.iter().keys()) {
            let key = key?;
            if key.starts_with(ROBOTS) {
                let head = !key[ROBOTS.len()..].contains(&0);
                let rules: Option<Rules> = if head { self.get("hosts", &self.trees.hosts, &key)? } else { None };
                over.extend(rules.filter(|rules| now - rules.at > FORGET_AFTER).map(|_| key));
                continue;
            }
            let until: Option<DateTime<Utc>> = self.get("hosts", &self.trees.hosts, &key)?;
            match until.filter(|until| *until > now) {
                Some(until) => holds.push((String::from_utf8_lossy(&key).into_owned(), until)),
                None => over.push(key),
            }
        }
        let _one = self.write();
        self.transaction(|trees| over.iter().try_for_each(|key| record::remove(&trees.hosts, key)))?;
        Ok(holds)
    }

    /// What an origin's robots.txt said.
    pub fn rules(&self, origin: &str) -> Result<Option<Rules>> {
        self.get("hosts", &self.trees.hosts, &robots_key(origin))
    }

    pub fn put_rules(&self, origin: &str, rules: &Rules) -> Result<()> {
        let parts = record::pack_light(rules)?;
        let _one = self.write();
        self.transaction(|trees| record::put(&trees.hosts, &robots_key(origin), &parts))
    }
}

fn robots_key(origin: &str) -> Vec<u8> {
    [ROBOTS, origin.as_bytes()].concat()
}
