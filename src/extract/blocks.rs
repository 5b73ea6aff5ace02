//! Kept lines to blocks: items to lists, cells to tables, quoted paragraphs to quotes, pictures to figures.

use super::page::{Line, Shape};
use crate::article::{Block, Run};

/// The rule that keeps the lead.
pub const LEAD: &str = "the lead";

/// Blocks with the rule that kept each. `kept` holds lines of the page in order, with their rules.
pub fn blocks(lines: &[Line], kept: &[(usize, String)]) -> (Vec<Block>, Vec<String>) {
    let mut build = Build::default();
    for (n, why) in kept {
        build.line(&lines[*n], why);
    }
    (build.blocks, build.kept_by)
}

#[derive(Default)]
struct Build {
    blocks: Vec<Block>,
    kept_by: Vec<String>,
    last: Option<Shape>,
}

impl Build {
    fn line(&mut self, line: &Line, why: &str) {
        if !self.continues(line) {
            self.begin(line, why);
        }
        self.last = Some(line.shape);
    }

    /// Adds the line to the block before it, if it belongs there.
    fn continues(&mut self, line: &Line) -> bool {
        match (self.blocks.last_mut(), self.last, line.shape) {
            (
                Some(Block::List { items, .. }),
                Some(Shape::Item { list: l, item: i, .. }),
                Shape::Item { list, item, .. },
            ) if l == list => {
                join(items, line, i == item);
                true
            }
            (Some(Block::Quote(texts)), Some(Shape::Quoted { quote: q }), Shape::Quoted { quote }) if q == quote => {
                texts.push(line.runs.clone());
                true
            }
            (
                Some(Block::Table(rows)),
                Some(Shape::Cell { table: t, row: r, cell: c }),
                Shape::Cell { table, row, cell },
            ) if t == table => {
                if r == row {
                    if let Some(cells) = rows.last_mut() {
                        pad(cells, if c == cell { cell } else { cell - 1 });
                        join(cells, line, c == cell);
                    }
                } else {
                    rows.push(first_cells(line, cell));
                }
                true
            }
            _ => false,
        }
    }

    fn begin(&mut self, line: &Line, why: &str) {
        let runs = line.runs.clone();
        let block = match line.shape {
            Shape::Paragraph | Shape::Caption { .. } => Block::Paragraph(runs),
            // Newspapers set the lead in an h2: it is text all the same.
            Shape::Heading(_) if why == LEAD => Block::Paragraph(runs),
            Shape::Heading(level) => Block::Heading { level, runs },
            Shape::Item { ordered, .. } => Block::List { ordered, items: vec![runs] },
            Shape::Quoted { .. } => Block::Quote(vec![runs]),
            Shape::Cell { cell, .. } => Block::Table(vec![first_cells(line, cell)]),
            Shape::Image => match &line.image {
                Some((url, _)) => Block::Figure { url: url.clone(), caption: runs },
                None => return,
            },
        };
        self.blocks.push(block);
        self.kept_by.push(why.to_owned());
    }
}

fn join(texts: &mut Vec<Vec<Run>>, line: &Line, same: bool) {
    match texts.last_mut() {
        Some(last) if same => {
            if !last.is_empty() {
                last.push(Run::Break);
            }
            last.extend(line.runs.iter().cloned());
        }
        _ => texts.push(line.runs.clone()),
    }
}

/// Empty cells before this one keep the columns in line.
fn first_cells(line: &Line, cell: usize) -> Vec<Vec<Run>> {
    let mut cells = Vec::new();
    pad(&mut cells, cell - 1);
    cells.push(line.runs.clone());
    cells
}

fn pad(cells: &mut Vec<Vec<Run>>, wanted: usize) {
    while cells.len() < wanted.min(1_000) {
        cells.push(Vec::new());
    }
}
