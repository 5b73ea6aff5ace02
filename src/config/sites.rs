//! The sites and layouts of all files together.

use super::feeds;
use super::load::Rank;
use super::near;
use super::provinces::{self, Province};
use super::section::Section;
use super::settings::{between, id, need, path};
use super::source::{At, Source, Typed};
use super::{Config, Kind, Layout, Select, Site, Tls};
use crate::text::VIETNAM;
use chrono::FixedOffset;
use reqwest::header::{HeaderName, HeaderValue};
use scraper::Selector;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml_edit::Item;
use url::Url;

/// What a site may refer to, and what the sites before it took.
struct Known<'a> {
    layouts: HashMap<&'a str, (Arc<Layout>, String)>,
    provinces: Vec<Province>,
    /// Where each site id and each feed was typed first.
    ids: HashMap<String, String>,
    feeds: HashMap<Url, String>,
    config: &'a Config,
    base: &'a Path,
}

/// The sites and layouts that could be read go into `config`; what is wrong is reported.
pub fn add(roots: &[(Rank, Section)], base: &Path, config: &mut Config) {
    let (ids, feeds) = (HashMap::new(), HashMap::new());
    let mut known = Known { layouts: layouts(roots), provinces: provinces::all(), ids, feeds, config, base };
    let sections = roots.iter().flat_map(|(_, root)| root.tables("site"));
    let sites = sections.filter_map(|section| site(section, &mut known)).map(Arc::new).collect();
    let layouts = known.layouts.into_iter().map(|(name, (layout, _))| (name.to_owned(), layout)).collect();
    (config.sites, config.layouts) = (sites, layouts);
}

fn site(section: Section, known: &mut Known) -> Option<Site> {
    let id = id(&section).and_then(|id| unique(&section, id, &mut known.ids));
    let name = need(&section, "name", "\"…\"").and_then(|name| section.checked(name, not_empty));
    let kind = need(&section, "kind", "\"party\"").and_then(|kind| section.choice(kind, &KINDS));
    let province = province(&section, kind, &known.provinces);
    let (feeds, lists) = feeds::feeds(&section, known.config.http.allow_private, &mut known.feeds);
    let layout = layout_of(&section, known);
    let default_offset = section.text("default_offset").and_then(|typed| section.checked(typed, offset));
    let every = every(&section, known.config);
    let (tls, ca_file) = tls(&section, known.base);
    let pages = section.flag("pages").is_none_or(|flag| flag.value);
    let robots = section.flag("robots").is_none_or(|flag| flag.value);
    let downgrade = section.flag("downgrade").is_some_and(|flag| flag.value);
    let (select, headers) = (select(&section, known.config), headers(section.table("headers")));
    section.finish();
    let (province, province_now) = province?;
    let (id, name) = (id?, name?.value);
    Some(Site {
        id,
        name,
        province,
        province_now,
        kind: kind?,
        feeds,
        lists,
        layout,
        default_offset: default_offset.map_or(VIETNAM, |typed| typed.value),
        every,
        tls,
        downgrade,
        ca_file,
        pages,
        robots,
        select,
        headers,
    })
}

const KINDS: [(&str, Kind); 6] = [
    ("party", Kind::Party),
    ("government", Kind::Government),
    ("council", Kind::Council),
    ("front", Kind::Front),
    ("newspaper", Kind::Newspaper),
    ("central", Kind::Central),
];

fn not_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("must not be empty".to_owned()) } else { Ok(text.to_owned()) }
}

fn offset(text: &str) -> Result<FixedOffset, String> {
    text.parse().map_err(|_| format!("`{text}` is not an offset from Greenwich: write it like \"+07:00\""))
}

fn unique(section: &Section, id: Typed<&str>, ids: &mut HashMap<String, String>) -> Option<String> {
    if let Some(first) = ids.get(id.value) {
        section.source.mistake(&id.at, format!("site id `{}` is already taken at {first}", id.value));
        return None;
    }
    ids.insert(id.value.to_owned(), section.source.place(&id.at));
    Some(id.value.to_owned())
}

/// As typed and as it is called now. A central site need not have one.
fn province(section: &Section, kind: Option<Kind>, known: &[Province]) -> Option<(String, String)> {
    let central = (provinces::CENTRAL.to_owned(), provinces::CENTRAL.to_owned());
    if kind == Some(Kind::Central) && section.named("province").is_none() {
        return Some(central);
    }
    let typed = need(section, "province", "\"Hưng Yên\"")?;
    if kind == Some(Kind::Central) && typed.value == provinces::CENTRAL {
        return Some(central);
    }
    let found = section.checked(typed, |typed| provinces::find(known, typed))?.value;
    Some((found.name.clone(), found.now.clone()))
}

fn layout_of(section: &Section, known: &Known) -> Option<Arc<Layout>> {
    let typed = section.text("layout")?;
    let found = known.layouts.get(typed.value);
    if found.is_none() {
        let hint = near::hint(typed.value, known.layouts.keys().copied());
        section.source.mistake(&typed.at, format!("there is no [layout.{}]{hint}", typed.value));
    }
    found.map(|(layout, _)| layout.clone())
}

fn every(section: &Section, config: &Config) -> std::time::Duration {
    let Some(typed) = section.duration("every") else { return config.poll.every };
    if config.poll.at_least <= config.poll.at_most {
        between(section, &typed, config.poll.at_least, config.poll.at_most);
    }
    typed.value
}

fn tls(section: &Section, base: &Path) -> (Tls, Option<PathBuf>) {
    let known = [("modern", Tls::Modern), ("legacy", Tls::Legacy), ("insecure", Tls::Insecure)];
    let typed = section.text("tls");
    let at = typed.as_ref().map_or(section.at.clone(), |t| t.at.clone());
    let tls = typed.and_then(|typed| section.choice(typed, &known)).unwrap_or(Tls::Modern);
    if tls == Tls::Legacy && !cfg!(feature = "legacy-tls") {
        let how = "build it with `cargo build --release --features legacy-tls`, which needs OpenSSL (libssl-dev)";
        section.source.mistake(&at, format!("this diemtin was built without old TLS: {how}"));
    }
    let ca_file = path(section, "ca_file", base);
    if let (Tls::Insecure, Some(ca_file)) = (tls, &ca_file) {
        section.source.mistake(&ca_file.at, "`ca_file` means nothing beside tls = \"insecure\"");
    }
    (tls, ca_file.and_then(|typed| section.checked(typed, authorities)).map(|typed| typed.value))
}

/// The file must be there and hold certificates.
fn authorities(file: PathBuf) -> Result<PathBuf, String> {
    let pem = std::fs::read(&file).map_err(|e| format!("{} cannot be read: {e}", file.display()))?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(file),
        _ => Err(format!("{} holds no certificate in PEM form", file.display())),
    }
}

fn select(section: &Section, config: &Config) -> Select {
    let Some((at, item)) = section.item("select") else { return Select::AnyTopic };
    match (item.as_bool(), item.is_array()) {
        (Some(true), _) => Select::AnyTopic,
        (Some(false), _) => Select::Everything,
        (None, true) => Select::Topics(topics(section, &at, config)),
        (None, false) => {
            section.source.mistake(&at, "`select` must be true, false or a list of topic ids");
            Select::AnyTopic
        }
    }
}

fn topics(section: &Section, at: &At, config: &Config) -> Vec<String> {
    // what is no list of texts was told as a mistake
    let typed = section.texts("select").unwrap_or_default();
    if typed.is_empty() {
        section.source.mistake(at, "`select` names no topic: nothing would be kept");
    }
    let ids: Vec<(&str, &str)> = config.topics.iter().map(|t| (t.id.as_str(), t.id.as_str())).collect();
    typed.into_iter().filter_map(|id| section.choice(id, &ids)).map(str::to_owned).collect()
}

fn headers(section: Section) -> Vec<(String, String)> {
    let names = section.names().into_iter();
    names.filter_map(|name| header(&section, name)).collect()
}

/// What the fetcher itself says with each request.
const OWN: [&str; 8] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "accept-encoding",
    "if-none-match",
    "if-modified-since",
    "range",
];

fn header(section: &Section, name: Typed<&str>) -> Option<(String, String)> {
    let value = section.named(name.value).and_then(Item::as_str);
    let says = match (HeaderName::from_bytes(name.value.as_bytes()), value.map(HeaderValue::from_str)) {
        (Err(_), _) => "is not the name of a header".to_owned(),
        (Ok(known), _) if OWN.contains(&known.as_str()) => "is set by diemtin itself".to_owned(),
        (_, None) => "must be a text in quotes".to_owned(),
        (_, Some(Err(_))) => "has a value that no header can have".to_owned(),
        (Ok(known), Some(Ok(_))) => return Some((known.as_str().to_owned(), value?.to_owned())),
    };
    section.source.mistake(&name.at, format!("`{}` {says}", name.value));
    None
}

/// By name, each with where it was typed.
fn layouts<'a>(roots: &[(Rank, Section<'a>)]) -> HashMap<&'a str, (Arc<Layout>, String)> {
    let mut layouts: HashMap<&str, (Arc<Layout>, String)> = HashMap::new();
    for (_, root) in roots {
        let all = root.table("layout");
        for name in all.names() {
            let layout = layout(&all, &name);
            match layouts.get(name.value) {
                Some((_, first)) => {
                    all.source.mistake(&name.at, format!("layout `{}` already stands at {first}", name.value));
                }
                None => drop(layouts.insert(name.value, (Arc::new(layout), all.source.place(&name.at)))),
            }
        }
    }
    layouts
}

fn layout(all: &Section, name: &Typed<&str>) -> Layout {
    let table = all.named(name.value).and_then(Item::as_table_like);
    if table.is_none() {
        all.source.mistake(&name.at, format!("a layout is a table: [layout.{}]", name.value));
    }
    let section = Section::new(all.source, name.at.clone(), table);
    let one = |key| section.text(key).and_then(|typed| selector(all.source, typed));
    let (title, body, date, author) = (one("title"), one("body"), one("date"), one("author"));
    let drop = section.texts("drop").unwrap_or_default();
    let drop = drop.into_iter().filter_map(|typed| selector(all.source, typed)).collect();
    section.finish();
    Layout { name: name.value.to_owned(), title, body, date, author, drop }
}

pub fn selector(source: &Source, typed: Typed<&str>) -> Option<Selector> {
    match Selector::parse(typed.value) {
        Ok(selector) => Some(selector),
        // what the parser says of it is for its own developers
        Err(_) => {
            source.mistake(&typed.at, format!("`{}` is not a CSS selector, or one not supported here", typed.value));
            None
        }
    }
}
