//! A tolerant XML reader: no recursion, one pass, never an error. What it mends, it names.
//!
//! It keeps a stack of open elements and, for the feed and for one item at a time, a flat list of [`Node`]s that say
//! where each element's inside begins and ends; text is taken from there only when asked for.

pub(super) mod tags;

use super::names::{Ns, is_leaf, is_structure, split, well_known};
use std::collections::BTreeSet;
use tags::{Step, Tags};

pub use tags::find;

/// Elements open at once; deeper ones are read over.
const DEEPEST: usize = 100;
/// Kinds of names told apart at a glance.
const BUCKETS: usize = 256;
/// Namespaces declared at once.
const SCOPES: usize = 100;
/// Nodes kept for the feed and one item together.
const NODES: usize = 20_000;

/// What was mended, each once, in plain words.
pub type Repairs = BTreeSet<&'static str>;

pub struct Node<'a> {
    pub ns: Ns,
    /// Without prefix, in the case it was written.
    pub name: &'a str,
    /// Name as written, value with its references unresolved.
    pub attributes: Vec<(&'a str, &'a str)>,
    pub parent: usize,
    /// Its inside, in the text.
    pub start: usize,
    pub end: usize,
    /// Elements in it.
    pub elements: bool,
}

impl<'a> Node<'a> {
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value as written, the name without regard to prefix and case.
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        let exact = self.attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        let local = || self.attributes.iter().find(|(key, _)| split(key).1.eq_ignore_ascii_case(name));
        exact.or_else(local).map(|(_, value)| *value)
    }
}

/// An open element.
struct Open<'a> {
    written: &'a str,
    ns: Ns,
    /// Its node, if it has one.
    node: Option<usize>,
    scopes: usize,
}

pub struct Reader<'a> {
    pub text: &'a str,
    tags: Tags<'a>,
    open: Vec<Open<'a>>,
    /// How many open names fall into each [`bucket`]: most stray end tags are seen to be stray without a search.
    buckets: [u8; BUCKETS],
    /// Elements open beyond [`DEEPEST`].
    deeper: usize,
    /// Prefix and what it stands for, innermost last.
    scopes: Vec<(&'a str, Ns)>,
    pub nodes: Vec<Node<'a>>,
    /// The document element, once met.
    pub root: Option<usize>,
    /// The open item.
    item: Option<usize>,
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a str) -> Reader<'a> {
        Reader {
            text,
            tags: Tags::new(text),
            open: Vec::new(),
            buckets: [0; BUCKETS],
            deeper: 0,
            scopes: Vec::new(),
            nodes: Vec::new(),
            root: None,
            item: None,
        }
    }

    /// The next item that is whole: its node, with its parts behind it in `nodes`. [`Reader::forget`] it before going on.
    pub fn next_item(&mut self) -> Option<usize> {
        loop {
            let closed = match self.tags.step() {
                Step::Start { name, attributes, empty } => self.start(name, attributes, empty, self.tags.tag),
                Step::End(name) => self.end(name, self.tags.tag),
                Step::Other => None,
                Step::Finished => return self.finish(),
            };
            if closed.is_some() {
                return closed;
            }
        }
    }

    /// Drops an item and its parts.
    pub fn forget(&mut self, item: usize) {
        self.nodes.truncate(item);
    }

    /// What was mended so far.
    pub fn repairs(self) -> Repairs {
        self.tags.repairs
    }

    pub fn children(&self, of: usize) -> impl Iterator<Item = (usize, &Node<'a>)> {
        let end = self.nodes.get(of).map_or(0, |node| node.end);
        let below = self.nodes.iter().enumerate().skip(of + 1).take_while(move |(_, node)| node.start <= end);
        below.filter(move |(_, node)| node.parent == of)
    }

    fn finish(&mut self) -> Option<usize> {
        if self.root.is_some() && !self.open.is_empty() {
            self.tags.repairs.insert(if self.item.is_some() {
                "cut off within an entry"
            } else {
                "cut off at the end"
            });
        }
        if let Some(item) = self.item.take() {
            self.open.clear();
            self.nodes.truncate(item);
        }
        while let Some(open) = self.open.pop() {
            self.close_node(open.node, self.text.len());
        }
        None
    }

    fn start(
        &mut self,
        written: &'a str,
        attributes: Vec<(&'a str, &'a str)>,
        empty: bool,
        before: usize,
    ) -> Option<usize> {
        if self.root.is_some() && self.open.is_empty() {
            self.tags.repairs.insert("text after the end");
            self.tags.at = self.text.len();
            return None;
        }
        if self.open.len() >= DEEPEST {
            self.deeper += usize::from(!empty);
            self.tags.repairs.insert("elements too deep");
            return None;
        }
        let scopes = self.scopes.len();
        self.declare(&attributes);
        let (prefix, name) = split(written);
        let mut ns = self.namespace(prefix);
        if self.root.is_none() && ns == Ns::Other && super::names::is_root(name) {
            ns = self.adopt(prefix);
        }
        if self.root.is_none() && !super::names::is_root(name) {
            self.scopes.truncate(scopes);
            return None;
        }
        let closed = self.make_room(ns, name, before);
        let node = self.add(ns, name, attributes);
        self.open.push(Open { written, ns, node, scopes });
        self.buckets[bucket(written)] += 1;
        if closed.is_some() {
            // The item that ended here is handed out first; this start tag is read again.
            self.undo(node, before);
            return closed;
        }
        if self.item.is_none() && self.is_item(ns, name) {
            self.item = node;
        }
        if empty { self.end(written, self.tags.at) } else { None }
    }

    fn undo(&mut self, node: Option<usize>, before: usize) {
        if let (Some(open), Some(node)) = (self.open.pop(), node) {
            self.buckets[bucket(open.written)] -= 1;
            self.scopes.truncate(open.scopes);
            self.nodes.truncate(node);
        }
        self.tags.at = before;
    }

    /// Ends what can't hold the element that starts: a leaf before a part of the feed, an item before an item.
    fn make_room(&mut self, ns: Ns, name: &str, before: usize) -> Option<usize> {
        if self.item.is_some() && self.is_item(ns, name) && self.item_can_end(name) {
            self.tags.repairs.insert("entry without end tag");
            return self.pop_to_item(before);
        }
        let top = self.open.last()?;
        let (_, inner) = split(top.written);
        if is_leaf(inner) && is_structure(name) && ns.plain() && top.ns.plain() && !inner.eq_ignore_ascii_case(name) {
            self.tags.repairs.insert("element without end tag");
            self.pop(before);
        }
        None
    }

    /// An item within an item is a mistake, unless an item's own content or source holds it.
    fn item_can_end(&self, name: &str) -> bool {
        let mut inside = self.open.iter().rev().take_while(|o| o.node != self.item).map(|o| split(o.written).1);
        let same = self.item.is_some_and(|i| self.nodes.get(i).is_some_and(|n| n.is(name)));
        same && inside.all(|name| is_leaf(name) || is_structure(name))
    }

    fn is_item(&self, ns: Ns, name: &str) -> bool {
        let Some(root) = self.root.and_then(|r| self.nodes.get(r)) else { return false };
        if !ns.plain() || self.open.len() > 6 {
            return false;
        }
        match () {
            _ if root.is("urlset") || root.is("sitemapindex") => {
                name.eq_ignore_ascii_case("url") || name.eq_ignore_ascii_case("sitemap")
            }
            _ => name.eq_ignore_ascii_case("item") || name.eq_ignore_ascii_case("entry"),
        }
    }

    fn declare(&mut self, attributes: &[(&'a str, &'a str)]) {
        for (key, value) in attributes {
            if self.scopes.len() >= SCOPES {
                return;
            }
            if *key == "xmlns" {
                self.scopes.push(("", Ns::of(value)));
            } else if let Some(prefix) = key.strip_prefix("xmlns:") {
                self.scopes.push((prefix, Ns::of(value)));
            }
        }
    }

    fn namespace(&mut self, prefix: &'a str) -> Ns {
        let declared = self.scopes.iter().rev().find(|(p, _)| *p == prefix).map(|(_, ns)| *ns);
        if declared.is_none() && !prefix.is_empty() && self.root.is_some() {
            self.tags.repairs.insert("prefix not declared");
        }
        declared.unwrap_or_else(|| well_known(prefix))
    }

    /// The document element's namespace is the feed's, whoever's it is.
    fn adopt(&mut self, prefix: &'a str) -> Ns {
        self.tags.repairs.insert("namespace nobody knows");
        self.scopes.push((prefix, Ns::None));
        Ns::None
    }

    fn add(&mut self, ns: Ns, name: &'a str, attributes: Vec<(&'a str, &'a str)>) -> Option<usize> {
        let at = self.nodes.len();
        if at >= NODES {
            self.tags.repairs.insert("too many elements");
            return None;
        }
        let parent = self.open.iter().rev().find_map(|o| o.node).unwrap_or(usize::MAX);
        if let Some(parent) = self.nodes.get_mut(parent) {
            parent.elements = true;
        }
        self.nodes.push(Node { ns, name, attributes, parent, start: self.tags.at, end: self.tags.at, elements: false });
        self.root.get_or_insert(at);
        Some(at)
    }

    fn end(&mut self, written: &str, before: usize) -> Option<usize> {
        if self.deeper > 0 {
            self.deeper -= 1;
            return None;
        }
        let same = |open: &Open| open.written == written;
        let known = self.buckets[bucket(written)] > 0;
        let depth = match known.then(|| self.open.iter().rposition(same)).flatten() {
            Some(depth) => depth,
            None => return self.stray_end(written, before),
        };
        if depth + 1 < self.open.len() {
            if self.crosses_item(depth) && !is_structure(split(written).1) {
                return None;
            }
            self.tags.repairs.insert("element without end tag");
        }
        let mut closed = None;
        while self.open.len() > depth {
            closed = self.pop(before).or(closed);
        }
        closed
    }

    /// An end tag for something outside the item that is open.
    fn crosses_item(&self, depth: usize) -> bool {
        self.item.is_some_and(|item| self.open[depth..].iter().skip(1).any(|o| o.node == Some(item)))
    }

    /// No such element is open: a misspelt or miscased end of the innermost one, else nothing.
    fn stray_end(&mut self, written: &str, before: usize) -> Option<usize> {
        self.tags.repairs.insert("end tag that fits no start tag");
        let top = self.open.last()?;
        let wanted = top.written;
        let leaf = top.node.is_none_or(|n| !self.nodes[n].elements);
        let misspelt = leaf && top.ns.plain() && (is_structure(split(wanted).1) || is_leaf(split(wanted).1));
        if wanted.eq_ignore_ascii_case(written)
            || split(wanted).1 == split(written).1
            || misspelt && near(wanted, written)
        {
            return self.pop(before);
        }
        None
    }

    fn pop_to_item(&mut self, before: usize) -> Option<usize> {
        while !self.open.is_empty() {
            let closed = self.pop(before);
            if closed.is_some() {
                return closed;
            }
        }
        None
    }

    /// Ends the innermost element at `before`; the item, if it was one.
    fn pop(&mut self, before: usize) -> Option<usize> {
        let open = self.open.pop()?;
        self.buckets[bucket(open.written)] -= 1;
        self.scopes.truncate(open.scopes);
        self.close_node(open.node, before);
        if open.node.is_some() && open.node == self.item {
            return self.item.take();
        }
        None
    }

    fn close_node(&mut self, node: Option<usize>, end: usize) {
        if let Some(node) = node.and_then(|n| self.nodes.get_mut(n)) {
            node.end = end.max(node.start);
        }
    }
}

fn bucket(name: &str) -> usize {
    let hash = name.bytes().fold(name.len(), |hash, b| hash.wrapping_mul(31).wrapping_add(b as usize));
    hash % BUCKETS
}

/// Same letter at the beginning and at most two letters of difference in length or place.
fn near(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > 2 || a.len() > 32 || a.len() < 3 {
        return false;
    }
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    head > 0 && head + tail + 2 >= a.len().max(b.len())
}
