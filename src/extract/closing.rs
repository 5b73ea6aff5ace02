//! What newspapers put under the text in paragraphs like any other: who the author is, who helped, where to subscribe.

use super::chrome::{Case, Fate};
use super::page::Shape;
use super::words;
use crate::text::fold;

/// A closing paragraph is no longer than this.
const LONGEST: usize = 600;
/// So much of the text, at most, is closing.
const SHARE: f32 = 0.3;

impl Case<'_, '_> {
    /// From the end backwards, as long as each paragraph is of this kind. `authors` as the page's head names them.
    pub fn closing(&mut self, authors: &[String]) {
        let inside = self.inside();
        let all = self.open_text();
        let authors: Vec<String> = authors.iter().map(|a| fold(a)).filter(|a| a.contains(' ')).collect();
        let mut text = 0.0;
        for &n in inside.iter().rev() {
            text += self.worth.text[n];
            let data = matches!(self.line(n).shape, Shape::Cell { .. } | Shape::Quoted { .. });
            if text > SHARE * all || data {
                return;
            }
            if self.line(n).chars == 0 || matches!(self.line(n).shape, Shape::Heading(_)) {
                continue;
            }
            let Some(why) = self.closing_rule(n, &authors) else { return };
            self.fates[n] = Fate::Dropped(why);
        }
    }

    fn closing_rule(&self, n: usize, authors: &[String]) -> Option<&'static str> {
        let line = self.line(n);
        let folded = self.folded(n).trim_start_matches(|c: char| !c.is_alphanumeric() && c != '©');
        if line.chars > LONGEST {
            return None;
        }
        if authors.iter().any(|a| folded.starts_with(a.as_str())) {
            return Some("who the author is");
        }
        if has_address(&line.text) && line.chars < 250 {
            return Some("an address under the text");
        }
        words::is_closing(folded).then_some("a closing line of the site")
    }
}

/// `name@example.vn`, `@name`.
fn has_address(text: &str) -> bool {
    text.split_whitespace().any(|word| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '@');
        word.split_once('@').is_some_and(|(before, after)| {
            let handle = before.is_empty()
                && after.chars().count() >= 3
                && after.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            handle || (!before.is_empty() && after.contains('.'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::has_address;

    #[test]
    fn addresses_are_of_persons() {
        assert!(has_address("Viết cho chúng tôi: toasoan@example.vn."));
        assert!(has_address("Follow her (@lomai)"));
        assert!(!has_address("5 kg @ 20.000 đồng"));
    }
}
