//! Is it about civic mobilization, and why: `Clean -> Verdict`.
//!
//! A topic is a table of weighted phrases. The text is folded once and read once; where phrases overlap, one that lies
//! within a longer one does not count (*Trưởng ban Dân vận* is a title, not *dân vận*). Each phrase adds its weight
//! for the place where it stands, n times over as much as log2(1 + n); what only supports (*khiếu nại*, *kiến nghị*)
//! counts at most as much as the evidence beside it; the sum is the score.

mod phrases;
mod table;
mod tokens;

use crate::article::{Hit, Judged, Place, Verdict};
use crate::config::{SHIPPED, TermConfig, TopicConfig};
use crate::text::Written;
use phrases::{Phrases, tokens_of};
use std::sync::{Mutex, PoisonError};
use table::Term;
use tokens::Tokens;

/// Body weights hold for a text of this many syllables; in a longer one each counts less, so that length alone
/// collects nothing.
const USUAL_LENGTH: f64 = 400.0;

/// How many tokens may lie between the two halves of a phrase with a gap.
const GAP: usize = 14;

/// The topics of a configuration, their terms compiled.
#[derive(Debug)]
pub struct Topics {
    topics: Vec<Topic>,
    /// Over the phrases of all topics.
    phrases: Phrases,
    /// By pattern of `phrases`: every use of that phrase.
    uses: Vec<Vec<Use>>,
    /// What written syllables are among the phrases' tokens, as remembered by each thread that is not at work.
    written: Mutex<Vec<Written<u32>>>,
}

#[derive(Debug)]
struct Topic {
    id: String,
    threshold: f64,
    terms: Vec<Term>,
}

/// What a phrase is to a topic.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Use {
    topic: usize,
    term: usize,
    half: Half,
}

/// A phrase with a gap (*vi phạm … quy chế dân chủ*) is looked for in halves.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Half {
    Whole,
    First,
    Second,
}

/// A term found: its first token, and that after its last one.
#[derive(Clone, Copy, Debug)]
struct Found {
    term: usize,
    half: Half,
    start: usize,
    end: usize,
}

impl Topics {
    pub fn new(topics: &[TopicConfig]) -> Topics {
        let topics: Vec<Topic> = topics.iter().map(Topic::new).collect();
        let (patterns, uses) = patterns(&topics);
        Topics { topics, phrases: Phrases::new(&patterns), uses, written: Mutex::default() }
    }

    /// `paragraphs[0]` is the lead.
    pub fn judge(&self, title: &str, paragraphs: &[&str]) -> Verdict {
        let mut written = self.resting().pop().unwrap_or_default();
        let tokens = Tokens::of(title, paragraphs, &self.phrases, &mut written);
        self.resting().push(written);
        let mut found = vec![Vec::new(); self.topics.len()];
        self.phrases.find(
            |at| tokens.number(at),
            |phrase, start, end| {
                for Use { topic, term, half } in &self.uses[phrase] {
                    found[*topic].push(Found { term: *term, half: *half, start, end });
                }
            },
        );
        let words = |start, end| tokens.words(start, end, &self.phrases);
        let judged = self.topics.iter().zip(found).map(|(topic, found)| topic.judge(found, &tokens, words));
        Verdict { topics: judged.collect() }
    }

    /// What a thread that panicked left is no less true.
    fn resting(&self) -> std::sync::MutexGuard<'_, Vec<Written<u32>>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an operator's phrase is found in its own words, the gap left out. If not, then in no text.
pub fn can_be_found(say: &str) -> bool {
    let term = TermConfig { say: say.to_owned(), weight: 1.0 };
    let topics = Topics::new(&[TopicConfig { id: String::new(), threshold: 1.0, terms: vec![term] }]);
    topics.judge("", &[&say.replace('…', " ")]).selected()
}

/// Every phrase once, and all that it is used for.
fn patterns(topics: &[Topic]) -> (Vec<Vec<String>>, Vec<Vec<Use>>) {
    let mut uses = std::collections::BTreeMap::<Vec<String>, Vec<Use>>::new();
    for (topic, t) in topics.iter().enumerate() {
        for (term, phrases) in t.terms.iter().enumerate() {
            for (phrase, half) in phrases.phrases.iter().flat_map(|p| halves(p)) {
                let all = uses.entry(phrase).or_default();
                let this = Use { topic, term, half };
                if !all.contains(&this) {
                    all.push(this);
                }
            }
        }
    }
    uses.into_iter().unzip()
}

fn halves(phrase: &str) -> Vec<(Vec<String>, Half)> {
    let halves = match phrase.split_once('…') {
        Some((first, second)) => vec![(first, Half::First), (second, Half::Second)],
        None => vec![(phrase, Half::Whole)],
    };
    let halves = halves.into_iter().map(|(part, half)| (tokens_of(part), half));
    halves.filter(|(tokens, _)| !tokens.is_empty()).collect()
}

impl Topic {
    fn new(config: &TopicConfig) -> Topic {
        let shipped = if config.id == SHIPPED { table::shipped() } else { Vec::new() };
        Topic {
            id: config.id.clone(),
            threshold: config.threshold,
            terms: table::with_operators(shipped, &config.terms),
        }
    }

    fn judge(&self, found: Vec<Found>, tokens: &Tokens, words: impl Fn(usize, usize) -> String) -> Judged {
        let mut counted = std::collections::BTreeMap::<(usize, Place), (Found, u32)>::new();
        for one in longest(joined(found, tokens)) {
            counted.entry((one.term, tokens.place(one.start))).or_insert((one, 0)).1 += 1;
        }
        let mut evidence = Vec::new();
        let mut support = Vec::new();
        for ((term, place), (first, count)) in counted {
            let kind = if self.terms[term].support { &mut support } else { &mut evidence };
            kind.push(self.hit(&first, words(first.start, first.end), place, count, tokens.syllables));
        }
        limit(&mut support, evidence.iter().map(|h| h.weight.max(0.0)).sum());
        let mut hits = [evidence, support].concat();
        hits.retain(|h| h.weight != 0.0);
        hits.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()).then(a.r#where.cmp(&b.r#where)));
        let score = round(hits.iter().map(|h| h.weight).sum());
        Judged { id: self.id.clone(), score, selected: score >= self.threshold, hits }
    }

    fn hit(&self, first: &Found, words: String, place: Place, count: u32, syllables: usize) -> Hit {
        let term = &self.terms[first.term];
        let long = place == Place::Body && term.shipped;
        let length = if long { (USUAL_LENGTH / syllables.max(1) as f64).sqrt().min(1.0) } else { 1.0 };
        let weight = term.weights[place as usize] * f64::from(count + 1).log2() * length;
        Hit { term: words, r#where: place, weight: round(weight) }
    }
}

/// What supports counts at most as much as the evidence that it supports.
fn limit(support: &mut [Hit], evidence: f64) {
    let sum: f64 = support.iter().map(|h| h.weight).sum();
    if sum > evidence {
        support.iter_mut().for_each(|h| h.weight = round(h.weight * evidence / sum));
    }
}

/// To a thousandth: what is printed adds up.
fn round(weight: f64) -> f64 {
    (weight * 1000.0).round() / 1000.0
}

/// The whole phrases, and those whose second half follows the first in the same sentence.
fn joined(found: Vec<Found>, tokens: &Tokens) -> Vec<Found> {
    let of = |half: Half| found.iter().copied().filter(move |f| f.half == half);
    let mut seconds: Vec<Found> = of(Half::Second).collect();
    seconds.sort_by_key(|f| (f.term, f.start));
    let joined = of(Half::First).filter_map(|first| {
        let next = seconds.partition_point(|f| (f.term, f.start) < (first.term, first.end));
        let second = seconds.get(next).filter(|f| f.term == first.term)?;
        let near = second.start - first.end <= GAP && !tokens.parted(first.end, second.start);
        near.then_some(Found { half: Half::Whole, end: second.end, ..first })
    });
    of(Half::Whole).chain(joined).collect()
}

/// Those that do not lie within a longer one.
fn longest(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|f| (f.start, std::cmp::Reverse(f.end), f.term));
    let mut reached = 0;
    found.retain(|f| {
        let kept = f.end > reached;
        reached = reached.max(f.end);
        kept
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization;

    fn shipped() -> Topics {
        Topics::new(&[TopicConfig { id: SHIPPED.into(), threshold: 1.0, terms: Vec::new() }])
    }

    fn own(id: &str, terms: &[(&str, f64)]) -> TopicConfig {
        let terms = terms.iter().map(|(say, weight)| TermConfig { say: (*say).into(), weight: *weight });
        TopicConfig { id: id.into(), threshold: 1.0, terms: terms.collect() }
    }

    fn rows() -> impl Iterator<Item = Vec<&'static str>> {
        let table = include_str!("../tests/topic.tsv").lines().filter(|l| !l.starts_with('#') && !l.is_empty());
        table.map(|line| line.split('\t').collect())
    }

    fn judge(topics: &Topics, title: &str, text: &str) -> Judged {
        topics.judge(title, &text.split(" / ").collect::<Vec<_>>()).topics.remove(0)
    }

    #[test]
    fn table() {
        let topics = shipped();
        let mut read = 0;
        for row in rows() {
            let [title, text, selected, why] = row[..] else { panic!("four columns: {row:?}") };
            let judged = judge(&topics, title, text);
            assert_eq!(judged.selected, selected == "yes", "{title} ({why}): {judged:?}");
            read += 1;
        }
        assert!(read >= 60, "{read}");
    }

    #[test]
    fn every_spelling_scores_alike() {
        let topics = shipped();
        for row in rows() {
            let expected = judge(&topics, row[0], row[1]);
            let respell: [fn(&str) -> String; 3] =
                [str::to_uppercase, |s| s.nfd().collect(), |s| s.replace("hòa", "hoà").replace("ủy", "uỷ")];
            for respelled in respell {
                assert_eq!(judge(&topics, &respelled(row[0]), &respelled(row[1])), expected, "{}", row[0]);
            }
        }
    }

    #[test]
    fn the_weights_of_the_hits_add_up_to_the_score() {
        let topics = shipped();
        for row in rows() {
            let judged = judge(&topics, row[0], row[1]);
            let sum: f64 = judged.hits.iter().map(|h| h.weight).sum();
            assert!((sum - judged.score).abs() < 1e-6, "{judged:?}");
            assert!(judged.hits.is_sorted_by(|a, b| a.weight.abs() >= b.weight.abs()), "{judged:?}");
        }
    }

    #[test]
    fn a_phrase_counts_less_each_time_and_in_a_longer_text() {
        let topics = shipped();
        let once = judge(&topics, "", "Mở đầu. / Xã làm tốt công tác dân vận.");
        let twice = judge(&topics, "", "Mở đầu. / Xã làm tốt công tác dân vận. / Huyện đổi mới công tác dân vận.");
        assert!(once.score < twice.score && twice.score < 2.0 * once.score, "{once:?} {twice:?}");
        let long = format!("Mở đầu. / Xã làm tốt công tác dân vận. / {}", "Lúa chín vàng trên đồng. ".repeat(400));
        assert!(judge(&topics, "", &long).score < once.score / 1.5);
    }

    #[test]
    fn operators_add_and_override() {
        let plain = judge(&shipped(), "Hội thảo về tre trúc", "Dân vận khéo cũng được nhắc tới.");
        let mut config = own(SHIPPED, &[("tre trúc", 1.0), ("DÂN VẬN KHÉO", 0.25)]);
        let changed =
            judge(&Topics::new(&[config.clone()]), "Hội thảo về tre trúc", "Dân vận khéo cũng được nhắc tới.");
        assert!(plain.hits.iter().all(|h| h.term != "tre trúc"));
        let weights: Vec<(&str, f64)> = changed.hits.iter().map(|h| (h.term.as_str(), h.weight)).collect();
        assert_eq!(weights, [("tre trúc", 1.0), ("dân vận khéo", 0.25)]);
        config.id = "tre".into();
        let other = judge(&Topics::new(&[config]), "Công tác dân vận", "Tre trúc, tre trúc");
        assert_eq!(other.hits.len(), 1, "another topic has only its own terms: {other:?}");
    }

    #[test]
    fn an_operators_phrase_keeps_its_tones_and_borders() {
        let topics = Topics::new(&[own("ma", &[("má", 1.0), ("xoài", 1.0), ("", 1.0), ("…", 1.0)])]);
        for text in ["ma", "mà", "mát", "xoài_cát má1", "thoại"] {
            let judged = judge(&topics, text, "");
            assert_eq!(judged.selected, text.starts_with("xoài"), "{judged:?}");
        }
    }

    #[test]
    fn the_halves_of_a_phrase_stand_near_in_one_sentence() {
        let topics = Topics::new(&[own("x", &[("bí thư … đối thoại", 1.0)])]);
        let near = judge(&topics, "Bí thư Huyện ủy sẽ đối thoại", "");
        assert_eq!(near.hits[0].term, "bí thư huyện ủy sẽ đối thoại");
        let far = format!("Bí thư {} đối thoại", "rất bận việc ".repeat(20));
        for text in ["Bí thư nghỉ. Dân đối thoại", "Đối thoại với bí thư", &far] {
            assert_eq!(judge(&topics, text, "").hits, [], "{text}");
        }
    }

    #[test]
    fn a_phrase_that_no_text_can_match_is_known() {
        for say in ["dân vận", "dân biết, dân bàn", "Vì sao?", "TP.HCM", "10.000 hộ", "bí thư … đối thoại", "a … a"]
        {
            assert!(can_be_found(say), "{say}");
        }
        for say in ["TP. Hồ Chí Minh", "!!!", "… đối thoại", "đối thoại …", "a. b … c", ""] {
            assert!(!can_be_found(say), "{say}");
        }
    }

    #[test]
    fn several_topics_each_have_their_verdict() {
        let topics = Topics::new(&[own("lua", &[("lúa", 1.0)]), own(SHIPPED, &[]), own("ca", &[("cá", 0.4)])]);
        let verdict = topics.judge("Giá lúa và cá", &["Cá tra tăng giá"]);
        let seen: Vec<(&str, bool)> = verdict.topics.iter().map(|t| (t.id.as_str(), t.selected)).collect();
        assert_eq!(seen, [("lua", true), (SHIPPED, false), ("ca", false)]);
        assert!(verdict.selected());
    }

    #[test]
    fn any_text_is_judged() {
        let topics = shipped();
        for text in ["", "\u{0}", "<dân><vận>|…", "\u{301}\u{301}", "dân\nvận / khéo, / ."] {
            judge(&topics, text, text);
        }
        assert!(topics.judge("", &[]).topics[0].hits.is_empty());
        assert!(Topics::new(&[]).judge("dân vận", &["dân vận"]).topics.is_empty());
    }
}
