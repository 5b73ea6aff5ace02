//! Kept lines to blocks: items to lists, cells to tables, quoted paragraphs to quotes, pictures to figures.

use super::page::{Flat, Line, Shape};
use crate::article::{Block, Run};

/// The rule that keeps the lead.
pub const LEAD: &str = "the lead";

/// Blocks with the rule that kept each. `kept` holds lines of the page in order, with their rules.
pub fn blocks(flat: &Flat<'_>, kept: &[(usize, String)]) -> (Vec<Block>, Vec<String>) {
    let mut build = Build { flat, blocks: Vec::new(), kept_by: Vec::new(), last: None };
    for (n, why) in kept {
        build.line(&flat.lines[*n], why);
    }
    (build.blocks, build.kept_by)
}

struct Build<'f, 'p> {
    flat: &'f Flat<'p>,
    blocks: Vec<Block>,
    kept_by: Vec<String>,
    last: Option<Shape>,
}

impl Build<'_, '_> {
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
                join(items, self.flat.runs(line), i == item);
                true
            }
            (Some(Block::Quote(texts)), Some(Shape::Quoted { quote: q }), Shape::Quoted { quote }) if q == quote => {
                texts.push(self.flat.runs(line));
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
                        join(cells, self.flat.runs(line), c == cell);
                    }
                } else {
                    rows.push(first_cells(self.flat.runs(line), cell));
                }
                true
            }
            _ => false,
        }
    }

    fn begin(&mut self, line: &Line, why: &str) {
        let runs = self.flat.runs(line);
        let block = match line.shape {
            Shape::Paragraph | Shape::Caption { .. } => Block::Paragraph(runs),
            // Newspapers set the lead in an h2: it is text all the same.
            Shape::Heading(_) if why == LEAD => Block::Paragraph(runs),
            Shape::Heading(level) => Block::Heading { level, runs },
            Shape::Item { ordered, .. } => Block::List { ordered, items: vec![runs] },
            Shape::Quoted { .. } => Block::Quote(vec![runs]),
            Shape::Cell { cell, .. } => Block::Table(vec![first_cells(runs, cell)]),
            Shape::Image => match &line.image {
                Some((url, _)) => Block::Figure { url: url.clone(), caption: runs },
                None => return,
            },
        };
        self.blocks.push(block);
        self.kept_by.push(why.to_owned());
    }
}

fn join(texts: &mut Vec<Vec<Run>>, runs: Vec<Run>, same: bool) {
    match texts.last_mut() {
        Some(last) if same => {
            if !last.is_empty() {
                last.push(Run::Break);
            }
            last.extend(runs);
        }
        _ => texts.push(runs),
    }
}

/// Empty cells before this one keep the columns in line.
fn first_cells(runs: Vec<Run>, cell: usize) -> Vec<Vec<Run>> {
    let mut cells = Vec::new();
    pad(&mut cells, cell - 1);
    cells.push(runs);
    cells
}

fn pad(cells: &mut Vec<Vec<Run>>, wanted: usize) {
    while cells.len() < wanted.min(1_000) {
        cells.push(Vec::new());
    }
}
