//! What relative addresses are relative to.

use super::markup::{Node, Reader};
use super::reference::resolve;
use std::collections::HashMap;
use std::rc::Rc;
use url::Url;

/// A longer `xml:base` is none.
const LONGEST: usize = 2_048;

/// The bases of elements around items, each joined once.
pub struct Bases {
    feed: Option<Rc<Url>>,
    known: HashMap<usize, Option<Rc<Url>>>,
}

impl Bases {
    /// `feed` is the address the feed was found at.
    pub fn new(feed: Option<&Url>) -> Bases {
        Bases { feed: feed.cloned().map(Rc::new), known: HashMap::new() }
    }

    /// By the `xml:base` of an element and of those around it.
    pub fn of(&mut self, reader: &Reader, element: usize) -> Option<Rc<Url>> {
        let around = |at: &usize| reader.nodes.get(*at).map(|node| node.parent);
        let path = std::iter::successors(Some(element), around).take_while(|at| !self.known.contains_key(at));
        let path: Vec<usize> = path.filter(|at| reader.nodes.get(*at).is_some()).collect();
        for at in path.into_iter().rev() {
            let outer = self.known.get(&reader.nodes[at].parent).unwrap_or(&self.feed).clone();
            let base = match own(&reader.nodes[at]) {
                Some(next) => joined(outer.as_deref(), next).map(Rc::new).or(outer),
                None => outer,
            };
            self.known.insert(at, base);
        }
        self.known.get(&element).unwrap_or(&self.feed).clone()
    }
}

/// An element's `xml:base`, or the `base` of CDF.
fn own<'a>(node: &Node<'a>) -> Option<&'a str> {
    let is_base = |key: &str| key == "xml:base" || key.eq_ignore_ascii_case("base");
    node.attributes.iter().find(|(key, _)| is_base(key)).map(|(_, value)| *value).filter(|v| v.len() <= LONGEST)
}

/// A base that is no address changes nothing.
fn joined(base: Option<&Url>, next: &str) -> Option<Url> {
    let next = resolve(next.trim());
    base.map_or_else(|| Url::parse(&next), |base| base.join(&next)).ok()
}

/// An item, and the base around it.
#[derive(Clone, Copy)]
pub struct Base<'a> {
    pub item: usize,
    pub url: Option<&'a Url>,
}

/// The base at an element within an item.
pub fn within(reader: &Reader, element: usize, outer: Base) -> Option<Url> {
    let around = |at: &usize| (*at != outer.item).then(|| reader.nodes.get(*at).map(|node| node.parent)).flatten();
    let path: Vec<usize> = std::iter::successors(Some(element), around).collect();
    let bases = path.into_iter().rev().filter_map(|at| own(reader.nodes.get(at)?));
    bases.fold(outer.url.cloned(), |base, next| joined(base.as_ref(), next).or(base))
}
