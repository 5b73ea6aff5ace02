//! Whether bytes are a page at all, and if not, what they are: servers send Word files, feeds and programs under any
//! content type.

use super::tags::{is_block, is_inline};

/// Content types under which pages come; what else a server names is believed.
const PAGES: [&str; 6] = [
    "text/html",
    "application/xhtml+xml",
    "text/plain",
    "text/xml",
    "application/xml",
    "application/vnd.wap.xhtml+xml",
];

/// How files of other kinds begin, and what they are.
const BEGINNINGS: [(&[u8], &str); 18] = [
    (b"%PDF-", "a PDF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a Word, Excel or PowerPoint file"),
    (b"{\\rtf", "an RTF file"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"#!", "a script"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"RIFF", "a picture or a recording"),
    (b"II*\0", "a picture"),
    (b"\0\0\x01\0", "a picture"),
    (b"ID3", "a recording"),
    (b"OggS", "a recording"),
    (b"\x1f\x8b", "a compressed file"),
    (b"Rar!", "a compressed file"),
    (b"7z\xbc\xaf", "a compressed file"),
    (b"wOFF", "a font"),
];

/// What a file is by its content type or its first bytes, if it is no page.
pub fn other_file(content_type: Option<&str>, body: &[u8]) -> Option<String> {
    if body.starts_with(b"PK\x03\x04") {
        return Some(zipped(body).to_owned());
    }
    if let Some((_, what)) = BEGINNINGS.iter().find(|(start, _)| body.starts_with(start)) {
        return Some((*what).to_owned());
    }
    let kind = content_type.unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    // Without a slash it is no content type; the page speaks for itself.
    (kind.contains('/') && !PAGES.contains(&kind.as_str())).then(|| named(&kind))
}

fn named(kind: &str) -> String {
    let what = match kind {
        "application/pdf" => "a PDF",
        "application/msword" | "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => {
            "a Word file"
        }
        "application/rss+xml" | "application/atom+xml" | "application/rdf+xml" => "a feed",
        "application/octet-stream" => "a file to be saved",
        _ => return kind.to_owned(),
    };
    format!("{what} ({kind})")
}

/// The parts of an Office file say which it is.
fn zipped(body: &[u8]) -> &'static str {
    let start = &body[..body.len().min(8_192)];
    let holds = |part: &[u8]| start.windows(part.len()).any(|w| w == part);
    match () {
        _ if holds(b"word/") => "a Word file",
        _ if holds(b"xl/") => "an Excel file",
        _ if holds(b"ppt/") => "a PowerPoint file",
        _ => "a ZIP archive",
    }
}

/// What a text is, if it is no page.
pub fn other_text(text: &str) -> Option<&'static str> {
    let start = &text[..floor(text, 65_536)];
    let control = |b: &u8| *b < b' ' && !matches!(b, b'\t' | b'\n' | b'\r' | 0xc);
    // Sums of single bytes are taken many at once.
    let counted = |few: &[u8]| usize::from(few.iter().map(|b| u8::from(control(b))).sum::<u8>());
    let controls = start.as_bytes().chunks(255).map(counted).sum::<usize>() + start.matches('\u{fffd}').count();
    if controls > 8 && controls * 200 > start.chars().count() {
        return Some("a file of another kind: its bytes are no text");
    }
    let (root, xml) = root(text);
    match root.rsplit(':').next().unwrap_or("").to_ascii_lowercase().as_str() {
        "rss" | "feed" | "rdf" | "channel" => return Some("a feed"),
        "urlset" | "sitemapindex" => return Some("a site map"),
        "opml" => return Some("a list of feeds"),
        "svg" => return Some("a picture"),
        "" => {}
        name if xml && !is_html(name) => return Some("XML that is no XHTML"),
        _ => {}
    }
    // Programs and data may hold a tag in a string.
    let begins = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let wanted = if begins.is_empty() {
        0
    } else if begins.starts_with('<') {
        1
    } else {
        3
    };
    let json = begins.starts_with(['{', '[']) && text.trim_end().ends_with(['}', ']']);
    if json || tags(text).take(wanted).count() < wanted {
        return Some("no HTML");
    }
    None
}

/// The first element's name, and whether the text calls itself XML.
fn root(text: &str) -> (&str, bool) {
    let mut rest = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let xml = rest.get(..5).is_some_and(|s| s.eq_ignore_ascii_case("<?xml"));
    loop {
        let end = match rest {
            r if r.starts_with("<!--") => r.find("-->").map(|n| n + 3),
            r if r.starts_with("<?") || r.starts_with("<!") => r.find('>').map(|n| n + 1),
            _ => None,
        };
        let Some(end) = end else { break };
        rest = rest[end..].trim_start();
    }
    (rest.strip_prefix('<').map_or("", name_at), xml)
}

fn name_at(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, ':' | '-' | '_')).unwrap_or(text.len());
    &text[..end]
}

/// The tags of HTML in a text.
fn tags(text: &str) -> impl Iterator<Item = &str> {
    text.split('<').skip(1).map(name_at).filter(|name| is_html(&name.to_ascii_lowercase()))
}

fn is_html(name: &str) -> bool {
    name.len() < 12 && (is_block(name) || is_inline(name))
}

fn floor(text: &str, most: usize) -> usize {
    (0..=most.min(text.len())).rev().find(|n| text.is_char_boundary(*n)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{other_file, other_text};

    #[test]
    fn files_are_known_by_their_type_and_by_their_first_bytes() {
        for (kind, body, wanted) in [
            (Some("application/msword"), &b"<html>"[..], Some("a Word file (application/msword)")),
            (Some("Application/Octet-Stream"), b"<html>", Some("a file to be saved (application/octet-stream)")),
            (Some("text/x-python"), b"<p>", Some("text/x-python")),
            (Some("text/html"), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", Some("a Word, Excel or PowerPoint file")),
            (None, b"PK\x03\x04\x14\0word/document.xml", Some("a Word file")),
            (None, b"PK\x03\x04\x14\0a.txt", Some("a ZIP archive")),
            (None, b"\x7fELF\x02", Some("a program")),
            (Some("text/html"), b"%PDF-1.4", Some("a PDF")),
            (Some("text/html; charset=utf-8"), b"<html>", None),
            (Some("html"), b"<html>", None),
            (None, b"<html>", None),
        ] {
            assert_eq!(other_file(kind, body).as_deref(), wanted, "{kind:?}");
        }
    }

    #[test]
    fn texts_are_known_by_what_is_in_them() {
        let noise: String = (0..400).map(|n| if n % 3 == 0 { '\0' } else { 'a' }).collect();
        for (text, wanted) in [
            (
                "<?xml version='1.0'?><!-- a --><rss version='2.0'><channel><description>&lt;p></description>",
                Some("a feed"),
            ),
            ("\u{feff}<feed xmlns='http://www.w3.org/2005/Atom'>", Some("a feed")),
            ("<rdf:RDF>", Some("a feed")),
            ("<?xml version='1.0'?><bao><p>a</p></bao>", Some("XML that is no XHTML")),
            ("<?xml version='1.0'?><!DOCTYPE html><html><p>a", None),
            ("import os\nprint('<p>')\nif 1 < 2: pass", Some("no HTML")),
            ("{\"html\": \"<p>a</p><p>b</p><p>c</p>\"}", Some("no HTML")),
            ("Không có thẻ nào.", Some("no HTML")),
            ("Sáng nay<br>họp dân<br><br>ở xã", None),
            ("<!DOCTYPE html><title>a</title>", None),
            (&noise, Some("a file of another kind: its bytes are no text")),
        ] {
            assert_eq!(other_text(text), wanted, "{text}");
        }
    }
}
