//! The summary: what the feed says of the article, else its lead, else what the page's head says of it. Each is
//! believed only if it speaks of this article: many sites describe themselves on every page.

use super::meta::{Meta, NONE};
use super::words;
use crate::article::{Block, plain};
use crate::text::{fold, syllables, tidy};
use std::collections::HashSet;

/// Syllables; less says nothing.
const SHORTEST: usize = 5;

/// The summary and where it was found; `text` are the article's lines, folded.
pub fn find<'t>(
    meta: &Meta,
    blocks: &[Block],
    kept_by: &[String],
    text: impl Iterator<Item = &'t str>,
) -> (Option<String>, &'static str) {
    let title = meta.title.as_deref().unwrap_or("");
    let lead = blocks.iter().zip(kept_by).take(3).find(|(_, why)| *why == "the lead");
    let said = [
        meta.teaser.as_deref().map(|t| (t.to_owned(), "the feed")),
        lead.map(|(block, _)| (plain(std::slice::from_ref(block)), "the lead")),
        meta.description.clone(),
    ];
    let clean = said.into_iter().flatten().map(|(text, from)| (clean(&text, title), from));
    let mut clean = clean.filter(|(text, _)| !text.is_empty()).peekable();
    if clean.peek().is_none() {
        return (None, NONE);
    }
    let title = fold(title);
    let mut all: Vec<&str> = syllables(&title).collect();
    text.for_each(|line| all.extend(syllables(line)));
    let about = About(&all);
    let found = clean.find(|(text, _)| about.speaks(text));
    found.map_or((None, NONE), |(text, from)| (Some(text), from))
}

/// Without the headline before it and the marks of a cut after it.
fn clean(text: &str, title: &str) -> String {
    let text = tidy(&text.replace('\n', " "));
    let title = tidy(title);
    let rest = text.strip_prefix(title.as_str()).filter(|_| !title.is_empty()).unwrap_or(&text);
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '.' | ':' | '-' | '–' | '|'));
    uncut(rest).to_owned()
}

/// A text that was cut ends with its last whole sentence, if that is most of it.
fn uncut(text: &str) -> &str {
    let marks = |c: char| c.is_whitespace() || matches!(c, '…' | '[' | ']' | '(' | ')' | '»' | '>');
    let mut end = text.trim_end_matches(marks);
    let mut cut = text[end.len()..].contains('…');
    if let Some(words) = words::invitation(&fold(end)) {
        // Folding keeps the number of characters of these words.
        let start = end
            .char_indices()
            .rev()
            .filter(|(_, c)| c.is_alphanumeric() || c.is_whitespace())
            .nth(words.chars().count() - 1);
        end = start.map_or(end, |(n, _)| end[..n].trim_end_matches(marks));
        cut = !end.ends_with(['.', '!', '?']);
    }
    if end.ends_with("...") || end.ends_with("..") {
        (end, cut) = (end.trim_end_matches('.').trim_end(), true);
    }
    let sentence = end.rfind(['.', '!', '?']).map(|n| &end[..=n]).filter(|s| s.len() * 2 > end.len());
    if cut { sentence.unwrap_or(end) } else { end }
}

/// The syllables of the article.
struct About<'t>(&'t [&'t str]);

impl About<'_> {
    /// Its words are those of the article, and some stand together as they do there.
    fn speaks(&self, text: &str) -> bool {
        let folded = fold(text);
        let all: Vec<&str> = syllables(&folded).collect();
        if all.len() < SHORTEST {
            return false;
        }
        // Of the long article only what the short text has too: one by one, and in threes.
        let said: HashSet<&str> = all.iter().copied().collect();
        let common: Vec<Option<&str>> = self.0.iter().map(|s| said.get(s).copied()).collect();
        let ones: HashSet<&str> = common.iter().copied().flatten().collect();
        let threes = common.windows(3).filter_map(|w| Some([w[0]?, w[1]?, w[2]?]));
        let known: HashSet<[&str; 3]> = threes.collect();
        let single = all.iter().filter(|s| ones.contains(*s)).count();
        let threes = all.windows(3).filter(|w| known.contains(*w)).count();
        let verbatim = threes * 10 >= (all.len() - 2) * 8;
        verbatim || (single * 10 >= all.len() * 6 && threes * 10 > all.len() && !words::is_self_description(&folded))
    }
}

#[cfg(test)]
mod tests {
    use super::{About, clean};
    use crate::text::{fold, syllables};

    #[test]
    fn headlines_and_marks_of_a_cut_go() {
        for (given, wanted) in [
            ("Họp dân ở Nà Bó. Sáng nay, xã họp.", "Sáng nay, xã họp."),
            ("Họp dân ở Nà Bó", ""),
            ("Sáng nay, xã họp bàn mở đường. Nhiều người [...]", "Sáng nay, xã họp bàn mở đường."),
            ("Sáng nay, xã họp bàn mở đường, có…", "Sáng nay, xã họp bàn mở đường, có"),
            ("Sáng nay, xã họp bàn. Đọc tiếp »", "Sáng nay, xã họp bàn."),
            ("Sáng nay, xã họp.", "Sáng nay, xã họp."),
        ] {
            assert_eq!(clean(given, "Họp dân ở Nà Bó"), wanted, "{given}");
        }
    }

    #[test]
    fn a_site_that_speaks_of_itself_says_nothing_of_the_article() {
        let text = fold("Sáng nay, Ban Dân vận Tỉnh ủy Bản Lầm họp với ba xã về thông tin điện tử và quy chế dân chủ.");
        let syllables: Vec<&str> = syllables(&text).collect();
        let about = About(&syllables);
        for text in [
            "Trang thông tin điện tử Ban Dân vận Tỉnh ủy Bản Lầm",
            "WebSite Bản Lầm",
            "Tin trong tỉnh, thể thao, giải trí, dự báo thời tiết",
        ] {
            assert!(!about.speaks(text), "{text}");
        }
        for text in ["Ban Dân vận Tỉnh ủy Bản Lầm họp với ba xã", "Ba xã bàn về quy chế dân chủ với Ban Dân vận"]
        {
            assert!(about.speaks(text), "{text}");
        }
    }
}
