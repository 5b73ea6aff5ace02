//! What the names and attributes of elements mean for the text in them.

use scraper::node::Element;
use scraper::{ElementRef, Node};

/// Elements whose text is no part of a page's text.
pub fn is_skipped(name: &str) -> bool {
    matches!(
        name,
        "head"
            | "script"
            | "style"
            | "noscript"
            | "template"
            | "iframe"
            | "svg"
            | "select"
            | "button"
            | "input"
            | "textarea"
            | "canvas"
            | "video"
            | "audio"
            | "object"
            | "embed"
            | "map"
            | "math"
            | "datalist"
            | "optgroup"
            | "option"
            | "progress"
    )
}

pub fn is_block(name: &str) -> bool {
    matches!(
        name,
        "html"
            | "body"
            | "p"
            | "div"
            | "section"
            | "article"
            | "main"
            | "header"
            | "footer"
            | "aside"
            | "nav"
            | "form"
            | "fieldset"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "ul"
            | "ol"
            | "li"
            | "dl"
            | "dt"
            | "dd"
            | "table"
            | "thead"
            | "tbody"
            | "tfoot"
            | "tr"
            | "td"
            | "th"
            | "caption"
            | "blockquote"
            | "figure"
            | "figcaption"
            | "picture"
            | "pre"
            | "address"
            | "center"
            | "hr"
            | "details"
            | "summary"
            | "menu"
            | "dialog"
            | "legend"
            | "marquee"
            | "hgroup"
    )
}

/// The other elements of HTML that pages consist of.
pub fn is_inline(name: &str) -> bool {
    matches!(
        name,
        "a" | "b"
            | "i"
            | "u"
            | "s"
            | "em"
            | "strong"
            | "span"
            | "font"
            | "big"
            | "small"
            | "sub"
            | "sup"
            | "br"
            | "img"
            | "head"
            | "title"
            | "meta"
            | "link"
            | "script"
            | "style"
            | "noscript"
            | "frameset"
            | "time"
            | "label"
            | "tt"
            | "code"
            | "template"
            | "base"
            | "iframe"
    )
}

/// Rows and columns of short cells: data. One column, a table within, or a cell that holds an article: layout.
pub fn is_data_table(table: ElementRef<'_>) -> bool {
    let (mut rows, mut cells, mut most, mut in_row) = (0_u32, 0_u32, 0_u32, 0_u32);
    let (mut chars, mut blocks, mut pictures) = (0_usize, 0_u32, 0_u32);
    for node in table.descendants().skip(1).take(4_000) {
        match node.value() {
            Node::Element(e) => match e.name() {
                "table" | "form" | "h1" | "article" => return false,
                "tr" => {
                    rows += 1;
                    in_row = 0;
                }
                "td" | "th" => {
                    cells += 1;
                    in_row += 1;
                    most = most.max(in_row);
                }
                "p" | "div" => blocks += 1,
                "img" => pictures += 1,
                _ => {}
            },
            Node::Text(t) => chars += t.trim().len(),
            _ => {}
        }
    }
    let roomy = cells == 0 || chars / cells as usize > 400 || blocks > cells * 3;
    rows >= 2 && most >= 2 && !roomy && pictures * 2 < cells
}

const SOURCES: [&str; 5] = ["data-src", "data-original", "data-lazy-src", "data-srcset", "srcset"];

/// The value of an attribute. `Element::attr` makes a name of the word first, which takes longer than to look at all.
pub fn attr<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    element.attrs().find(|(n, _)| *n == name).map(|(_, value)| value)
}

/// Where a lazy image really is.
pub fn image_address(node: ElementRef<'_>) -> Option<&str> {
    let src = attr(node.value(), "src").filter(|s| !s.trim().is_empty() && !s.starts_with("data:"));
    let lazy = SOURCES.iter().find_map(|name| attr(node.value(), name)).map(first_candidate);
    match (lazy.filter(|s| !s.is_empty() && !s.starts_with("data:")), src) {
        (Some(lazy), src) => {
            // `srcset` beside a plain `src` offers other sizes of the same picture.
            if attr(node.value(), "data-src").or(attr(node.value(), "data-original")).is_none() {
                src.or(Some(lazy))
            } else {
                Some(lazy)
            }
        }
        (None, src) => src,
    }
}

fn first_candidate(srcset: &str) -> &str {
    srcset.trim().split([' ', '\n', '\t']).next().unwrap_or("").trim_end_matches(',')
}

/// A size in pixels of an icon or a counter.
pub fn tiny(size: &str) -> bool {
    size.trim().trim_end_matches("px").parse::<u32>().is_ok_and(|n| n < 40)
}
