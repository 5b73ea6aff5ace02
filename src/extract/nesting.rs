//! How deep a page nests, followed tag by tag before it is parsed: the parser looks through all open elements at
//! many tags, so thousands of them cost it the square of the page's size. A rough copy of what the parser will do
//! (HTML Standard, 13.2.6 tree construction) is enough: it decides nothing until a page is deeper than people write.

use std::collections::HashMap;

/// Elements that may be open at once; deeper ones are not opened.
const DEEPEST: usize = 250;
/// Unclosed `<b>`, `<font>`, … are opened again in every paragraph that follows.
const MARKS: usize = 12;

const P: Name = *b"p\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01";
const A: Name = *b"a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01";

/// A tag's name in lower case: its first 15 bytes and its length.
type Name = [u8; 16];

#[derive(Default)]
pub struct Nesting {
    open: Vec<Open>,
    marks: Vec<Name>,
    /// How many of `open` are `<p>`.
    paragraphs: usize,
    /// How many are `<a>`.
    links: usize,
    /// Elements that were not opened, whose end tags are still to come.
    skipped: HashMap<Name, usize>,
}

struct Open {
    name: Name,
    /// The marks that were open before it.
    marks: usize,
}

/// What is to become of a tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tag {
    Stays,
    Goes,
    /// It goes, but its text must not run into the text before it.
    Paragraph,
}

impl Nesting {
    /// For the tag `<name …>` or `</name>`, `name` in any case.
    pub fn tag(&mut self, name: &[u8], end: bool) -> Tag {
        let name = packed(name);
        let kind = kind(text(&name));
        match (end, kind) {
            (_, Kind::Void) => Tag::Stays,
            (true, _) => self.close(name, kind),
            (false, _) => self.open(name, kind),
        }
    }

    fn open(&mut self, name: Name, kind: Kind) -> Tag {
        self.close_implied(text(&name), kind);
        let deep = self.open.len() >= DEEPEST;
        if deep || (kind == Kind::Mark && self.marks.len() >= MARKS) {
            *self.skipped.entry(name).or_default() += 1;
            return if kind == Kind::Block { Tag::Paragraph } else { Tag::Goes };
        }
        self.paragraphs += usize::from(name == P);
        self.links += usize::from(name == A);
        self.open.push(Open { name, marks: self.marks.len() });
        if kind == Kind::Mark {
            self.marks.push(name);
        }
        Tag::Stays
    }

    fn close(&mut self, name: Name, kind: Kind) -> Tag {
        if let Some(count) = self.skipped.get_mut(&name) {
            *count -= 1;
            if *count == 0 {
                self.skipped.remove(&name);
            }
            return Tag::Goes;
        }
        let Some(at) = self.open.iter().rposition(|o| o.name == name) else { return Tag::Stays };
        match kind {
            Kind::Mark => {
                self.open.remove(at);
                if let Some(mark) = self.marks.iter().rposition(|m| *m == name) {
                    self.marks.remove(mark);
                }
            }
            _ if name == A => self.unlink(at),
            _ => self.cut(at),
        }
        Tag::Stays
    }

    /// Start tags that end what is open: a paragraph ends at the next block, an item at the next item.
    fn close_implied(&mut self, name: &str, kind: Kind) {
        let (ends, within): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol", "menu", "table"]),
            "dt" | "dd" => (&["dt", "dd"], &["dl", "table"]),
            "td" | "th" => (&["td", "th", "caption"], &["tr", "table"]),
            "tr" => (&["tr", "caption"], &["table"]),
            "tbody" | "thead" | "tfoot" => (&["tbody", "thead", "tfoot", "caption", "colgroup"], &["table"]),
            "option" | "optgroup" => (&["option"], &["select"]),
            "a" if self.links > 0 => (&["a"], &["table", "td", "th"]),
            _ if kind == Kind::Block && self.paragraphs > 0 => (&["p"], &["table", "td", "th", "button", "caption"]),
            _ => return,
        };
        for at in (0..self.open.len()).rev() {
            let open = text(&self.open[at].name);
            if ends.contains(&open) {
                // What is open within a link stays so.
                return if name == "a" { self.unlink(at) } else { self.cut(at) };
            }
            if within.contains(&open) {
                return;
            }
        }
    }

    fn unlink(&mut self, at: usize) {
        self.links -= 1;
        self.open.remove(at);
    }

    fn cut(&mut self, at: usize) {
        let inner = self.open[at..].iter().find(|o| matches!(text(&o.name), "td" | "th" | "caption"));
        if let Some(marks) = inner.map(|cell| cell.marks) {
            // A cell keeps its unclosed marks to itself.
            self.marks.truncate(marks);
        }
        for open in &self.open[at..] {
            self.paragraphs -= usize::from(open.name == P);
            self.links -= usize::from(open.name == A);
        }
        self.open.truncate(at);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Void,
    Mark,
    Block,
    Other,
}

fn kind(name: &str) -> Kind {
    match name {
        "br" | "img" | "meta" | "link" | "input" | "hr" | "source" | "wbr" | "area" | "base" | "col" | "embed"
        | "param" | "track" | "html" | "head" | "body" => Kind::Void,
        "b" | "i" | "font" | "strong" | "em" | "u" | "big" | "small" | "s" | "strike" | "tt" | "code" => Kind::Mark,
        "p" | "div" | "section" | "article" | "ul" | "ol" | "dl" | "table" | "h1" | "h2" | "h3" | "h4" | "h5"
        | "h6" | "blockquote" | "figure" | "header" | "footer" | "main" | "aside" | "nav" | "form" | "center"
        | "pre" | "address" | "details" | "fieldset" | "menu" | "li" | "dt" | "dd" | "td" | "th" | "tr" => Kind::Block,
        _ => Kind::Other,
    }
}

fn packed(name: &[u8]) -> Name {
    let mut packed = [0; 16];
    for (to, from) in packed.iter_mut().zip(name.iter().take(15)) {
        *to = from.to_ascii_lowercase();
    }
    packed[15] = u8::try_from(name.len()).unwrap_or(u8::MAX);
    packed
}

/// The name again; empty if it has letters beyond ASCII or is longer than any name that matters.
fn text(name: &Name) -> &str {
    let len = usize::from(name[15]);
    name.get(..len.min(16)).filter(|_| len <= 15).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::{DEEPEST, MARKS, Nesting, Tag};

    fn stay(nesting: &mut Nesting, tags: &str, times: usize) -> usize {
        let tag = |t: &str| match t.strip_prefix('/') {
            Some(name) => (name.to_owned(), true),
            None => (t.to_owned(), false),
        };
        let tags: Vec<(String, bool)> = tags.split(' ').map(tag).collect();
        let all = (0..times).flat_map(|_| &tags);
        all.filter(|(name, end)| nesting.tag(name.as_bytes(), *end) == Tag::Stays).count()
    }

    #[test]
    fn what_is_deeper_than_people_write_is_flattened() {
        let mut nesting = Nesting::default();
        assert_eq!(stay(&mut nesting, "div", 10_000), DEEPEST);
        assert_eq!(nesting.tag(b"DIV", false), Tag::Paragraph);
        assert_eq!(stay(&mut nesting, "/div", 10_001), DEEPEST);
        assert_eq!(stay(&mut nesting, "div", 1), 1);
    }

    #[test]
    fn end_tags_that_may_be_left_out_do_not_nest() {
        for tags in [
            "p",
            "p span",
            "li",
            "tr td",
            "dt dd",
            "div p /div",
            "option",
            "td font",
            "p b /b",
            "a",
            "br",
            "td p b /td",
        ] {
            let mut nesting = Nesting::default();
            assert_eq!(stay(&mut nesting, tags, 1_000), 1_000 * tags.split(' ').count(), "{tags}");
        }
    }

    #[test]
    fn unclosed_marks_are_few() {
        assert_eq!(stay(&mut Nesting::default(), "a div", 10_000), 10_000 + DEEPEST - 1);
        assert_eq!(stay(&mut Nesting::default(), "font", 1_000), MARKS);
    }
}
