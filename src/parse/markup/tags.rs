//! Text to tags, in one pass that never goes back.

use super::Repairs;

/// Attributes kept of one element.
const ATTRIBUTES: usize = 64;

/// One step of the document.
pub enum Step<'a> {
    Start { name: &'a str, attributes: Vec<(&'a str, &'a str)>, empty: bool },
    End(&'a str),
    Other,
    Finished,
}

/// The tags of a text, one after the other.
pub struct Tags<'a> {
    text: &'a str,
    pub at: usize,
    /// Where the last tag began.
    pub tag: usize,
    pub repairs: Repairs,
    /// Where `-->`, `]]>` and `?>` can't be found any more.
    exhausted: [bool; 3],
    /// A DOCTYPE had no end: the next one is not searched for its.
    open_doctype: bool,
}

impl<'a> Tags<'a> {
    pub fn new(text: &'a str) -> Tags<'a> {
        Tags { text, at: 0, tag: 0, repairs: Repairs::new(), exhausted: [false; 3], open_doctype: false }
    }

    pub fn step(&mut self) -> Step<'a> {
        let rest = &self.text[self.at..];
        let Some(found) = rest.find('<') else {
            self.at = self.text.len();
            return Step::Finished;
        };
        let tag = &rest[found..];
        self.at += found;
        self.tag = self.at;
        match tag.as_bytes().get(1) {
            Some(b'/') => self.end_tag(tag),
            Some(b'!') => self.declaration(tag),
            Some(b'?') => self.skip_past(tag, "?>", 2),
            Some(b) if b.is_ascii_alphabetic() || matches!(b, b'_' | b':') || *b >= 0x80 => self.start_tag(tag),
            _ => self.bare(1),
        }
    }

    /// `<` that begins no tag: text.
    fn bare(&mut self, length: usize) -> Step<'a> {
        self.repairs.insert("bare < in text");
        self.at += length;
        Step::Other
    }

    fn declaration(&mut self, tag: &'a str) -> Step<'a> {
        if tag.starts_with("<!--") {
            return self.skip_past(tag, "-->", 0);
        }
        if tag.len() >= 9 && tag.as_bytes()[..9].eq_ignore_ascii_case(b"<![CDATA[") {
            return self.skip_past(tag, "]]>", 1);
        }
        self.doctype(tag)
    }

    /// Comments, CDATA, processing instructions. Without an end they end with their line, CDATA before the next end tag.
    fn skip_past(&mut self, tag: &'a str, end: &'static str, kind: usize) -> Step<'a> {
        let body = if kind == 1 { 9 } else { 2 };
        let within = if kind == 2 { tag[2..].find('<').map_or(tag.len(), |at| at + 2) } else { tag.len() };
        let found = if self.exhausted[kind] { None } else { find(&tag[body..within], end) };
        if let Some(length) = found {
            self.at += body + length + end.len();
            return Step::Other;
        }
        self.exhausted[kind] |= kind != 2;
        self.repairs.insert(["comment without end", "CDATA without end", "instruction without end"][kind]);
        self.at += match kind {
            1 => 9,
            _ => tag.find('>').map_or(tag.len(), |at| at + 1),
        };
        Step::Other
    }

    /// Dropped whole, the internal subset too: nothing it defines is ever expanded or fetched.
    fn doctype(&mut self, tag: &'a str) -> Step<'a> {
        let end = if self.open_doctype { None } else { doctype_end(tag) };
        self.open_doctype |= end.is_none();
        self.repairs.insert("DOCTYPE dropped");
        self.at += end.or_else(|| tag.find('>')).map_or(tag.len(), |at| at + 1);
        Step::Other
    }

    fn end_tag(&mut self, tag: &'a str) -> Step<'a> {
        let name_end = tag[2..].find(|c: char| !is_name(c)).map_or(tag.len(), |at| at + 2);
        if name_end == 2 {
            return self.bare(2);
        }
        let close = tag[name_end..].find(['>', '<']);
        let ended = close.is_some_and(|at| tag.as_bytes()[name_end + at] == b'>');
        self.at += name_end + close.map_or(tag.len() - name_end, |at| at + usize::from(ended));
        if !ended {
            self.repairs.insert("end tag without >");
        }
        Step::End(&tag[2..name_end])
    }

    fn start_tag(&mut self, tag: &'a str) -> Step<'a> {
        let name_end = tag[1..].find(|c: char| !is_name(c)).map_or(tag.len(), |at| at + 1);
        let name = &tag[1..name_end];
        let mut attributes = Vec::new();
        let mut at = name_end;
        let bytes = tag.as_bytes();
        loop {
            match bytes.get(at) {
                Some(b'>') => {
                    self.at += at + 1;
                    return Step::Start { name, attributes, empty: bytes[at - 1] == b'/' && at > name_end };
                }
                // no tag after all: `x <y and z`
                Some(b'<') => return self.bare(at),
                None => return self.bare(tag.len()),
                Some(b) if b.is_ascii_whitespace() || matches!(b, b'/' | b'"' | b'\'' | b'=') => at += 1,
                Some(_) => at = self.attribute(tag, at, &mut attributes),
            }
        }
    }

    /// One attribute; where it ends.
    fn attribute(&mut self, tag: &'a str, from: usize, into: &mut Vec<(&'a str, &'a str)>) -> usize {
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '<' | '/' | '"' | '\'');
        let name_end = tag[from..].find(ends).map_or(tag.len(), |at| from + at);
        let after = skip_space(tag, name_end);
        if tag.as_bytes().get(after) != Some(&b'=') {
            return name_end.max(from + 1);
        }
        let value = skip_space(tag, after + 1);
        let (start, end, next) = match tag.as_bytes().get(value) {
            Some(q @ (b'"' | b'\'')) => {
                let end = tag[value + 1..].find(*q as char).map_or(tag.len(), |at| value + 1 + at);
                (value + 1, end, (end + 1).min(tag.len()))
            }
            _ => {
                let end = tag[value..].find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '<'));
                let end = end.map_or(tag.len(), |at| value + at);
                self.repairs.insert("attribute without quotes");
                (value, end, end)
            }
        };
        let key = &tag[from..name_end];
        if into.iter().any(|(k, _)| *k == key) {
            self.repairs.insert("attribute given twice");
        } else if into.len() < ATTRIBUTES && start <= end {
            into.push((key, &tag[start..end]));
        }
        next
    }
}

/// Where a DOCTYPE's own `>` stands, past quotes and the internal subset.
fn doctype_end(tag: &str) -> Option<usize> {
    let (mut quote, mut subset) = (None, false);
    for (i, b) in tag.bytes().enumerate().skip(2) {
        match (quote, b) {
            (Some(q), _) if b == q => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(b),
            (None, b'[') => subset = true,
            (None, b']') => subset = false,
            (None, b'>') if !subset => return Some(i),
            _ => {}
        }
    }
    None
}

/// As `str::find`, but fast where the first character of `wanted` is rare.
pub fn find(text: &str, wanted: &str) -> Option<usize> {
    let first = wanted.as_bytes().first()?;
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find(*first as char)?;
        if text.as_bytes()[at..].starts_with(wanted.as_bytes()) {
            return Some(at);
        }
        from = at + 1;
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.')
}

fn skip_space(text: &str, from: usize) -> usize {
    text[from..].find(|c: char| !c.is_ascii_whitespace()).map_or(text.len(), |at| from + at)
}
