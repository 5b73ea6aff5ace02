//! An item of a JSON feed, whatever kinds of values its members have; what is not asked for takes no memory.

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Authors kept of one item.
const AUTHORS: usize = 20;

#[derive(Default)]
pub struct Member {
    pub id: Option<String>,
    pub url: Option<String>,
    pub external_url: Option<String>,
    pub title: Option<String>,
    pub summary: Option<String>,
    pub content_html: Option<String>,
    pub content_text: Option<String>,
    pub date_published: Option<String>,
    pub date_modified: Option<String>,
    pub authors: Vec<String>,
}

/// A text or a number, which is meant as one; `None` for all else.
#[derive(Default)]
pub struct Text(pub Option<String>);

/// The names of one author or of several.
struct Authors(Vec<String>);

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Member, D::Error> {
        json.deserialize_any(Item)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Text, D::Error> {
        json.deserialize_any(Scalar)
    }
}

impl<'de> Deserialize<'de> for Authors {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Authors, D::Error> {
        json.deserialize_any(Names)
    }
}

/// Of a value that was not expected.
macro_rules! ignore {
    ($empty:expr; $($name:ident($kind:ty))*) => {$(
        fn $name<E: Error>(self, _: $kind) -> Result<Self::Value, E> {
            Ok($empty)
        }
    )*};
}

struct Item;

impl<'de> Visitor<'de> for Item {
    type Value = Member;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an item")
    }

    ignore!(Member::default(); visit_bool(bool) visit_i64(i64) visit_u64(u64) visit_f64(f64) visit_str(&str));

    fn visit_unit<E: Error>(self) -> Result<Member, E> {
        Ok(Member::default())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, seq: S) -> Result<Member, S::Error> {
        skip(seq).map(|()| Member::default())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Member, M::Error> {
        let mut item = Member::default();
        while let Some(key) = map.next_key::<String>()? {
            let text = match key.as_str() {
                "id" => &mut item.id,
                "url" => &mut item.url,
                "external_url" => &mut item.external_url,
                "title" => &mut item.title,
                "summary" => &mut item.summary,
                "content_html" => &mut item.content_html,
                "content_text" => &mut item.content_text,
                "date_published" => &mut item.date_published,
                "date_modified" => &mut item.date_modified,
                "author" | "authors" => {
                    item.authors.extend(map.next_value::<Authors>()?.0);
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *text = map.next_value::<Text>()?.0;
        }
        Ok(item)
    }
}

struct Scalar;

impl<'de> Visitor<'de> for Scalar {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a text")
    }

    ignore!(Text(None); visit_bool(bool));

    fn visit_unit<E: Error>(self) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Text, E> {
        Ok(Text(Some(number.to_string())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Text, E> {
        Ok(Text(Some(number.to_string())))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Text, E> {
        Ok(Text(Some(number.to_string())))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        let text = text.trim();
        Ok(Text((!text.is_empty()).then(|| text.to_owned())))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, seq: S) -> Result<Text, S::Error> {
        skip(seq).map(|()| Text(None))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Text, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Authors;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("authors")
    }

    ignore!(Authors(Vec::new()); visit_bool(bool) visit_i64(i64) visit_u64(u64) visit_f64(f64) visit_str(&str));

    fn visit_unit<E: Error>(self) -> Result<Authors, E> {
        Ok(Authors(Vec::new()))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Authors, S::Error> {
        let mut names = Vec::new();
        while names.len() < AUTHORS {
            let Some(Authors(more)) = seq.next_element()? else { return Ok(Authors(names)) };
            names.extend(more);
        }
        skip(seq).map(|()| Authors(names))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Authors, M::Error> {
        let mut name = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "name" {
                name = map.next_value::<Text>()?.0;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Authors(name.into_iter().collect()))
    }
}

fn skip<'de, S: SeqAccess<'de>>(mut seq: S) -> Result<(), S::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}
