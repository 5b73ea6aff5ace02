//! Many phrases, looked for at once: a tree of tokens.

use super::tokens::{COMMA, SENTENCE_END, UNKNOWN};
use crate::text::pieces;
use std::collections::{BTreeMap, HashMap};

/// The tokens of all phrases, and the phrases as a tree.
#[derive(Debug)]
pub struct Phrases {
    /// By number; the first ones stand for what is in no phrase, a comma and the end of a sentence.
    words: Vec<String>,
    numbers: HashMap<String, u32>,
    /// By token: the node after it at the beginning of a phrase; 0 where none begins so.
    first: Vec<u32>,
    /// By node: where its children are.
    children: Vec<std::ops::Range<usize>>,
    /// Token and node; those of one node by token.
    edges: Vec<(u32, u32)>,
    /// By node: the phrase that ends there.
    ends: Vec<Option<usize>>,
}

impl Phrases {
    /// Each has a token at least; the phrase found is named by its place among them.
    pub fn new(phrases: &[Vec<String>]) -> Phrases {
        let mut all = Phrases {
            words: vec![String::new(), ",".to_owned(), "|".to_owned()],
            numbers: HashMap::from([(",".to_owned(), COMMA), ("|".to_owned(), SENTENCE_END)]),
            first: Vec::new(),
            children: Vec::new(),
            edges: Vec::new(),
            ends: vec![None],
        };
        let mut tree = BTreeMap::<(u32, u32), u32>::new();
        for (n, phrase) in phrases.iter().enumerate() {
            let mut node = 0;
            for word in phrase {
                let token = all.number(word);
                let next = u32::try_from(all.ends.len()).expect("a configuration's phrases have fewer than 2³² tokens");
                node = *tree.entry((node, token)).or_insert(next);
                if node == next {
                    all.ends.push(None);
                }
            }
            all.ends[node as usize] = Some(n);
        }
        all.lay_out(&tree);
        all
    }

    /// The number of a token, a new one if it has none.
    fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = self.words.len() as u32;
        self.numbers.insert(word.to_owned(), number);
        self.words.push(word.to_owned());
        number
    }

    /// The tree as tables.
    fn lay_out(&mut self, tree: &BTreeMap<(u32, u32), u32>) {
        self.first = vec![0; self.words.len()];
        tree.range(..(1, 0)).for_each(|((_, token), node)| self.first[*token as usize] = *node);
        self.edges = tree.iter().map(|((_, token), node)| (*token, *node)).collect();
        let mut at = 0;
        for node in 0..self.ends.len() as u32 {
            let many = tree.range((node, 0)..(node + 1, 0)).count();
            self.children.push(at..at + many);
            at += many;
        }
    }

    /// The number of a folded syllable.
    pub fn token(&self, folded: &str) -> u32 {
        self.numbers.get(folded).copied().unwrap_or(UNKNOWN)
    }

    /// What a number stands for; empty for what is in no phrase.
    pub fn word(&self, token: u32) -> &str {
        &self.words[token as usize]
    }

    /// Gives the phrase, the place of its first token and that after its last one, of all that lie in a text, in the order
    /// in which they begin.
    pub fn find(&self, text: impl Fn(usize) -> Option<u32>, mut each: impl FnMut(usize, usize, usize)) {
        let mut start = 0;
        while let Some(token) = text(start) {
            let mut node = self.first[token as usize];
            let mut end = start + 1;
            while node != 0 {
                if let Some(phrase) = self.ends[node as usize] {
                    each(phrase, start, end);
                }
                node = text(end).map_or(0, |token| self.child(node, token));
                end += 1;
            }
            start += 1;
        }
    }

    /// The node after a token; 0 where no phrase goes on so.
    fn child(&self, node: u32, token: u32) -> u32 {
        let children = &self.edges[self.children[node as usize].clone()];
        children.binary_search_by_key(&token, |edge| edge.0).map_or(0, |at| children[at].1)
    }
}

/// The syllables of a folded phrase and, as `,` and `|`, commas and ends of sentences; none at the end.
pub fn tokens_of(folded: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (syllable, separator) in pieces(folded) {
        all.extend((!syllable.is_empty()).then(|| syllable.to_owned()));
        match separator {
            "," => all.push(",".to_owned()),
            ";" | ":" | "!" | "?" => all.push("|".to_owned()),
            _ => {}
        }
    }
    while all.last().is_some_and(|last| last == "|") {
        all.pop();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_phrases_are_found_where_they_begin() {
        let all = ["dân vận", "dân vận khéo", "khéo", "dân biết, dân bàn"].map(tokens_of);
        let phrases = Phrases::new(&all);
        let found = |text: &str| {
            let text: Vec<u32> = tokens_of(text).iter().map(|token| phrases.token(token)).collect();
            let mut found = Vec::new();
            phrases.find(|at| text.get(at).copied(), |phrase, start, end| found.push((phrase, start, end)));
            found
        };
        assert_eq!(found("làm dân vận khéo"), [(0, 1, 3), (1, 1, 4), (2, 3, 4)]);
        assert_eq!(found("dân biết, dân bàn"), [(3, 0, 5)]);
        assert_eq!(found("dân biết dân bàn, dân, vận dân"), []);
    }

    #[test]
    fn commas_and_ends_of_sentences_are_tokens() {
        assert_eq!(tokens_of("dân biết, dân bàn: rồi!"), ["dân", "biết", ",", "dân", "bàn", "|", "rồi"]);
        assert_eq!(tokens_of("…"), [""; 0]);
    }
}
