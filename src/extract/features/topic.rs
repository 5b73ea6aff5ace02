//! What is measured of a line against the others: of how many of its words the article speaks, what stands under the
//! same heading.

use super::super::page::Shape;
use super::super::weights::ByHash;
use super::Sight;
use super::own::flag;

/// The names of the numbers.
pub const TOPIC: &[&str] = &["shared", "section_text", "section_links", "section_lines"];

pub struct Topic {
    /// By line that is measured: its longer words, each once.
    words: Vec<Vec<u64>>,
    kept: Vec<bool>,
    /// By word, the lines that the rules kept and that have it.
    found: ByHash<u32>,
    sections: Vec<[f32; 3]>,
}

impl Topic {
    pub fn of(sight: &Sight<'_, '_>, lines: &[usize], mut words: Vec<Vec<u64>>) -> Topic {
        let kept: Vec<bool> = lines.iter().map(|&n| sight.fates[n].is_kept()).collect();
        let mut found: ByHash<u32> = ByHash::default();
        for (line, kept) in words.iter_mut().zip(&kept) {
            line.sort_unstable();
            line.dedup();
            if *kept {
                line.iter().for_each(|word| *found.entry(*word).or_default() += 1);
            }
        }
        Topic { sections: sections(sight, lines), words, kept, found }
    }

    pub fn measure(&self, at: usize, numbers: &mut Vec<f32>) {
        let line = &self.words[at];
        let own = u32::from(self.kept[at]);
        let told = |word: &&u64| self.found.get(word).is_some_and(|lines| *lines > own);
        let shared = line.iter().filter(told).count() as f32 / line.len().max(1) as f32;
        numbers.push(if line.is_empty() { -1.0 } else { shared });
        numbers.extend(self.sections[at]);
    }
}

/// From a heading to the next: its share of the text of all sections, its share of links, its lines.
fn sections(sight: &Sight<'_, '_>, lines: &[usize]) -> Vec<[f32; 3]> {
    let heads = |n: usize| matches!(sight.flat.lines[n].shape, Shape::Heading(_));
    let all: f32 = lines.iter().map(|&n| sight.flat.lines[n].chars as f32).sum();
    let mut sections = Vec::with_capacity(lines.len());
    for section in lines.chunk_by(|_, &next| !heads(next)) {
        let sum = |of: &dyn Fn(usize) -> usize| section.iter().map(|&n| of(n) as f32 * flag(!heads(n))).sum::<f32>();
        let (chars, linked) = (sum(&|n| sight.flat.lines[n].chars), sum(&|n| sight.flat.lines[n].linked));
        let measured = [chars / all.max(1.0), linked / chars.max(1.0), section.len().min(100) as f32];
        sections.extend(section.iter().map(|_| measured));
    }
    sections
}
