//! What became of each line of a page, for people.

use super::chrome::{Fate, weighed};
use super::density::Worth;
use super::page::{Flat, Line};
use crate::text::tidy;
use serde::Serialize;

/// The elements that are named as a part's place.
const NAMED: usize = 3;

/// A line of the page, and its fate.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub struct Part {
    pub text: String,
    /// Of a picture.
    pub image: Option<String>,
    pub fate: PartFate,
    /// The rule.
    pub why: String,
    /// What it speaks for the article (or, below 0, against it) where the article is looked for: characters of running
    /// text; links, labels, chrome and what recurs on the site cost.
    pub score: f32,
    /// The share of its characters that are links, 0 to 1.
    pub links: f32,
    /// Where it stands, from the outside: `div#main > div.body > p`.
    pub place: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum PartFate {
    Kept,
    Caption,
    Byline,
    Dropped,
}

/// In the order of the page.
pub fn parts(flat: &Flat<'_>, worth: &Worth, fates: &[Fate]) -> Vec<Part> {
    let lines = flat.lines.iter().zip(fates).enumerate();
    lines.map(|(n, (line, fate))| part(flat, line, fate, worth.lines.get(n).copied().unwrap_or(0.0))).collect()
}

fn part(flat: &Flat<'_>, line: &Line, fate: &Fate, score: f32) -> Part {
    let (fate, why) = match fate {
        Fate::Kept(why) => (PartFate::Kept, (*why).to_owned()),
        Fate::Caption(why) => (PartFate::Caption, (*why).to_owned()),
        Fate::Byline(why) => (PartFate::Byline, (*why).to_owned()),
        Fate::Dropped(why) => (PartFate::Dropped, (*why).to_owned()),
        Fate::Raised(percent, against) => (PartFate::Kept, weighed(*percent, against)),
        Fate::Lowered(percent, against) => (PartFate::Dropped, weighed(*percent, against)),
        Fate::Open => (PartFate::Dropped, "no rule".to_owned()),
    };
    Part {
        text: tidy(&line.text),
        image: line.image.as_ref().map(|(url, _)| url.clone()),
        fate,
        why,
        score: (score * 10.0).round() / 10.0,
        links: (line.link_share() * 100.0).round() / 100.0,
        place: place(flat, line.elem),
    }
}

fn place(flat: &Flat<'_>, elem: usize) -> String {
    let mut names: Vec<String> = flat.around(elem).take(NAMED).map(|e| name(flat, e)).collect();
    names.reverse();
    names.join(" > ")
}

/// As a selector would say it: a hint for a layout.
fn name(flat: &Flat<'_>, elem: usize) -> String {
    let node = flat.elems[elem].node;
    let mut name = flat.name(elem).to_owned();
    if let Some(id) = node.attr("id").filter(|id| !id.trim().is_empty()) {
        name += &format!("#{}", id.trim());
    } else if let Some(class) = node.attr("class").and_then(|class| class.split_whitespace().next()) {
        name += &format!(".{class}");
    }
    name
}
