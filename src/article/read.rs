//! Blocks out of the HTML that [`super::html`] wrote: the way back, for an export folder that has to become a store.

use super::{Block, Run};

/// Marks within marks; far more than any article has, and too few to overflow a stack.
const DEPTH: usize = 128;

/// None unless `html` could have been written from blocks. Neighbouring texts come back as one, and texts and blocks
/// that wrote nothing are not there.
pub fn from_html(html: &str) -> Option<Vec<Block>> {
    let mut rest = html;
    let mut blocks = Vec::new();
    while !rest.is_empty() {
        if !blocks.is_empty() {
            rest = rest.strip_prefix('\n')?;
        }
        let (block, after) = block(rest)?;
        blocks.push(block);
        rest = after;
    }
    Some(blocks)
}

type Read<'a, T> = Option<(T, &'a str)>;

fn block(html: &str) -> Read<'_, Block> {
    let (tag, _) = html.strip_prefix('<')?.split_once(['>', ' '])?;
    match tag {
        "p" => inside(html, "p").map(|(runs, rest)| (Block::Paragraph(runs), rest)),
        "ul" | "ol" => {
            let (items, rest) = many(html, tag, |item| inside(item, "li"))?;
            Some((Block::List { ordered: tag == "ol", items }, rest))
        }
        "blockquote" => many(html, tag, |p| inside(p, "p")).map(|(all, rest)| (Block::Quote(all), rest)),
        "table" => {
            let row = |html| many(html, "tr", |cell| inside(cell, "td"));
            many(html, tag, row).map(|(rows, rest)| (Block::Table(rows), rest))
        }
        "figure" => figure(html),
        _ => {
            let level = tag.strip_prefix('h')?.parse().ok()?; // not a heading, not a block
            inside(html, tag).map(|(runs, rest)| (Block::Heading { level, runs }, rest))
        }
    }
}

fn figure(html: &str) -> Read<'_, Block> {
    let (url, rest) = html.strip_prefix("<figure><img src=\"")?.split_once("\" alt=\"\">")?;
    let (caption, rest) =
        if rest.starts_with("<figcaption>") { inside(rest, "figcaption")? } else { (Vec::new(), rest) };
    Some((Block::Figure { url: unescape(url)?, caption }, rest.strip_prefix("</figure>")?))
}

/// `<tag>`, any number of what `one` reads, `</tag>`.
fn many<'a, T>(html: &'a str, tag: &str, one: impl Fn(&'a str) -> Read<'a, T>) -> Read<'a, Vec<T>> {
    let mut rest = open(html, tag)?;
    let mut all = Vec::new();
    loop {
        if let Some(after) = close(rest, tag) {
            return Some((all, after));
        }
        let (item, after) = one(rest)?;
        all.push(item);
        rest = after;
    }
}

/// `<tag>`, runs, `</tag>`.
fn inside<'a>(html: &'a str, tag: &str) -> Read<'a, Vec<Run>> {
    let (found, rest) = runs(open(html, tag)?, DEPTH)?;
    Some((found, close(rest, tag)?))
}

fn open<'a>(html: &'a str, tag: &str) -> Option<&'a str> {
    html.strip_prefix('<')?.strip_prefix(tag)?.strip_prefix('>')
}

fn close<'a>(html: &'a str, tag: &str) -> Option<&'a str> {
    html.strip_prefix("</")?.strip_prefix(tag)?.strip_prefix('>')
}

/// Up to the end tag of what they stand in.
fn runs(html: &str, depth: usize) -> Read<'_, Vec<Run>> {
    let mut rest = html;
    let mut all = Vec::new();
    while !rest.starts_with("</") {
        let (run, after) = run(rest, depth.checked_sub(1)?)?;
        all.push(run);
        rest = after;
    }
    Some((all, rest))
}

fn run(html: &str, depth: usize) -> Read<'_, Run> {
    if !html.starts_with('<') {
        let end = html.find('<')?;
        return Some((Run::Text(unescape(&html[..end])?), &html[end..]));
    }
    if let Some(rest) = html.strip_prefix("<br>") {
        return Some((Run::Break, rest));
    }
    if let Some(rest) = html.strip_prefix("<a href=\"") {
        let (url, rest) = rest.split_once("\">")?;
        let (inner, rest) = runs(rest, depth)?;
        return Some((Run::Link { url: unescape(url)?, runs: inner }, close(rest, "a")?));
    }
    let (tag, make): (_, fn(Vec<Run>) -> Run) =
        if html.starts_with("<strong>") { ("strong", Run::Strong) } else { ("em", Run::Emphasis) };
    let (inner, rest) = runs(open(html, tag)?, depth)?;
    Some((make(inner), close(rest, tag)?))
}

/// The way back from [`super::html_escape`]; none where it wrote something else.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"']) {
        out.push_str(&rest[..at]);
        let (_, found) = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"')]
            .into_iter()
            .find(|(written, _)| rest[at..].starts_with(written))
            .map(|(written, c)| (rest = &rest[at + written.len()..], c))?;
        out.push(found);
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::super::{Block, Run, html};
    use super::from_html;

    const TEXTS: [&str; 8] =
        ["Xã A ", "a<b>&\"'", "&amp;lt;", "\n hai\tdòng \r\n", "</p><p>", "\u{0}\u{feff}🙂", "<br>", "\" alt=\"\">"];

    /// A small generator of choices (xorshift, Marsaglia 2003).
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, below: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) as usize % below
        }

        fn text(&mut self) -> String {
            TEXTS[self.roll(TEXTS.len())].to_owned()
        }

        /// Without two neighbouring texts, which are one when written.
        fn runs(&mut self, depth: usize) -> Vec<Run> {
            let mut out = Vec::new();
            for _ in 0..self.roll(4) {
                let run = match self.roll(if depth > 0 { 5 } else { 2 }) {
                    0 => Run::Break,
                    1 => Run::Text(self.text()),
                    2 => Run::Strong(self.runs(depth - 1)),
                    3 => Run::Emphasis(self.runs(depth - 1)),
                    _ => Run::Link { url: self.text(), runs: self.runs(depth - 1) },
                };
                if !matches!((out.last(), &run), (Some(Run::Text(_)), Run::Text(_))) {
                    out.push(run);
                }
            }
            out
        }

        fn many(&mut self) -> Vec<Vec<Run>> {
            (0..self.roll(4)).map(|_| self.runs(3)).collect()
        }

        fn block(&mut self) -> Block {
            match self.roll(6) {
                0 => Block::Heading { level: 2 + self.roll(5) as u8, runs: self.runs(3) },
                1 => Block::Paragraph(self.runs(3)),
                2 => Block::List { ordered: self.roll(2) == 0, items: self.many() },
                3 => Block::Quote(self.many()),
                4 => Block::Table((0..self.roll(4)).map(|_| self.many()).collect()),
                _ => Block::Figure { url: self.text(), caption: self.runs(2) },
            }
        }
    }

    #[test]
    fn what_was_written_comes_back() {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        for _ in 0..3000 {
            let blocks: Vec<Block> = (0..dice.roll(6)).map(|_| dice.block()).collect();
            assert_eq!(from_html(&html(&blocks)).as_ref(), Some(&blocks), "{}", html(&blocks));
        }
    }

    #[test]
    fn what_was_cut_or_changed_is_refused_or_writes_itself_again() {
        let mut dice = Dice(7);
        for _ in 0..300 {
            let whole = html(&[dice.block(), dice.block()]);
            for at in (0..whole.len()).filter(|at| whole.is_char_boundary(*at)) {
                for damaged in [whole[..at].to_owned(), format!("{}>{}", &whole[..at], &whole[at..])] {
                    assert!(from_html(&damaged).is_none_or(|blocks| html(&blocks) == damaged), "{damaged}");
                }
            }
        }
        assert_eq!(from_html(&format!("<p>{}", "<em>".repeat(100_000))), None);
        assert_eq!(from_html("<script>x</script>"), None);
    }
}
