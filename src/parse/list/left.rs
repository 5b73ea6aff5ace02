//! Why the other links of a list page are no entries.

use super::find::{WORDS, is_apart, is_near, words};
use super::{List, Taken};
use crate::article::Dropped;
use std::collections::HashSet;

/// More are not told.
const MOST: usize = 300;

pub fn left(list: &List, taken: &Taken) -> Vec<Dropped> {
    let entries: HashSet<usize> = taken.entries.iter().map(|(link, _)| *link).collect();
    let links = (0..list.flat.elems.len()).filter(|elem| list.is_link(*elem) && !entries.contains(elem));
    let told = |elem: usize| Some(Dropped { text: list.title(elem).1, why: why(list, taken, elem)?.to_owned() });
    links.filter_map(told).take(MOST).collect()
}

fn why(list: &List, taken: &Taken, elem: usize) -> Option<&'static str> {
    let url = list.address(elem)?;
    let again = || taken.entries.iter().any(|(_, draft)| draft.item.link.as_deref() == Some(url.as_str()));
    let outside = |holder: usize| !(holder..list.flat.elems[holder].end).contains(&elem);
    Some(match taken.holder {
        _ if again() => "the address of an entry, again",
        None => "in no `item`, or not the link of its item",
        Some(_) if list.flat.around(elem).any(|e| is_apart(list.flat.name(e))) => "in the navigation or the footer",
        Some(_) if !is_near(&url, list.page) => "leads to another host",
        Some(_) if words(&list.title(elem).1) < WORDS => "fewer words than a headline has",
        Some(holder) if outside(holder) => "outside of the list",
        Some(_) => "one of too many links",
    })
}
