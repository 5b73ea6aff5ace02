//! Whether a list page still gives what it used to: its selectors or the finder may have come to mean something else.

use crate::article::Entry;
use crate::store::FeedState;
use std::collections::BTreeMap;

/// Readings that are remembered: after so many of another kind, those are what the page gives.
const READINGS: usize = 50;
/// Fewer are no history.
const ENOUGH: usize = 3;

/// Notes a reading of a list page in its state, and what is unlike the readings before. `known` of the entries were
/// seen before.
pub fn note(state: &mut FeedState, entries: &[Entry], known: usize) {
    let shape = common_shape(entries);
    state.drift = unlike(&state.readings, &state.shape, entries.len(), known, shape.as_deref());
    state.readings.push(u32::try_from(entries.len()).unwrap_or(u32::MAX));
    let surplus = state.readings.len().saturating_sub(READINGS);
    state.readings.drain(..surplus);
    if state.drift.is_none() {
        state.shape = shape.or(state.shape.take());
    }
}

fn unlike(readings: &[u32], was: &Option<String>, count: usize, known: usize, is: Option<&str>) -> Option<String> {
    if readings.len() < ENOUGH {
        return None;
    }
    let mut sorted = readings.to_vec();
    sorted.sort_unstable();
    let usual = sorted[sorted.len() / 2] as usize;
    if count * 3 < usual {
        return Some(format!("the list gives {count} entries where it gave {usual}: see `diemtin explain`"));
    }
    match (was.as_deref(), is) {
        (Some(was), Some(is)) if known == 0 && was != is => {
            Some(format!("the list gives other links than before, like {is} instead of {was}: see `diemtin explain`"))
        }
        _ => None,
    }
}

/// The form that most addresses have.
fn common_shape(entries: &[Entry]) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries {
        *counts.entry(shape(entry)).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(shape, _)| shape)
}

/// Host, depth, ending and names of parameters; numbers and titles are left out.
fn shape(entry: &Entry) -> String {
    let url = &entry.url;
    let path: Vec<&str> = url.path_segments().map(|segments| segments.collect()).unwrap_or_default();
    let ending = path.last().and_then(|last| last.rsplit_once('.')).map_or("", |(_, ending)| ending);
    let digits = path.last().is_some_and(|last| last.bytes().any(|b| b.is_ascii_digit()));
    let name = format!("{}{}{ending}", if digits { "…1" } else { "…" }, if ending.is_empty() { "" } else { "." });
    let names: Vec<String> = url.query_pairs().take(4).map(|(name, _)| name.into_owned()).collect();
    let query = if names.is_empty() { String::new() } else { format!("?{}", names.join("&")) };
    format!("{}{}/{name}{query}", url.host_str().unwrap_or(""), "/…".repeat(path.len().saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Id;

    fn entries(addresses: impl Iterator<Item = String>) -> Vec<Entry> {
        let entry = |address: String| {
            let url: url::Url = address.parse().expect("an address");
            let id = Id::of(&url);
            let (title, published, updated, summary, content) = (None, None, None, None, None);
            Entry { id, url, title, published, updated, authors: Vec::new(), summary, content }
        };
        addresses.map(entry).collect()
    }

    fn articles(from: usize, count: usize) -> Vec<Entry> {
        entries((from..from + count).map(|n| format!("https://a.example.vn/tin/dan-van-kheo-{n}.html")))
    }

    /// What is said after these readings: how many entries, and how many of them were known.
    fn said(readings: &[(Vec<Entry>, usize)]) -> Vec<Option<String>> {
        let mut state = FeedState::default();
        let mut said = Vec::new();
        for (entries, known) in readings {
            note(&mut state, entries, *known);
            said.push(state.drift.clone());
        }
        said
    }

    #[test]
    fn a_list_that_moves_on_has_not_drifted() {
        let readings: Vec<_> = (0..20).map(|n| (articles(n * 9, 12 + n % 3), if n % 4 == 0 { 0 } else { 3 })).collect();
        assert_eq!(said(&readings), vec![None; 20]);
    }

    #[test]
    fn far_fewer_entries_are_said_until_they_come_back_or_stay() {
        let mut readings = vec![(articles(0, 12), 12); 4];
        readings.push((articles(0, 3), 3));
        readings.push((articles(0, 12), 12));
        let all = said(&readings);
        assert_eq!(all[4].as_deref(), Some("the list gives 3 entries where it gave 12: see `diemtin explain`"));
        assert_eq!((&all[3], &all[5]), (&None, &None));
        readings.extend(vec![(articles(0, 3), 3); 60]);
        let all = said(&readings);
        assert!(all[10].is_some() && all[65].is_none());
    }

    #[test]
    fn links_of_another_kind_are_said() {
        let menu = entries((0..12).map(|n| format!("https://a.example.vn/gioi-thieu?muc={n}")));
        let mut readings = vec![(articles(0, 12), 12); 4];
        readings.push((menu.clone(), 0));
        readings.push((menu, 12));
        let all = said(&readings);
        let says = "the list gives other links than before, like a.example.vn/…?muc instead of a.example.vn/…/…1.html: \
                    see `diemtin explain`";
        assert_eq!(all[4].as_deref(), Some(says));
    }
}
