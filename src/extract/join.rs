//! An article that its site cut into pages, in one.

use crate::article::{Block, Clean, Dropped, plain};

/// A shorter text may stand on two pages by chance.
const TELLING: usize = 20;

/// The pages in their order, as one; what stands on each of them stands once.
pub fn join(mut first: Clean, rest: impl IntoIterator<Item = Clean>) -> Clean {
    for next in rest {
        append(&mut first, next);
    }
    first
}

/// Whether a page has text that the pages before it have not.
pub fn adds(before: &Clean, next: &Clean) -> bool {
    let known = texts(before);
    texts(next).iter().any(|text| text.chars().count() >= TELLING && !known.contains(text))
}

fn append(whole: &mut Clean, next: Clean) {
    // What ends both pages ends the article.
    let ends = |(a, b): &(&Block, &Block)| text(a) == text(b);
    let shared = whole.blocks.iter().rev().zip(next.blocks.iter().rev()).take_while(ends).count();
    let left = whole.blocks.len() - shared;
    let known = texts(whole);
    whole.blocks.truncate(left);
    whole.kept_by.truncate(left);
    let end = next.blocks.len() - shared;
    let mut doubled = Vec::new();
    for (n, (block, why)) in next.blocks.into_iter().zip(next.kept_by).enumerate() {
        let text = text(&block);
        if n < end && text.chars().count() >= TELLING && known.contains(&text) {
            doubled.push(Dropped { text, why: "on an earlier page of the article".to_owned() });
            continue;
        }
        whole.blocks.push(block);
        whole.kept_by.push(why);
    }
    let new = next.images.into_iter().filter(|image| whole.images.iter().all(|known| known.url != image.url));
    whole.images.extend(new.collect::<Vec<_>>());
    whole.dropped.extend(next.dropped);
    whole.dropped.extend(doubled);
    // Who wrote it is said at its end.
    if next.sources.authors == super::BYLINE && whole.sources.authors != super::BYLINE {
        (whole.authors, whole.sources.authors) = (next.authors, next.sources.authors);
    }
    whole.reading.kept = whole.reading.kept.saturating_add(next.reading.kept);
    whole.reading.found = whole.reading.found.saturating_add(next.reading.found);
}

fn texts(clean: &Clean) -> Vec<String> {
    clean.blocks.iter().map(text).collect()
}

/// A picture is told by its address.
fn text(block: &Block) -> String {
    match block {
        Block::Figure { url, .. } => url.clone(),
        block => plain(std::slice::from_ref(block)),
    }
}
