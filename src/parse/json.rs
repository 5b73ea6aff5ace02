//! JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/).

mod member;

use super::text::{escape, plain};
use super::{Draft, ITEMS, Item, ParseError, Repairs, Room};
use member::{Member, Text};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use url::Url;

/// What was read before the end or the damage.
#[derive(Default)]
struct Parts {
    version: String,
    title: Option<String>,
    items: Option<Vec<Draft>>,
    more: bool,
}

/// Format, title, items with their dates as written. Where the text breaks off, the items before that.
pub fn read(text: &str, url: Option<&Url>, repairs: &mut Repairs) -> Result<super::Read, ParseError> {
    let mut parts = Parts::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let done = (Members { parts: &mut parts, url }).deserialize(&mut json);
    match (done, &parts.items) {
        (Ok(()), Some(_)) => {}
        (Ok(()), None) => return Err(ParseError::NotAFeed("JSON without a list of items".to_owned())),
        (Err(_), Some(items)) if !items.is_empty() => drop(repairs.insert("cut off within an entry")),
        (Err(error), _) => return Err(ParseError::Unreadable(format!("JSON: {error}"))),
    }
    if parts.more {
        repairs.insert("more entries than are read");
    }
    let number = parts.version.rsplit('/').next().filter(|v| v.starts_with(|c: char| c.is_ascii_digit()));
    let format = format!("json feed {}", number.unwrap_or("1"));
    Ok((format, parts.title, parts.items.unwrap_or_default()))
}

/// The members of the feed object, read into `parts` one by one so that damage keeps what came before it.
struct Members<'a> {
    parts: &'a mut Parts,
    url: Option<&'a Url>,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a feed object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "version" => self.parts.version = map.next_value::<Text>()?.0.unwrap_or_default(),
                "title" => self.parts.title = map.next_value::<Text>()?.0.as_deref().and_then(plain),
                "items" => map.next_value_seed(Items { parts: &mut *self.parts, url: self.url })?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct Items<'a> {
    parts: &'a mut Parts,
    url: Option<&'a Url>,
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of items")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<(), S::Error> {
        let drafts = self.parts.items.get_or_insert_default();
        let mut room = Room::default();
        while drafts.len() < ITEMS && room.is_left() {
            let Some(item) = items.next_element::<Member>()? else { return Ok(()) };
            drafts.push(draft(item, self.url));
            room.take(drafts.last());
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            self.parts.more = true;
        }
        Ok(())
    }
}

fn draft(item: Member, url: Option<&Url>) -> Draft {
    let link = item.url.or(item.external_url).map(|link| absolute(link, url));
    Draft {
        item: Item {
            id: item.id,
            title: item.title.as_deref().and_then(plain),
            link,
            published: None,
            updated: None,
            authors: item.authors,
            summary: item.summary.map(|t| escape(&t)),
            content: item.content_html.or_else(|| item.content_text.map(|t| escape(&t))),
        },
        published: item.date_published.into_iter().collect(),
        updated: item.date_modified.into_iter().collect(),
    }
}

fn absolute(link: String, url: Option<&Url>) -> String {
    // What is no address stays as written.
    url.and_then(|base| base.join(&link).ok()).map_or(link, Url::into)
}
