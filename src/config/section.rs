//! A table as typed, read key by key: each value of the wrong kind is a mistake, each key that nobody asked for too.

use super::near;
use super::source::{At, Source, Typed};
use std::cell::RefCell;
use std::time::Duration;
use toml_edit::{Array, Item, TableLike, Value};

/// Longer than any interval that makes sense; keeps sums of times from overflowing.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

pub struct Section<'a> {
    pub source: &'a Source,
    /// Where its header or braces stand.
    pub at: At,
    /// `None`: it was not typed, so everything in it is as by default.
    table: Option<&'a dyn TableLike>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub fn new(source: &'a Source, at: At, table: Option<&'a dyn TableLike>) -> Section<'a> {
        Section { source, at, table, asked: RefCell::default() }
    }

    pub fn text(&self, key: &'static str) -> Option<Typed<&'a str>> {
        self.value(key, "a text in quotes", Item::as_str)
    }

    pub fn flag(&self, key: &'static str) -> Option<Typed<bool>> {
        self.value(key, "true or false", Item::as_bool)
    }

    pub fn count(&self, key: &'static str) -> Option<Typed<i64>> {
        self.value(key, "a whole number", Item::as_integer)
    }

    pub fn number(&self, key: &'static str) -> Option<Typed<f64>> {
        let number = |item: &Item| item.as_float().or(item.as_integer().map(|i| i as f64));
        let typed = self.value(key, "a number", number)?;
        self.checked(typed, |n| if n.is_finite() { Ok(n) } else { Err("must be a finite number".into()) })
    }

    pub fn duration(&self, key: &'static str) -> Option<Typed<Duration>> {
        let typed = self.value(key, "a duration in quotes, like \"15m\"", Item::as_str)?;
        self.checked(typed, duration)
    }

    /// Bytes.
    pub fn size(&self, key: &'static str) -> Option<Typed<u64>> {
        let typed = self.value(key, "a size in quotes, like \"10 MiB\"", Item::as_str)?;
        self.checked(typed, |text| match text.parse::<bytesize::ByteSize>() {
            Ok(size) => Ok(size.as_u64()),
            Err(_) => Err(format!("`{text}` is not a size: write it like \"10 MiB\"")),
        })
    }

    pub fn texts(&self, key: &'static str) -> Option<Vec<Typed<&'a str>>> {
        let array: Typed<&Array> = self.value(key, "a list of texts, like [\"a\", \"b\"]", Item::as_array)?;
        Some(array.value.iter().filter_map(|value| self.element(key, value, &array.at)).collect())
    }

    /// The elements of a list that may hold several kinds.
    pub fn values(&self, key: &'static str) -> Option<Vec<Typed<&'a Value>>> {
        let array: Typed<&Array> = self.value(key, "a list of texts, like [\"a\", \"b\"]", Item::as_array)?;
        let place = |value: &Value| value.span().unwrap_or(array.at.clone());
        Some(array.value.iter().map(|value| Typed { value, at: place(value) }).collect())
    }

    /// A table; an empty one where none was typed.
    pub fn table(&self, key: &'static str) -> Section<'a> {
        let typed = self.value(key, "a table", Item::as_table_like);
        let (at, table) = typed.map_or((self.at.clone(), None), |t| (t.at, Some(t.value)));
        Section::new(self.source, at, table)
    }

    /// `[[key]]`, or a list of inline tables.
    pub fn tables(&self, key: &'static str) -> Vec<Section<'a>> {
        let Some((at, item)) = self.item(key) else { return Vec::new() };
        if let Some(tables) = item.as_array_of_tables() {
            let at = |table: &toml_edit::Table| table.span().unwrap_or(at.clone());
            return tables.iter().map(|t| Section::new(self.source, at(t), Some(t))).collect();
        }
        let inline = |v: &'a Value| Some(Section::new(self.source, v.span()?, Some(v.as_inline_table()?)));
        let all: Option<Vec<_>> = item.as_array().and_then(|array| array.iter().map(inline).collect());
        if all.is_none() {
            self.source.mistake(&at, format!("`{key}` is written [[{key}]], once for each"));
        }
        all.unwrap_or_default()
    }

    /// The keys of a table whose keys are names, each with where it stands.
    pub fn names(&self) -> Vec<Typed<&'a str>> {
        let Some(table) = self.table else { return Vec::new() };
        let typed = |name| Typed { value: name, at: key_at(table, name).unwrap_or(self.at.clone()) };
        table.iter().map(|(name, _)| typed(name)).collect()
    }

    /// The table or text under one of [`Section::names`].
    pub fn named(&self, name: &str) -> Option<&'a Item> {
        self.table?.get(name)
    }

    /// A value as typed, for keys that take values of several kinds.
    pub fn item(&self, key: &'static str) -> Option<(At, &'a Item)> {
        self.asked.borrow_mut().push(key);
        let item = self.table?.get(key)?;
        Some((self.place_of(key, item), item))
    }

    /// Says that `key` must be there.
    pub fn missing(&self, key: &str, like: &str) {
        self.source.mistake(&self.at, format!("`{key}` is missing: {key} = {like}"));
    }

    /// After the last key was asked for: what is left is unknown.
    pub fn finish(self) {
        let asked = self.asked.borrow();
        for key in self.names().iter().filter(|key| !asked.contains(&key.value)) {
            let hint = near::hint(key.value, asked.iter().copied());
            self.source.mistake(&key.at, format!("unknown key `{}`{hint}", key.value));
        }
    }

    /// `value` must be one of `choices`.
    pub fn choice<T: Copy>(&self, typed: Typed<&str>, choices: &[(&str, T)]) -> Option<T> {
        let found = choices.iter().find(|(name, _)| *name == typed.value);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|c| c.0).collect();
            let hint = near::hint(typed.value, names.iter().copied());
            self.source.mistake(&typed.at, format!("`{}` is none of {}{hint}", typed.value, names.join(", ")));
        }
        found.map(|c| c.1)
    }

    /// Reports what `check` objects to.
    pub fn checked<T, U>(&self, typed: Typed<T>, check: impl FnOnce(T) -> Result<U, String>) -> Option<Typed<U>> {
        match check(typed.value) {
            Ok(value) => Some(Typed { value, at: typed.at }),
            Err(says) => {
                self.source.mistake(&typed.at, says);
                None
            }
        }
    }

    fn value<T>(&self, key: &'static str, kind: &str, read: impl FnOnce(&'a Item) -> Option<T>) -> Option<Typed<T>> {
        let (at, item) = self.item(key)?;
        let value = read(item);
        if value.is_none() {
            self.source.mistake(&at, format!("`{key}` must be {kind}, not {}", described(item.type_name())));
        }
        value.map(|value| Typed { value, at })
    }

    fn element(&self, key: &str, value: &'a Value, list: &At) -> Option<Typed<&'a str>> {
        let at = value.span().unwrap_or(list.clone());
        if value.as_str().is_none() {
            let kind = described(value.type_name());
            self.source.mistake(&at, format!("`{key}` must hold texts in quotes, not {kind}"));
        }
        value.as_str().map(|value| Typed { value, at })
    }

    /// The value's own place; a table made of dotted keys has none, its key has.
    fn place_of(&self, key: &str, item: &Item) -> At {
        let own = item.span().filter(|at| !at.is_empty());
        own.or_else(|| key_at(self.table?, key)).unwrap_or(self.at.clone())
    }
}

fn key_at(table: &dyn TableLike, key: &str) -> Option<At> {
    table.get_key_value(key)?.0.span()
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(long) if long > LONGEST => Err(format!("`{text}` is longer than ten years")),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("`{text}` is not a duration ({error}): write it like \"15m\"")),
    }
}

/// TOML's name of a kind, with its article.
pub fn described(kind: &str) -> String {
    match kind {
        "integer" | "array" | "inline table" | "array of tables" => format!("an {kind}"),
        "string" => "a text".to_owned(),
        _ => format!("a {kind}"),
    }
}
