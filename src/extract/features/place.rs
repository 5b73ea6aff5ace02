//! What is measured of a line's place: in the body, in its element, among lines made alike.

use super::super::chrome::Fate;
use super::super::density::is_text;
use super::super::page::Shape;
use super::super::signs;
use super::own::{Own, flag};
use super::repeats::Repeats;
use super::{Said, Sight};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The names of the numbers.
pub const PLACE: &[&str] = &[
    "inside",
    "at",
    "left",
    "line",
    "lines_left",
    "from_headline",
    "text_since",
    "text_until",
    "before",
    "after",
    "gap_before",
    "gap_after",
    "alike",
    "alike_lines",
    "alike_tag",
    "depth",
    "page_text",
    "body_text",
    "body_share",
    "page_lines",
    "branch_text",
    "branch_links",
    "branch_lines",
    "branch_at",
    "branch_left",
    "branch_depth",
    "text0",
    "links0",
    "lines0",
    "text1",
    "links1",
    "lines1",
    "text2",
    "links2",
    "lines2",
    "text3",
    "links3",
    "lines3",
    "heading_ago",
    "heading_kept",
    "heading_said",
    "heading_level",
    "kept_before",
    "kept_after",
    "kept_share",
    "near_nav",
    "near_aside",
    "near_comment",
    "near_foot",
    "near_byline",
    "near_date",
    "near_caption",
    "near_lead",
    "near_body",
    "near_tags",
    "near_share",
    "near_related",
    "near_form",
    "near_article",
    "near_headline",
    "near_advert",
    "near_consent",
    "far_nav",
    "far_aside",
    "far_comment",
    "far_foot",
    "far_byline",
    "far_lead",
    "far_body",
    "far_tags",
    "far_share",
    "far_related",
    "far_form",
    "far_article",
    "far_headline",
    "far_advert",
    "far_consent",
    "vietnamese",
    "again_before",
    "again_after",
    "picture",
    "picture_lines",
    "picture_text",
    "alike_most",
    "main_since",
    "main_until",
    "headlines_ago",
    "stamps_ago",
    "articles_ago",
    "body_told",
];

const NEAR: [signs::Signs; 17] = [
    signs::NAV,
    signs::ASIDE,
    signs::COMMENT,
    signs::FOOT,
    signs::BYLINE,
    signs::DATE,
    signs::CAPTION,
    signs::LEAD,
    signs::BODY,
    signs::TAGS,
    signs::SHARE,
    signs::RELATED,
    signs::FORM,
    signs::ARTICLE_BODY,
    signs::HEADLINE,
    signs::ADVERT,
    signs::CONSENT,
];
const FAR: [signs::Signs; 15] = [
    signs::NAV,
    signs::ASIDE,
    signs::COMMENT,
    signs::FOOT,
    signs::BYLINE,
    signs::LEAD,
    signs::BODY,
    signs::TAGS,
    signs::SHARE,
    signs::RELATED,
    signs::FORM,
    signs::ARTICLE_BODY,
    signs::HEADLINE,
    signs::ADVERT,
    signs::CONSENT,
];

/// Sums over the lines that are measured.
pub struct Places {
    lines: Vec<usize>,
    /// By line of the page: characters, and those in links, before it.
    chars: Vec<f32>,
    linked: Vec<f32>,
    /// By line that is measured: steps to the last and the next running text, the last heading.
    since: Vec<f32>,
    until: Vec<f32>,
    heading: Vec<Option<usize>>,
    /// Lines that the rules kept, before each.
    kept: Vec<f32>,
    kept_text: Vec<f32>,
    signature: Vec<(u64, u64)>,
    alike: HashMap<u64, (f32, f32)>,
    headline: Option<usize>,
    repeats: Repeats,
    history: Vec<[f32; 3]>,
    /// Of the most text in lines made alike: how much, its first and last line.
    main: (f32, usize, usize),
    /// By line of the page: pictures before it.
    pictures: Vec<f32>,
    told: f32,
    all: f32,
    body_text: f32,
    vietnamese: f32,
}

impl Places {
    pub fn new(sight: &Sight<'_, '_>, said: &Said, shingles: Vec<Vec<u64>>, lines: &[usize]) -> Places {
        let flat = sight.flat;
        let sums = |value: &dyn Fn(usize) -> f32, over: &mut dyn Iterator<Item = usize>| {
            let mut sum = 0.0;
            let mut all = vec![0.0];
            over.for_each(|n| {
                sum += value(n);
                all.push(sum);
            });
            all
        };
        let text = |&n: &usize| is_text(&flat.lines[n]);
        let mut places = Places {
            lines: lines.to_vec(),
            chars: sums(&|n| flat.lines[n].chars as f32, &mut (0..flat.lines.len())),
            linked: sums(&|n| flat.lines[n].linked as f32, &mut (0..flat.lines.len())),
            since: steps(lines.iter().map(text)),
            until: steps(lines.iter().rev().map(text)),
            heading: Vec::new(),
            kept: sums(&|n| flag(is_kept(sight, n)), &mut lines.iter().copied()),
            kept_text: sums(&|n| if is_kept(sight, n) { sight.worth.text[n] } else { 0.0 }, &mut lines.iter().copied()),
            signature: lines.iter().map(|&n| signature(sight, n)).collect(),
            alike: HashMap::new(),
            headline: None,
            told: said.text.len() as f32 / shingles.iter().map(Vec::len).sum::<usize>().max(1) as f32,
            repeats: Repeats::of(shingles),
            history: history(sight, lines),
            main: (0.0, 0, 0),
            pictures: sums(&|n| flag(flat.lines[n].shape == Shape::Image), &mut (0..flat.lines.len())),
            all: sight.worth.text.iter().sum::<f32>().max(1.0),
            body_text: sight.worth.text[sight.body.clone()].iter().sum::<f32>().max(1.0),
            vietnamese: flag(sight.meta.language.as_deref() == Some("vi")),
        };
        places.until.reverse();
        let mut last = None;
        for (at, &n) in lines.iter().enumerate() {
            places.heading.push(last);
            if matches!(flat.lines[n].shape, Shape::Heading(_)) {
                last = Some(at);
            }
            for key in [places.signature[at].0, places.signature[at].1] {
                let sum = places.alike.entry(key).or_default();
                *sum = (sum.0 + sight.worth.text[n], sum.1 + 1.0);
            }
        }
        places.main = places.most_alike();
        let title = sight.meta.title.as_deref().unwrap_or("");
        places.headline = lines.iter().position(|&n| flat.lines[n].text == title);
        places
    }

    pub fn measure(&self, sight: &Sight<'_, '_>, own: &[Own], at: usize, numbers: &mut Vec<f32>) {
        let n = self.lines[at];
        let (flat, body) = (sight.flat, &sight.body);
        let inside = body.contains(&n);
        let kept_all = self.kept_text[self.lines.len()].max(1.0);
        let alike = |key: u64| self.alike.get(&key).copied().unwrap_or_default();
        let (alike_text, alike_lines) = alike(self.signature[at].0);
        numbers.extend([
            if inside {
                1.0
            } else if n < body.start {
                0.0
            } else {
                2.0
            },
            (n as f32 - body.start as f32) / body.len().max(1) as f32,
            (body.end as f32 - n as f32) / body.len().max(1) as f32,
            (n as f32 - body.start as f32).clamp(-100.0, 100.0),
            (body.end as f32 - n as f32).clamp(-100.0, 100.0),
            self.headline.map_or(-200.0, |h| (at as f32 - h as f32).clamp(-100.0, 100.0)),
            self.since[at],
            self.until[at],
            self.kept_text[at] / kept_all,
            (kept_all - self.kept_text[at + 1]) / kept_all,
            flag(at > 0 && n > self.lines[at - 1] + 1),
            flag(self.lines.get(at + 1).is_some_and(|&m| m > n + 1)),
            alike_text / self.all,
            alike_lines.min(200.0),
            alike(self.signature[at].1).0 / self.all,
            flat.around(flat.lines[n].elem).count() as f32,
            self.all.min(50_000.0),
            self.body_text.min(50_000.0),
            self.body_text / self.all,
            self.lines.len().min(1_000) as f32,
        ]);
        let branch = flat
            .around(flat.lines[n].elem)
            .enumerate()
            .take_while(|(_, e)| {
                let lines = &flat.elems[*e].lines;
                (lines.start >= body.start && lines.end <= body.end && lines.len() < body.len())
                    || lines.end <= body.start
                    || lines.start >= body.end
            })
            .last();
        let (branch_depth, branch) = branch.map_or((0, flat.lines[n].elem), |(d, e)| (d, e));
        self.element(sight, branch, numbers);
        let lines = &flat.elems[branch].lines;
        numbers.extend([(n - lines.start.min(n)) as f32, lines.end.saturating_sub(n) as f32, branch_depth as f32]);
        let mut around = flat.around(flat.lines[n].elem);
        let mut elem = 0;
        for _ in 0..4 {
            elem = around.next().unwrap_or(elem);
            self.element(sight, elem, numbers);
        }
        self.heading(sight, own, at, numbers);
        let kept = &self.kept;
        numbers.push(kept[at] - kept[at.saturating_sub(5)]);
        numbers.push(kept[(at + 6).min(kept.len() - 1)] - kept[at + 1]);
        numbers.push((kept[(at + 11).min(kept.len() - 1)] - kept[at.saturating_sub(10)]) / 21.0);
        let near = flat.around(flat.lines[n].elem).take(3).fold(0, |s, e| s | flat.elems[e].signs);
        let far = flat
            .around(flat.lines[n].elem)
            .take_while(|&e| sight.worth.text_in(flat, e) < 0.5 * self.all)
            .fold(0, |s, e| s | flat.elems[e].signs);
        numbers.extend(NEAR.iter().map(|s| flag(near & s != 0)));
        numbers.extend(FAR.iter().map(|s| flag(far & s != 0)));
        numbers.push(self.vietnamese);
        numbers.extend(self.repeats.measure(at));
        self.picture(sight, n, numbers);
        let (most, first, last) = self.main;
        numbers.push(alike_text / most.max(1.0));
        numbers.push((at as f32 - first as f32).clamp(-50.0, 50.0));
        numbers.push((last as f32 - at as f32).clamp(-50.0, 50.0));
        numbers.extend(self.history[at]);
        numbers.push(self.told);
    }

    /// How much text is made alike at most, and between which lines it stands.
    fn most_alike(&self) -> (f32, usize, usize) {
        let text = |at: usize| self.alike.get(&self.signature[at].0).map_or(0.0, |a| a.0);
        let most = (0..self.lines.len()).max_by(|&a, &b| text(a).total_cmp(&text(b)).then(b.cmp(&a))).unwrap_or(0);
        let same = |at: &usize| self.signature.get(*at).map(|s| s.0) == self.signature.get(most).map(|s| s.0);
        let last = (0..self.lines.len()).rev().find(same).unwrap_or(most);
        (if self.lines.is_empty() { 0.0 } else { text(most) }, most, last)
    }

    /// How far up stands an element that holds a picture too; its lines and text.
    fn picture(&self, sight: &Sight<'_, '_>, n: usize, numbers: &mut Vec<f32>) {
        let holds = |e: &usize| {
            let lines = &sight.flat.elems[*e].lines;
            self.pictures[lines.end] > self.pictures[lines.start]
        };
        let found = sight.flat.around(sight.flat.lines[n].elem).take(4).enumerate().find(|(_, e)| holds(e));
        match found {
            Some((up, e)) => numbers.extend([
                up as f32,
                sight.flat.elems[e].lines.len().min(50) as f32,
                sight.worth.text_in(sight.flat, e) / self.all,
            ]),
            None => numbers.extend([9.0, 50.0, 1.0]),
        }
    }

    /// Its share of the page's text, its share of links, its lines.
    fn element(&self, sight: &Sight<'_, '_>, elem: usize, numbers: &mut Vec<f32>) {
        let lines = &sight.flat.elems[elem].lines;
        let chars = self.chars[lines.end] - self.chars[lines.start];
        let linked = self.linked[lines.end] - self.linked[lines.start];
        numbers.push(sight.worth.text_in(sight.flat, elem) / self.all);
        numbers.push(linked / chars.max(1.0));
        numbers.push(lines.len().min(300) as f32);
    }

    fn heading(&self, sight: &Sight<'_, '_>, own: &[Own], at: usize, numbers: &mut Vec<f32>) {
        let Some(heading) = self.heading[at] else {
            return numbers.extend([100.0, -1.0, 0.0, 0.0]);
        };
        let n = self.lines[heading];
        let level = if let Shape::Heading(level) = sight.flat.lines[n].shape { f32::from(level) } else { 0.0 };
        // Too far above to say anything of the line.
        let said = if at - heading < 99 { own[heading][0] } else { 0.0 };
        numbers.extend([(at - heading).min(99) as f32, flag(is_kept(sight, n)), said, level]);
    }
}

/// By line, how many headlines of the first order, how many bylines and dates, and how many `<article>`s began since
/// the page's first running text.
fn history(sight: &Sight<'_, '_>, lines: &[usize]) -> Vec<[f32; 3]> {
    let (mut now, mut begun, mut inside) = ([0.0_f32; 3], false, None);
    let one = |&n: &usize| {
        let line = &sight.flat.lines[n];
        begun |= is_text(line) && sight.body.contains(&n);
        let article = sight.flat.around(line.elem).find(|&e| sight.flat.name(e) == "article");
        let stamp = match sight.fates[n] {
            Fate::Byline(_) => true,
            Fate::Dropped(why) => why == "a date",
            _ => false,
        };
        let h1 = || sight.flat.around(line.elem).take(3).any(|e| sight.flat.name(e) == "h1");
        if begun {
            now[0] += flag(h1());
            now[1] += flag(stamp);
            now[2] += flag(article.is_some() && article != inside);
        }
        inside = article.or(inside);
        now.map(|v| v.min(20.0))
    };
    lines.iter().map(one).collect()
}

fn is_kept(sight: &Sight<'_, '_>, n: usize) -> bool {
    matches!(sight.fates[n], Fate::Kept(_))
}

/// Steps since the last that was so, 50 at most.
fn steps(so: impl Iterator<Item = bool>) -> Vec<f32> {
    let mut steps = 50.0_f32;
    so.map(|so| {
        let now = steps;
        steps = if so { 0.0 } else { (steps + 1.0).min(50.0) };
        now
    })
    .collect()
}

/// How a line's element and its parent are made: names and classes of both; of the element alone.
fn signature(sight: &Sight<'_, '_>, n: usize) -> (u64, u64) {
    let line = &sight.flat.lines[n];
    let of = |e: usize, hasher: &mut DefaultHasher| {
        let node = sight.flat.elems[e].node;
        (node.value().name(), node.attr("class").unwrap_or("")).hash(hasher);
    };
    let mut hasher = DefaultHasher::new();
    of(line.elem, &mut hasher);
    let alone = hasher.clone().finish();
    of(sight.flat.elems[line.elem].parent, &mut hasher);
    // A line by itself and a line in its parent are counted apart.
    1_u8.hash(&mut hasher);
    (hasher.finish(), alone)
}
