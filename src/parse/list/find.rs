//! The list on a page nobody described: links with the words of a headline that stand at the same place of elements
//! that repeat.

use super::{List, Taken};
use std::collections::hash_map::{DefaultHasher, Entry, HashMap};
use std::hash::{Hash, Hasher};
use url::Url;

/// Fewer words are a menu's.
pub const WORDS: usize = 4;
/// More words say no more.
const MOST_WORDS: usize = 20;
/// Fewer are no list.
const FEWEST: usize = 3;
/// More links of a page are not looked at.
const LINKS: usize = 5_000;
/// So far above a link its list is looked for.
const LEVELS: usize = 12;

/// A link that could lead to an article.
struct Link {
    elem: usize,
    title: String,
    /// Equal for equal addresses.
    address: usize,
    dates: Vec<String>,
}

/// The entries in document order.
pub fn find(list: &List) -> Option<Taken> {
    let links = links(list);
    let best = widened(list, &links, best_box(list, &links)?);
    let end = list.flat.elems[best].end;
    let inside = links.into_iter().filter(|link| (best..end).contains(&link.elem));
    let entry = |link: Link| Some((link.elem, list.draft(link.elem, link.title, link.dates)?));
    let entries = inside.filter_map(entry).collect();
    let place = format!("links with the words of a headline that repeat within {}", path(list, best));
    Some(Taken { place, holder: Some(best), entries })
}

/// The last steps to an element, as a selector.
fn path(list: &List, elem: usize) -> String {
    let step = |elem: usize| {
        let element = list.flat.elems[elem].node.value();
        let id = element.id().map(|id| format!("#{id}")).unwrap_or_default();
        let classes: String = element.classes().take(2).map(|class| format!(".{class}")).collect();
        format!("{}{id}{classes}", element.name())
    };
    let mut steps: Vec<String> = list.flat.around(elem).take(3).map(step).collect();
    steps.reverse();
    steps.join(" > ")
}

fn links(list: &List) -> Vec<Link> {
    let mut known: HashMap<Url, usize> = HashMap::new();
    let mut links: Vec<Link> = Vec::new();
    let mut elem = 0;
    while elem < list.flat.elems.len() && links.len() < LINKS {
        if is_apart(list.flat.name(elem)) {
            elem = list.flat.elems[elem].end;
            continue;
        }
        if list.flat.name(elem) == "a"
            && let Some(url) = list.address(elem).filter(|url| is_near(url, list.page))
        {
            let (_, title) = list.title(elem);
            let count = known.len();
            let address = match known.entry(url) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => *new.insert(count),
            };
            if words(&title) >= WORDS {
                links.push(Link { elem, title, address, dates: Vec::new() });
            }
        }
        elem += 1;
    }
    add_dates(list, &mut links);
    links
}

/// Holds links of the site, not of the page.
pub fn is_apart(name: &str) -> bool {
    matches!(name, "nav" | "footer")
}

/// On the same host, with or without `www.`, or on one below it.
pub fn is_near(url: &Url, page: &Url) -> bool {
    let bare = |url: &Url| url.host_str().map(|h| h.strip_prefix("www.").unwrap_or(h).to_owned());
    match (bare(url), bare(page)) {
        (Some(a), Some(b)) => a == b || a.ends_with(&format!(".{b}")) || b.ends_with(&format!(".{a}")),
        // a page from a file
        (_, None) => true,
        _ => false,
    }
}

pub fn words(title: &str) -> usize {
    title.split(' ').filter(|word| word.contains(char::is_alphabetic)).count()
}

/// The dates of each link's item: the highest element around it without another address.
fn add_dates(list: &List, links: &mut [Link]) {
    let other = next_other(links);
    let mut known: HashMap<usize, Vec<String>> = HashMap::new();
    for at in 0..links.len() {
        let alone = |elem: usize| {
            let first = links.partition_point(|l| l.elem < elem);
            let after = links.partition_point(|l| l.elem < list.flat.elems[elem].end);
            other[first] >= after && list.flat.name(elem) != "body"
        };
        let link = links[at].elem;
        if let Some(item) = list.flat.around(link).take(LEVELS).take_while(|&e| alone(e)).last() {
            let dates = || list.dates(item..list.flat.elems[item].end, link, list.title(link).0);
            links[at].dates = known.entry(item).or_insert_with(dates).clone();
        }
    }
}

/// For each link the next one with another address.
fn next_other(links: &[Link]) -> Vec<usize> {
    let mut next = vec![links.len(); links.len()];
    for at in (1..links.len()).rev() {
        next[at - 1] = if links[at].address == links[at - 1].address { next[at] } else { at };
    }
    next
}

/// The element that holds the list: of all elements with at least three links at the same place below them, the one
/// whose links have the longest titles and dates, and that holds little else.
fn best_box(list: &List, links: &[Link]) -> Option<usize> {
    let mut groups: HashMap<(usize, u64), Vec<usize>> = HashMap::new();
    for (at, link) in links.iter().enumerate() {
        let mut path = DefaultHasher::new();
        for elem in list.flat.around(link.elem).take(LEVELS) {
            if elem != link.elem {
                groups.entry((elem, path.finish())).or_default().push(at);
            }
            list.flat.name(elem).hash(&mut path);
        }
    }
    let scored =
        groups.into_iter().filter_map(|((holder, _), group)| Some((score(list, links, holder, &group)?, holder)));
    // of equals the inner one
    scored.max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))).map(|(_, holder)| holder)
}

/// With what stands apart at its head, or in a box beside it, as long as that is less and has dates like the list.
fn widened(list: &List, links: &[Link], holder: usize) -> usize {
    let within = |elem: usize| {
        let from = links.partition_point(|l| l.elem < elem);
        from..links.partition_point(|l| l.elem < list.flat.elems[elem].end)
    };
    let own = within(holder);
    let fits = |elem: &usize| {
        let all = within(*elem);
        let mut more = (all.start..own.start).chain(own.end..all.end);
        (all.len() - own.len()) * 2 <= own.len() && more.all(|at| !links[at].dates.is_empty())
    };
    list.flat.around(holder).take(LEVELS).take_while(fits).last().unwrap_or(holder)
}

fn score(list: &List, links: &[Link], holder: usize, group: &[usize]) -> Option<f64> {
    let different = group.windows(2).filter(|w| links[w[0]].address != links[w[1]].address).count() + 1;
    if different < FEWEST {
        return None;
    }
    let from = links.partition_point(|l| l.elem < holder);
    let to = links.partition_point(|l| l.elem < list.flat.elems[holder].end);
    let purity = group.len() as f64 / (to - from) as f64;
    let worth = |link: &Link| {
        let words = words(&link.title).min(MOST_WORDS) + 1 - WORDS;
        (words * if link.dates.is_empty() { 1 } else { 2 }) as f64
    };
    Some(group.iter().map(|&at| worth(&links[at])).sum::<f64>() * purity * purity)
}
