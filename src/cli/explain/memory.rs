//! What is remembered of a page and of its site: in the store, or as the daemon that holds it says.

use crate::article::Id;
use crate::cli::{held, need_own_store};
use crate::config::{Config, Site};
use crate::poll::{self, Examined, Known, Told};
use crate::status::Remembered;
use crate::store::{Mark, Store, StoreError};

pub struct Memory {
    /// Or why nothing is.
    said: Result<Remembered, String>,
    /// None where a daemon holds it.
    store: Option<Store>,
}

/// What the store knows of the page.
pub enum Asked {
    /// No store was asked, and why.
    Not(String),
    Yes {
        mark: Option<Box<Mark>>,
        kept: Option<u32>,
        twin: Option<(Id, String, f64)>,
        by_daemon: bool,
    },
}

impl Memory {
    pub fn of(config: &Config, site: &Site, id: &Id) -> anyhow::Result<Memory> {
        let path = &config.store.path;
        if !path.exists() {
            return Ok(Memory { said: Err(format!("there is no store yet at {}", path.display())), store: None });
        }
        let why = match need_own_store(config) {
            Err(why) => why.to_string(),
            Ok(()) => match Store::open(path) {
                Ok(store) => {
                    let said = Ok(Remembered::of(config, &store, &site.id, id)?);
                    return Ok(Memory { said, store: Some(store) });
                }
                Err(StoreError::Held(_)) => "a running daemon holds the store".to_owned(),
                Err(other) => return Err(other.into()),
            },
        };
        let of_site = if site.id.is_empty() { "-" } else { &site.id };
        let said = held::ask(config, &format!("/json/remembered/{of_site}/{id}"));
        Ok(Memory { said: said.map_err(|no| format!("{why}; {no}")), store: None })
    }

    pub fn mark(&self) -> Option<&Mark> {
        self.said.as_ref().ok()?.mark.as_ref()
    }

    /// What is known of the site, and how much that is, in words.
    pub fn taught(&self) -> (Known, String) {
        let said = match &self.said {
            Ok(said) => said,
            Err(why) => return (Known::default(), format!("not used: {why}")),
        };
        let pages = said.lessons.learned.pages();
        let words = match said.lessons.learned.is_ready() {
            true => format!("from {pages} pages of the site"),
            false => format!("too little yet: {pages} pages of the site were seen"),
        };
        (Known::from(said.lessons.clone(), said.drift.clone()), words)
    }

    pub fn asked(self, id: &Id, examined: &Examined) -> anyhow::Result<Asked> {
        let Remembered { mark, rev, .. } = match self.said {
            Ok(said) => said,
            Err(why) => return Ok(Asked::Not(why)),
        };
        let twin = self.store.as_ref().map(|store| twin(store, id, examined)).transpose()?.flatten();
        Ok(Asked::Yes { mark: mark.map(Box::new), kept: rev, twin, by_daemon: self.store.is_none() })
    }
}

/// Another article that the page is a copy of.
fn twin(store: &Store, id: &Id, examined: &Examined) -> anyhow::Result<Option<(Id, String, f64)>> {
    let twin = match poll::twin(store, &poll::index(store)?, examined.print())? {
        Some((Told::Kept(article), twin)) => Some((article.id, article.title, twin.similarity)),
        _ => None,
    };
    Ok(twin.filter(|(twin, ..)| twin != id))
}
