//! An item of RSS, RDF, Atom or a sitemap: every known element to its place, the better source first.

use super::base::{Base, within};
use super::markup::{Node, Reader};
use super::names::Ns;
use super::text::{TEXT, content, cut, escape, html, plain, source};
use super::{Draft, Item};
use std::borrow::Cow;
use url::Url;

/// A value and its rank: lower is better, the first of equals stays.
struct Slot<T>(Option<(u8, T)>);

impl<T> Slot<T> {
    fn offer(&mut self, rank: u8, value: impl FnOnce() -> Option<T>) {
        if self.0.as_ref().is_none_or(|(held, _)| rank < *held) {
            self.0 = value().map(|v| (rank, v)).or(self.0.take());
        }
    }

    fn get(self) -> Option<T> {
        self.0.map(|(_, value)| value)
    }
}

struct Parts {
    id: Slot<String>,
    title: Slot<String>,
    link: Slot<String>,
    summary: Slot<String>,
    content: Slot<String>,
    authors: Vec<String>,
    /// Rank and text.
    published: Vec<(u8, String)>,
    updated: Vec<(u8, String)>,
}

/// Dates of one kind kept of an item, and authors.
const MOST: usize = 8;

/// The item at `at`, its dates still as written; `base` is what its addresses are relative to.
pub fn read(reader: &Reader, at: usize, base: Option<&Url>) -> Draft {
    let base = Base { item: at, url: base };
    let mut parts = Parts {
        id: Slot(None),
        title: Slot(None),
        link: Slot(None),
        summary: Slot(None),
        content: Slot(None),
        authors: Vec::new(),
        published: Vec::new(),
        updated: Vec::new(),
    };
    for (index, node) in reader.children(at) {
        parts.take(reader, index, node, base);
    }
    parts.attributes(reader, at, base);
    parts.finish()
}

impl Parts {
    fn take(&mut self, reader: &Reader, index: usize, node: &Node, base: Base) {
        let name = node.name.to_ascii_lowercase();
        match node.ns {
            Ns::None | Ns::Atom => self.plain(&name, reader, index, node, base),
            Ns::DublinCore => self.dublin_core(&name, reader, node),
            Ns::Content if name == "encoded" => self.content.offer(0, || filled(html(reader, node))),
            Ns::Xhtml if matches!(name.as_str(), "body" | "div") => {
                self.content.offer(1, || filled(Cow::Owned(xhtml(reader, node))));
            }
            Ns::Media if name == "title" => self.title.offer(3, || plain(&content(reader, node))),
            Ns::Media if name == "description" => self.summary.offer(4, || filled(html(reader, node))),
            Ns::Media if name == "group" => self.group(reader, index),
            Ns::Itunes => self.itunes(&name, reader, node),
            Ns::News => self.news(&name, reader, index, node),
            _ => {}
        }
    }

    fn plain(&mut self, name: &str, reader: &Reader, index: usize, node: &Node, base: Base) {
        match name {
            "title" => self.title.offer(0, || title(reader, node)),
            "link" => self.link(reader, index, node, base),
            "loc" => self.link.offer(0, || address(&content(reader, node), reader, index, base)),
            "guid" => self.guid(reader, index, node, base),
            "id" => self.own_id(reader, index, node, base),
            "description" | "abstract" => self.summary.offer(0, || filled(html(reader, node))),
            "summary" => self.summary.offer(1, || construct(reader, node)),
            "content" => self.content.offer(0, || construct(reader, node)),
            "encoded" | "fullitem" | "fulltext" | "body" => self.content.offer(2, || filled(html(reader, node))),
            "pubdate" => date(&mut self.published, 0, reader, node),
            "published" => date(&mut self.published, 1, reader, node),
            "issued" => date(&mut self.published, 2, reader, node),
            "date" | "created" | "lastmod" | "pubtime" => date(&mut self.published, 5, reader, node),
            "updated" => date(&mut self.updated, 0, reader, node),
            "modified" | "lastbuilddate" => date(&mut self.updated, 1, reader, node),
            "author" => self.author(reader, index, node),
            "news" => self.group(reader, index),
            _ => {}
        }
    }

    fn dublin_core(&mut self, name: &str, reader: &Reader, node: &Node) {
        match name {
            "title" => self.title.offer(1, || plain(&content(reader, node))),
            "identifier" => self.id.offer(3, || line(reader, node)),
            "description" => self.summary.offer(3, || filled(html(reader, node))),
            "date" => date(&mut self.published, 3, reader, node),
            "issued" | "created" | "available" => date(&mut self.published, 4, reader, node),
            "modified" => date(&mut self.updated, 2, reader, node),
            "creator" | "contributor" => self.authors.extend(line(reader, node)),
            _ => {}
        }
    }

    fn itunes(&mut self, name: &str, reader: &Reader, node: &Node) {
        match name {
            "title" => self.title.offer(2, || plain(&content(reader, node))),
            "summary" => self.summary.offer(2, || filled(html(reader, node))),
            "subtitle" => self.summary.offer(5, || filled(html(reader, node))),
            "author" if self.authors.is_empty() => self.authors.extend(line(reader, node)),
            _ => {}
        }
    }

    fn news(&mut self, name: &str, reader: &Reader, index: usize, node: &Node) {
        match name {
            "news" => self.group(reader, index),
            "title" => self.title.offer(1, || plain(&content(reader, node))),
            "publication_date" => date(&mut self.published, 0, reader, node),
            _ => {}
        }
    }

    /// Elements that only hold others together.
    fn group(&mut self, reader: &Reader, index: usize) {
        for (inner, node) in reader.children(index) {
            let name = node.name.to_ascii_lowercase();
            match node.ns {
                Ns::News => self.news(&name, reader, inner, node),
                Ns::Media if name == "title" => self.title.offer(3, || plain(&content(reader, node))),
                Ns::Media if name == "description" => self.summary.offer(4, || filled(html(reader, node))),
                _ => {}
            }
        }
    }

    /// RSS writes the address as text, Atom as `href`, with the relation it stands in.
    fn link(&mut self, reader: &Reader, index: usize, node: &Node, base: Base) {
        let relation = node.attribute("rel").unwrap_or("alternate").trim().to_ascii_lowercase();
        let relation = relation.strip_prefix("http://www.iana.org/assignments/relation/").unwrap_or(&relation);
        if let Some(href) = node.attribute("href") {
            let kind = node.attribute("type").unwrap_or("text/html");
            let rank = match relation {
                "alternate" | "" if kind.contains("html") => 1,
                "alternate" | "" => 2,
                _ => return,
            };
            return self.link.offer(rank, || address(href, reader, index, base));
        }
        self.link.offer(0, || address(&content(reader, node), reader, index, base));
    }

    /// A guid is also the address, unless it says it is not or doesn't look like one.
    fn guid(&mut self, reader: &Reader, index: usize, node: &Node, base: Base) {
        let Some(guid) = line(reader, node) else { return };
        let permanent = node.attribute("isPermaLink").is_none_or(|v| !v.trim().eq_ignore_ascii_case("false"));
        if permanent && is_web(&guid) {
            self.link.offer(4, || address(&guid, reader, index, base));
        }
        self.id.offer(0, || Some(guid));
    }

    /// An Atom id that is an address is the only one where no link is given.
    fn own_id(&mut self, reader: &Reader, index: usize, node: &Node, base: Base) {
        let Some(id) = line(reader, node) else { return };
        if is_web(&id) {
            self.link.offer(6, || address(&id, reader, index, base));
        }
        self.id.offer(0, || Some(id));
    }

    fn author(&mut self, reader: &Reader, index: usize, node: &Node) {
        let name = reader.children(index).find(|(_, n)| n.is("name")).and_then(|(_, n)| line(reader, n));
        self.authors.extend(name.or_else(|| if node.elements { None } else { line(reader, node) }));
    }

    /// RDF names the item in `about`, CDF its address in `href`, others the same in attributes of their own.
    fn attributes(&mut self, reader: &Reader, at: usize, base: Base) {
        let node = &reader.nodes[at];
        if let Some(about) = node.attribute("about") {
            self.id.offer(1, || Some(about.trim().to_owned()).filter(|a| !a.is_empty()));
            self.link.offer(5, || address(about, reader, at, base).filter(|a| is_web(a)));
        }
        if let Some(href) = node.attribute("href") {
            self.link.offer(3, || address(href, reader, at, base));
        }
        if let Some(modified) = node.attribute("lastmod") {
            self.updated.push((3, modified.to_owned()));
        }
    }

    fn finish(mut self) -> Draft {
        self.authors.truncate(MOST);
        self.published.sort_by_key(|(rank, _)| *rank);
        self.updated.sort_by_key(|(rank, _)| *rank);
        let texts = |dates: Vec<(u8, String)>| dates.into_iter().map(|(_, text)| text).collect();
        Draft {
            item: Item {
                id: self.id.get(),
                title: self.title.get(),
                link: self.link.get(),
                published: None,
                updated: None,
                authors: self.authors,
                summary: self.summary.get().map(bounded),
                content: self.content.get().map(bounded),
            },
            published: texts(self.published),
            updated: texts(self.updated),
        }
    }
}

fn date(into: &mut Vec<(u8, String)>, rank: u8, reader: &Reader, node: &Node) {
    if into.len() < MOST {
        into.extend(line(reader, node).map(|text| (rank, text)));
    }
}

/// Text as one line, at most so long that no address is cut.
pub fn line(reader: &Reader, node: &Node) -> Option<String> {
    let text = content(reader, node);
    let text = cut(text.trim(), 8_192);
    (!text.is_empty()).then(|| text.to_owned())
}

/// What was escaped may have become longer than is kept.
fn bounded(text: String) -> String {
    if text.len() > TEXT { cut(&text, TEXT).to_owned() } else { text }
}

fn filled(text: Cow<str>) -> Option<String> {
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// A title; an Atom one says whether it is text or markup.
pub fn title(reader: &Reader, node: &Node) -> Option<String> {
    match kind(node) {
        Kind::Text if node.ns == Ns::Atom => {
            let text = content(reader, node);
            let words: Vec<&str> = cut(&text, super::text::TITLE).split_whitespace().collect();
            (!words.is_empty()).then(|| words.join(" "))
        }
        Kind::Base64 => {
            let text = content(reader, node);
            // Another type than it says: text.
            base64_text(&text).map_or_else(|| plain(&text), |decoded| plain(&decoded))
        }
        _ => plain(&content(reader, node)),
    }
}

enum Kind {
    Text,
    Html,
    Xhtml,
    Base64,
}

/// What an Atom text construct says of itself: 1.0 by `type`, 0.3 by `type` and `mode`.
fn kind(node: &Node) -> Kind {
    let mode = node.attribute("mode").unwrap_or("").trim().to_ascii_lowercase();
    let kind = node.attribute("type").unwrap_or("").trim().to_ascii_lowercase();
    match (mode.as_str(), kind.as_str()) {
        ("base64", _) => Kind::Base64,
        ("escaped", k) if k.contains("html") => Kind::Html,
        (_, "xhtml" | "application/xhtml+xml") => Kind::Xhtml,
        ("xml", _) if node.elements => Kind::Xhtml,
        (_, k) if k.contains("html") => Kind::Html,
        (_, "" | "text") => Kind::Text,
        (_, k) if k.starts_with("text/") || k.contains("xml") => Kind::Text,
        (_, k) if k.ends_with("+xml") && node.elements => Kind::Xhtml,
        // RFC 4287, 4.1.3.3: any other media type is in Base64
        _ => Kind::Base64,
    }
}

/// An Atom text construct as HTML.
fn construct(reader: &Reader, node: &Node) -> Option<String> {
    if node.ns != Ns::Atom {
        return filled(html(reader, node));
    }
    match kind(node) {
        Kind::Xhtml => filled(Cow::Owned(without_div(&xhtml(reader, node)))),
        Kind::Html => filled(html(reader, node)),
        Kind::Base64 => base64_text(&content(reader, node)),
        Kind::Text if node.elements => filled(html(reader, node)),
        Kind::Text => text_or_html(&content(reader, node)),
    }
}

/// Text by declaration; markup where it plainly is some: many write HTML and say nothing.
fn text_or_html(text: &str) -> Option<String> {
    let marked = ["</p>", "<br", "</a>", "<img", "</div>", "<p>"].iter().any(|tag| text.contains(tag));
    filled(if marked { Cow::Borrowed(text) } else { Cow::Owned(escape(text)) })
}

fn base64_text(text: &str) -> Option<String> {
    use base64::Engine;
    let packed: String = text.split_whitespace().collect();
    // What is not Base64 is no text: nothing is shown rather than the code.
    let bytes = base64::engine::general_purpose::STANDARD.decode(packed).ok()?;
    // Nor is an image.
    filled(Cow::Owned(String::from_utf8(bytes).ok()?))
}

/// XHTML as HTML, which knows no prefixes: `<xh:p>` is a `<p>`.
fn xhtml(reader: &Reader, node: &Node) -> String {
    let inside = source(cut(&reader.text[node.start..node.end], TEXT));
    let name = inside.trim_start().strip_prefix('<').and_then(|tag| tag.split([' ', '>', '/', '\n']).next());
    match name.and_then(|name| name.split_once(':')) {
        Some((prefix, _)) => inside.replace(&format!("<{prefix}:"), "<").replace(&format!("</{prefix}:"), "</"),
        None => inside,
    }
}

/// The `div` that xhtml constructs must be wrapped in is none of the text.
fn without_div(inside: &str) -> String {
    let trimmed = inside.trim();
    let opens = trimmed.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("<div"));
    match (opens, trimmed.find('>'), trimmed.rfind("</")) {
        (true, Some(start), Some(end)) if start < end => trimmed[start + 1..end].to_owned(),
        _ => trimmed.to_owned(),
    }
}

fn is_web(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// An address without white space, made absolute by `xml:base` and the feed's own address.
pub fn address(text: &str, reader: &Reader, node: usize, base: Base) -> Option<String> {
    let text = cut(text.trim(), 8_192);
    let mut text: String = text.chars().filter(|c| !matches!(c, '\n' | '\r' | '\t')).collect();
    if text.contains('&') {
        text = super::reference::resolve(&text).into_owned();
    }
    if text.is_empty() || is_web(&text) {
        return (!text.is_empty()).then_some(text);
    }
    let base = within(reader, node, base);
    match base.as_ref().map_or_else(|| Url::parse(&text), |b| b.join(&text)) {
        Ok(url) => Some(url.into()),
        // Kept as written: nothing gave a base.
        Err(_) => Some(text),
    }
}
