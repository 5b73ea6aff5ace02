//! A parsed page laid flat: its elements in document order, and its lines of text, each knowing where it stands.

use super::ink::{Ink, Piece, runs};
use super::signs::{self, Known, Signs, signs};
use super::tags::{attr, image_address, is_block, is_data_table, is_skipped, tiny};
use crate::article::Run;
use crate::text::{fold, tidy};
use scraper::{ElementRef, Html, Node};
use std::cell::OnceCell;
use url::Url;

/// An element; descendants are the elements up to `end`, their lines are `lines`.
pub struct Elem<'a> {
    pub node: ElementRef<'a>,
    pub parent: usize,
    pub end: usize,
    pub lines: std::ops::Range<usize>,
    pub signs: Signs,
}

/// So many pieces of text hold a name or a date.
const PIECES: usize = 8;

impl Elem<'_> {
    /// Its first pieces of text, apart: what stands in elements of their own may have no space between.
    pub fn begins_with(&self) -> String {
        tidy(&self.node.text().take(PIECES).collect::<Vec<&str>>().join(" "))
    }
}

/// What a line of text is, by its markup.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    Paragraph,
    Heading(u8),
    /// `list` is the outermost list, `item` the innermost item.
    Item {
        list: usize,
        item: usize,
        ordered: bool,
    },
    Cell {
        table: usize,
        row: usize,
        cell: usize,
    },
    Quoted {
        quote: usize,
    },
    Caption {
        figure: usize,
    },
    Image,
}

/// A run of text between two block boundaries; an image is a line without text.
pub struct Line {
    /// The innermost block element around it.
    pub elem: usize,
    pub shape: Shape,
    /// Its marks; [`Flat::runs`] reads them.
    pub pieces: Vec<Piece>,
    pub text: String,
    /// [`Line::folded`], once it was asked for.
    pub folded: OnceCell<String>,
    /// Characters, spaces not counted; of these in links, bold, italic.
    pub chars: usize,
    pub linked: usize,
    pub bold: usize,
    pub italic: usize,
    pub align: Align,
    /// Address and alternative text of an image.
    pub image: Option<(String, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    Start,
    Center,
    Right,
}

pub struct Flat<'a> {
    pub elems: Vec<Elem<'a>>,
    pub lines: Vec<Line>,
    /// What each link says, as written.
    links: Vec<&'a str>,
    base: Url,
}

impl Flat<'_> {
    /// A line's text with its marks. Most lines are never kept, so only now it is asked where their links lead.
    pub fn runs(&self, line: &Line) -> Vec<Run> {
        runs(line, |link| absolute(&self.base, self.links[link]))
    }

    pub fn name(&self, elem: usize) -> &str {
        self.elems[elem].node.value().name()
    }

    /// The element and those around it, from the inside.
    pub fn around(&self, elem: usize) -> impl Iterator<Item = usize> + '_ {
        let up = |&e: &usize| (e != 0).then(|| self.elems[e].parent);
        std::iter::successors(Some(elem), up)
    }
}

/// No page of a person's making nests so deep; deeper elements are not looked at.
const DEEPEST: u32 = 2_000;

/// Lays the page flat in one pass without recursion.
pub fn flatten<'a>(html: &'a Html, base: &Url) -> Flat<'a> {
    let mut walk = Walk::new(base);
    let mut at = html.tree.root();
    loop {
        let entered = match (ElementRef::wrap(at), at.value()) {
            (Some(element), _) => walk.open(element),
            (None, Node::Text(text)) => {
                walk.text(text);
                true
            }
            _ => true,
        };
        if let Some(child) = at.first_child().filter(|_| entered) {
            at = child;
            continue;
        }
        let mut left = entered;
        loop {
            if left && let Some(element) = ElementRef::wrap(at) {
                walk.close(element.value().name());
            }
            if let Some(next) = at.next_sibling() {
                at = next;
                break;
            }
            match at.parent() {
                Some(parent) => at = parent,
                None => return walk.finish(),
            }
            left = true;
        }
    }
}

/// What holds within an open element.
#[derive(Clone)]
struct Frame {
    elem: usize,
    block: usize,
    strong: bool,
    emphasis: bool,
    link: Option<usize>,
    shape: Shape,
    align: Align,
    data_table: Option<usize>,
    verbatim: bool,
}

struct Walk<'a> {
    flat: Flat<'a>,
    open: Vec<Frame>,
    ink: Ink,
    known: Known<'a>,
    row: usize,
    cell: usize,
}

impl<'a> Walk<'a> {
    fn new(base: &Url) -> Self {
        let flat = Flat { elems: Vec::new(), lines: Vec::new(), links: Vec::new(), base: base.clone() };
        Walk { flat, open: Vec::new(), ink: Ink::default(), known: Known::new(), row: 0, cell: 0 }
    }

    /// False if nothing in it is to be read.
    fn open(&mut self, node: ElementRef<'a>) -> bool {
        let name = node.value().name();
        if is_skipped(name) || self.open.len() as u32 > DEEPEST {
            return false;
        }
        let signs = signs(node.value(), &mut self.known);
        if self.is_hidden(node, signs) {
            return false;
        }
        if name == "br" {
            self.line_break();
        }
        if is_block(name) {
            self.flush();
        }
        let elem = self.push_elem(node, signs);
        let frame = self.frame(node, elem);
        self.open.push(frame);
        if name == "img" {
            self.image(node, elem);
        }
        true
    }

    fn is_hidden(&self, node: ElementRef<'a>, signs: Signs) -> bool {
        let around = self.open.last().map_or(0, |f| self.flat.elems[f.elem].signs);
        if signs & around & signs::HOVER != 0 && !is_block(node.value().name()) {
            // What is pointed at stands first, what then shows after it.
            let said = |n: &Node| n.as_text().is_some_and(|t| !t.trim().is_empty());
            let before = node.prev_siblings().any(|n| n.value().is_element() || said(n.value()));
            return before || node.next_siblings().any(|n| said(n.value()));
        }
        if signs & signs::HIDDEN == 0 {
            return attr(node.value(), "aria-hidden") == Some("true")
                && node.value().name() != "img"
                && short_inside(node);
        }
        !matches!(node.value().name(), "html" | "body")
    }

    fn push_elem(&mut self, node: ElementRef<'a>, signs: Signs) -> usize {
        let elem = self.flat.elems.len();
        let parent = self.open.last().map_or(0, |f| f.elem);
        let at = self.flat.lines.len();
        self.flat.elems.push(Elem { node, parent, end: elem + 1, lines: at..at, signs });
        elem
    }

    fn frame(&mut self, node: ElementRef<'a>, elem: usize) -> Frame {
        let name = node.value().name();
        let mut f = self.open.last().cloned().unwrap_or(Frame {
            elem,
            block: elem,
            strong: false,
            emphasis: false,
            link: None,
            shape: Shape::Paragraph,
            align: Align::Start,
            data_table: None,
            verbatim: false,
        });
        f.elem = elem;
        if is_block(name) {
            f.block = elem;
        }
        f.align = align(node).unwrap_or(f.align);
        match name {
            "b" | "strong" => f.strong = true,
            "i" | "em" | "cite" => f.emphasis = true,
            "pre" => f.verbatim = true,
            "a" => f.link = attr(node.value(), "href").map(|href| self.link(href)),
            _ => self.reshape(node, elem, &mut f),
        }
        f
    }

    fn link(&mut self, href: &'a str) -> usize {
        self.flat.links.push(href);
        self.flat.links.len() - 1
    }

    fn reshape(&mut self, node: ElementRef<'a>, elem: usize, f: &mut Frame) {
        let in_caption = matches!(f.shape, Shape::Caption { .. });
        match node.value().name() {
            "h1" => f.shape = Shape::Heading(2),
            name @ ("h2" | "h3" | "h4" | "h5" | "h6") if !in_caption => {
                f.shape = Shape::Heading(name.as_bytes()[1] - b'0');
            }
            name @ ("ul" | "ol") if !in_caption && f.data_table.is_none() => {
                let list = if let Shape::Item { list, .. } = f.shape { list } else { elem };
                f.shape = Shape::Item { list, item: elem, ordered: name == "ol" };
            }
            "li" => {
                if let Shape::Item { list, ordered, .. } = f.shape {
                    f.shape = Shape::Item { list, item: elem, ordered };
                }
            }
            "blockquote" if f.data_table.is_none() => f.shape = Shape::Quoted { quote: elem },
            "figcaption" => f.shape = Shape::Caption { figure: f.block },
            "table" => {
                f.data_table = is_data_table(node).then_some(elem);
                (self.row, self.cell) = (0, 0);
                if f.data_table.is_none() && !in_caption {
                    f.shape = Shape::Paragraph;
                }
            }
            "tr" => {
                self.row += 1;
                self.cell = 0;
            }
            "td" | "th" => {
                self.cell += 1;
                if let Some(table) = f.data_table {
                    f.shape = Shape::Cell { table, row: self.row, cell: self.cell };
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(f) = self.open.last() {
            self.ink.text(text, f.strong, f.emphasis, f.link, f.verbatim);
        }
    }

    fn line_break(&mut self) {
        if self.ink.line_break() {
            self.flush();
        }
    }

    fn image(&mut self, node: ElementRef<'a>, elem: usize) {
        let Some(url) = image_address(node).and_then(|href| absolute(&self.flat.base, href)) else { return };
        if attr(node.value(), "width").is_some_and(tiny) || attr(node.value(), "height").is_some_and(tiny) {
            return;
        }
        // The picture of a paragraph stands beside its text, not in it: text before it goes on after it.
        let block = self.open.last().map_or(elem, |f| f.block);
        let alt = attr(node.value(), "alt").unwrap_or("").to_owned();
        if self.ink.is_empty() {
            self.flat.lines.push(Line::image(block, url, alt));
        } else {
            self.ink.images.push((url, alt));
        }
    }

    fn flush(&mut self) {
        let Some(f) = self.open.last() else { return };
        let images = std::mem::take(&mut self.ink.images);
        if let Some(line) = self.ink.take(f.block, f.shape, f.align) {
            self.flat.lines.push(line);
        }
        for (url, alt) in images {
            self.flat.lines.push(Line::image(f.block, url, alt));
        }
    }

    fn close(&mut self, name: &str) {
        if is_block(name) {
            self.flush();
        }
        if let Some(f) = self.open.pop() {
            self.flat.elems[f.elem].end = self.flat.elems.len();
            self.flat.elems[f.elem].lines.end = self.flat.lines.len();
        }
    }

    fn finish(mut self) -> Flat<'a> {
        while !self.open.is_empty() {
            self.close("html");
        }
        self.flat
    }
}

impl Line {
    fn image(elem: usize, url: String, alt: String) -> Line {
        Line {
            elem,
            shape: Shape::Image,
            pieces: Vec::new(),
            text: String::new(),
            folded: OnceCell::new(),
            chars: 0,
            linked: 0,
            bold: 0,
            italic: 0,
            align: Align::Start,
            image: Some((url, alt)),
        }
    }

    pub fn folded(&self) -> &str {
        self.folded.get_or_init(|| fold(&self.text))
    }

    pub fn link_share(&self) -> f32 {
        self.linked as f32 / self.chars.max(1) as f32
    }
}

fn short_inside(node: ElementRef<'_>) -> bool {
    let mut chars = 0;
    node.descendants().take(200).filter_map(|n| n.value().as_text()).all(|t| {
        chars += t.trim().len();
        chars < 200
    })
}

fn align(node: ElementRef<'_>) -> Option<Align> {
    if node.value().name() == "center" {
        return Some(Align::Center);
    }
    for (name, value) in node.value().attrs() {
        let said = match name {
            "align" => value.to_ascii_lowercase(),
            "style" => match value.to_ascii_lowercase().split_once("text-align") {
                Some((_, after)) => after.trim_start_matches([':', ' ']).to_owned(),
                None => continue,
            },
            "class" if value.contains("text-") => match value.split_once("text-") {
                Some((_, after)) => after.to_owned(),
                None => continue,
            },
            _ => continue,
        };
        match said {
            s if s.starts_with("right") => return Some(Align::Right),
            s if s.starts_with("center") => return Some(Align::Center),
            s if s.starts_with("left") || s.starts_with("justify") => return Some(Align::Start),
            _ => {}
        }
    }
    None
}

/// An address for the export: absolute, http, https or mailto.
pub fn absolute(base: &Url, href: &str) -> Option<String> {
    let url = base.join(href.trim()).ok()?;
    matches!(url.scheme(), "http" | "https" | "mailto").then(|| url.to_string())
}
