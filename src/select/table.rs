//! The shipped table of phrases, and the operator's terms beside it.

use crate::config::TermConfig;
use crate::text::fold;

/// Phrases that are evidence of the same thing: together they count as one term.
#[derive(Clone, Debug)]
pub struct Term {
    /// Folded; `…` stands for a gap within a sentence.
    pub phrases: Vec<String>,
    /// By place: title, lead, body.
    pub weights: [f64; 3],
    /// Of the shipped table, not an operator's.
    pub shipped: bool,
    /// No evidence by itself.
    pub support: bool,
}

/// The rows of `phrases.tsv`. A row that cannot be read is left out (a test reads them all).
pub fn shipped() -> Vec<Term> {
    rows().filter_map(read).collect()
}

fn rows() -> impl Iterator<Item = &'static str> {
    include_str!("phrases.tsv").lines().skip(1).filter(|l| !l.is_empty() && !l.starts_with('#'))
}

/// `title, lead, body, phrase, kind, expected, why`, parted by tabs; `tests/weights.py` makes the weights.
fn read(line: &str) -> Option<Term> {
    let mut columns = line.split('\t');
    let mut weights = [0.0; 3];
    for weight in &mut weights {
        *weight = columns.next()?.trim().parse().ok()?;
    }
    let phrases = spelled_out(columns.next()?).iter().map(|p| fold(p)).collect();
    let support = columns.next()? == "support";
    Some(Term { phrases, weights, shipped: true, support })
}

/// An operator's term takes its phrase from the shipped ones: it counts as the operator says, wherever it stands.
pub fn with_operators(mut terms: Vec<Term>, operators: &[TermConfig]) -> Vec<Term> {
    for TermConfig { say, weight } in operators {
        let phrase = fold(say);
        terms.iter_mut().for_each(|term| term.phrases.retain(|p| *p != phrase));
        terms.push(Term { phrases: vec![phrase], weights: [*weight; 3], shipped: false, support: false });
    }
    terms
}

/// All the phrases that a pattern stands for: `[x]` with and without x, `(x|y)` with each.
fn spelled_out(pattern: &str) -> Vec<String> {
    let mut phrases = vec![String::new()];
    let mut rest = pattern;
    while let Some(open) = rest.find(['(', '[']) {
        let closing = if rest[open..].starts_with('(') { ')' } else { ']' };
        let Some(close) = rest[open..].find(closing).map(|at| open + at) else { break };
        let mut choices: Vec<&str> = rest[open + 1..close].split('|').collect();
        if closing == ']' {
            choices.push("");
        }
        phrases = combined(&phrases, &rest[..open], &choices);
        rest = &rest[close + 1..];
    }
    combined(&phrases, rest, &[""])
}

fn combined(phrases: &[String], then: &str, choices: &[&str]) -> Vec<String> {
    phrases.iter().flat_map(|p| choices.iter().map(move |c| format!("{p}{then}{c}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        let unread: Vec<&str> = rows().filter(|line| read(line).is_none()).collect();
        assert!(unread.is_empty(), "{unread:?}");
        assert!(shipped().len() > 50);
        assert!(rows().all(|line| line.split('\t').count() == 7 && !line.ends_with('\t')), "each row says why");
    }

    #[test]
    fn a_pattern_is_spelled_out() {
        assert_eq!(spelled_out("dân vận"), ["dân vận"]);
        assert_eq!(spelled_out("[phó] (trưởng|ban) x"), ["phó trưởng x", "phó ban x", " trưởng x", " ban x"]);
        assert_eq!(spelled_out("không đóng (a|b"), ["không đóng (a|b"]);
    }
}
