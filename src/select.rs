//! Is it about civic mobilization, and why: `Clean -> Verdict`.
//!
//! A topic is a table of weighted phrases. The text is folded once and read once; where phrases overlap, one that lies
//! within a longer one does not count (*Trưởng ban Dân vận* is a title, not *dân vận*). Each phrase adds its weight
//! for the place where it stands, a repetition half as much as the one before; the sum is the score.

mod table;
mod tokens;

use crate::article::{Hit, Judged, Place, Verdict};
use crate::config::TopicConfig;
use aho_corasick::{AhoCorasick, MatchKind};
use table::Term;
use tokens::Tokens;

/// The topic whose terms are shipped; every other has only what its configuration says.
pub const SHIPPED: &str = "dan-van";

/// Body weights hold for a text of this many syllables; in a longer one each counts less, so that length alone
/// collects nothing.
const USUAL_LENGTH: f64 = 400.0;

/// How many bytes may lie between the two halves of a phrase with a gap: about a dozen syllables.
const GAP: usize = 110;

/// The topics of a configuration, their terms compiled.
#[derive(Debug)]
pub struct Topics {
    topics: Vec<Topic>,
    /// Over the phrases of all topics.
    phrases: Option<AhoCorasick>,
    /// By pattern of `phrases`: every use of that phrase.
    uses: Vec<Vec<Use>>,
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

/// A term found, at bytes of the tokens.
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
        // the only error is more than 2³¹ states; without phrases nothing is ever found, which `judge` then says
        let phrases = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&patterns).ok();
        Topics { topics, phrases, uses }
    }

    /// `paragraphs[0]` is the lead.
    pub fn judge(&self, title: &str, paragraphs: &[&str]) -> Verdict {
        let tokens = Tokens::of(title, paragraphs);
        let mut found = vec![Vec::new(); self.topics.len()];
        for m in self.phrases.iter().flat_map(|p| p.find_overlapping_iter(&tokens.text)) {
            for Use { topic, term, half } in &self.uses[m.pattern().as_usize()] {
                found[*topic].push(Found { term: *term, half: *half, start: m.start(), end: m.end() });
            }
        }
        let judged = self.topics.iter().zip(found).map(|(topic, found)| topic.judge(found, &tokens));
        Verdict { topics: judged.collect() }
    }
}

/// Every phrase once, and all that it is used for.
fn patterns(topics: &[Topic]) -> (Vec<String>, Vec<Vec<Use>>) {
    let mut uses = std::collections::BTreeMap::<String, Vec<Use>>::new();
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

fn halves(phrase: &str) -> Vec<(String, Half)> {
    let halves = match phrase.split_once('…') {
        Some((first, second)) => {
            vec![(tokens::of_phrase(first), Half::First), (tokens::of_phrase(second), Half::Second)]
        }
        None => vec![(tokens::of_phrase(phrase), Half::Whole)],
    };
    halves.into_iter().filter(|(tokens, _)| !tokens.is_empty()).collect()
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

    fn judge(&self, found: Vec<Found>, tokens: &Tokens) -> Judged {
        let mut hits = Vec::new();
        let mut counted = vec![[0; 3]; self.terms.len()];
        for one in longest(joined(found, &tokens.text)) {
            let place = tokens.place(one.start);
            let count = &mut counted[one.term][place as usize];
            if *count == 0 {
                hits.push((one, place));
            }
            *count += 1;
        }
        let hits = hits.into_iter().map(|(one, place)| self.hit(one, place, counted[one.term][place as usize], tokens));
        let mut hits: Vec<Hit> = hits.filter(|h| h.weight != 0.0).collect();
        hits.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()).then(a.r#where.cmp(&b.r#where)));
        let score = round(hits.iter().map(|h| h.weight).sum());
        Judged { id: self.id.clone(), score, selected: score >= self.threshold, hits }
    }

    fn hit(&self, one: Found, place: Place, count: u32, tokens: &Tokens) -> Hit {
        let term = &self.terms[one.term];
        let body = if place == Place::Body && term.shipped {
            (USUAL_LENGTH / tokens.syllables as f64).sqrt().min(1.0)
        } else {
            1.0
        };
        // 1 + 1/2 + 1/4 …
        let repeated = 2.0 - 0.5_f64.powi(count as i32 - 1);
        Hit {
            term: tokens.words(one.start, one.end),
            r#where: place,
            weight: round(term.weights[place as usize] * repeated * body),
        }
    }
}

/// To a thousandth: what is printed adds up.
fn round(weight: f64) -> f64 {
    (weight * 1000.0).round() / 1000.0
}

/// The whole phrases, and those whose second half follows the first in the same sentence.
fn joined(found: Vec<Found>, text: &str) -> Vec<Found> {
    let of = |half| found.iter().copied().filter(move |f| f.half == half);
    let mut whole: Vec<Found> = of(Half::Whole).collect();
    let mut seconds: Vec<Found> = of(Half::Second).collect();
    seconds.sort_by_key(|f| (f.term, f.start));
    whole.extend(of(Half::First).filter_map(|first| {
        let next = seconds.partition_point(|f| (f.term, f.start) < (first.term, first.end));
        let second = seconds.get(next).filter(|f| f.term == first.term)?;
        let between = text.get(first.end..second.start)?;
        let near = between.len() <= GAP && !between.contains(tokens::SENTENCE_END);
        near.then_some(Found { half: Half::Whole, end: second.end, ..first })
    }));
    whole
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
