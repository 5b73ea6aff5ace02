//! Text, Markdown and HTML out of blocks.

use super::{Block, Run};

/// The blocks joined by a blank line; figures are left out, their captions being in `images`.
pub fn plain(blocks: &[Block]) -> String {
    let parts: Vec<String> = blocks.iter().map(plain_block).filter(|text| !text.is_empty()).collect();
    parts.join("\n\n")
}

/// The text of one block; empty for a figure.
fn plain_block(block: &Block) -> String {
    match block {
        Block::Heading { runs, .. } | Block::Paragraph(runs) => plain_runs(runs),
        Block::List { items, .. } => lines(items),
        Block::Quote(paragraphs) => lines(paragraphs),
        Block::Table(rows) => {
            let rows =
                rows.iter().map(|cells| cells.iter().map(|c| plain_runs(c).replace('\n', " ")).collect::<Vec<_>>());
            rows.map(|cells| cells.join("\t").trim().to_owned()).collect::<Vec<_>>().join("\n")
        }
        Block::Figure { .. } => String::new(),
    }
}

fn lines(texts: &[Vec<Run>]) -> String {
    texts.iter().map(|runs| plain_runs(runs)).collect::<Vec<_>>().join("\n")
}

/// The text of runs, without marks.
pub fn plain_runs(runs: &[Run]) -> String {
    let mut out = String::new();
    push_plain(runs, &mut out);
    out
}

fn push_plain(runs: &[Run], out: &mut String) {
    for run in runs {
        match run {
            Run::Text(text) => out.push_str(text),
            Run::Strong(inner) | Run::Emphasis(inner) | Run::Link { runs: inner, .. } => push_plain(inner, out),
            Run::Break => out.push('\n'),
        }
    }
}

/// CommonMark with GFM tables. Every character that could be read as a mark is escaped.
pub fn markdown(blocks: &[Block]) -> String {
    let parts: Vec<String> = blocks.iter().map(markdown_block).filter(|text| !text.is_empty()).collect();
    parts.join("\n\n")
}

fn markdown_block(block: &Block) -> String {
    match block {
        Block::Heading { level, runs } => {
            format!("{} {}", "#".repeat(usize::from(*level)), one_line(runs))
        }
        Block::Paragraph(runs) => markdown_lines(runs).join("\n"),
        Block::List { ordered, items } => {
            let items = items.iter().enumerate().map(|(n, runs)| {
                let mark = if *ordered { format!("{}. ", n + 1) } else { "- ".to_owned() };
                let indent = format!("\n{}", " ".repeat(mark.len()));
                mark + &markdown_lines(runs).join(&indent)
            });
            items.collect::<Vec<_>>().join("\n")
        }
        Block::Quote(paragraphs) => {
            let quoted = paragraphs.iter().map(|runs| format!("> {}", markdown_lines(runs).join("\n> ")));
            quoted.collect::<Vec<_>>().join("\n>\n")
        }
        Block::Table(rows) => markdown_table(rows),
        Block::Figure { url, caption } => {
            format!("![{}]({})", one_line(caption), markdown_address(url))
        }
    }
}

fn markdown_table(rows: &[Vec<Vec<Run>>]) -> String {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut out: Vec<String> = Vec::with_capacity(rows.len() + 1);
    for (n, cells) in rows.iter().enumerate() {
        let mut cells: Vec<String> = cells.iter().map(|runs| one_line(runs).replace('|', "\\|")).collect();
        cells.resize(width, String::new());
        out.push(format!("| {} |", cells.join(" | ")));
        if n == 0 {
            out.push(format!("|{}", " --- |".repeat(width)));
        }
    }
    out.join("\n")
}

fn one_line(runs: &[Run]) -> String {
    markdown_lines(runs).join(" ").replace("\\ ", " ")
}

/// The lines of a paragraph: broken by a backslash before the line's end, marks at the start of a line escaped.
fn markdown_lines(runs: &[Run]) -> Vec<String> {
    let mut text = String::new();
    push_markdown(runs, &mut text);
    let last = text.split('\n').count() - 1;
    let lines = text.split('\n').enumerate();
    lines.map(|(n, line)| escape_line_start(line.trim()) + if n < last { "\\" } else { "" }).collect()
}

fn push_markdown(runs: &[Run], out: &mut String) {
    for run in runs {
        match run {
            Run::Text(text) => escape(text, out),
            Run::Strong(inner) => push_marked("**", inner, out),
            Run::Emphasis(inner) => push_marked("*", inner, out),
            Run::Link { url, runs } => {
                out.push('[');
                push_markdown(runs, out);
                out.push_str("](");
                out.push_str(&markdown_address(url));
                out.push(')');
            }
            Run::Break => out.push('\n'),
        }
    }
}

/// A mark must touch the word it marks, so white space at the ends goes outside.
fn push_marked(mark: &str, runs: &[Run], out: &mut String) {
    let mut inner = String::new();
    push_markdown(runs, &mut inner);
    let text = inner.trim();
    if text.is_empty() || text.contains('\n') {
        out.push_str(&inner);
        return;
    }
    let start = inner.len() - inner.trim_start().len();
    out.push_str(&inner[..start]);
    out.push_str(mark);
    out.push_str(text);
    out.push_str(mark);
    out.push_str(&inner[start + text.len()..]);
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        if matches!(c, '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '`' | '~') || (c == '&') {
            out.push('\\');
        }
        out.push(c);
    }
}

/// `# `, `- `, `+ `, `1. ` and `1) ` at the start of a line begin a block.
fn escape_line_start(line: &str) -> String {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match line.as_bytes().get(digits) {
        Some(b'.' | b')') if (1..=9).contains(&digits) && ends_word(line, digits + 1) => {
            format!("{}\\{}", &line[..digits], &line[digits..])
        }
        Some(b'#' | b'+' | b'-' | b'=' | b'|') if digits == 0 => format!("\\{line}"),
        _ => line.to_owned(),
    }
}

fn ends_word(line: &str, at: usize) -> bool {
    line.as_bytes().get(at).is_none_or(|b| b.is_ascii_whitespace())
}

fn markdown_address(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '(' => out.push_str("%28"),
            ')' => out.push_str("%29"),
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '\\' => out.push_str("%5C"),
            c if c.is_whitespace() => out.push_str("%20"),
            c => out.push(c),
        }
    }
    out
}

/// HTML of a closed set of elements: h2-h6, p, ul, ol, li, blockquote, table, tr, td, figure, img, figcaption,
/// strong, em, a, br. One block a line.
pub fn html(blocks: &[Block]) -> String {
    blocks.iter().map(html_block).collect::<Vec<_>>().join("\n")
}

fn html_block(block: &Block) -> String {
    match block {
        Block::Heading { level, runs } => format!("<h{level}>{}</h{level}>", html_runs(runs)),
        Block::Paragraph(runs) => format!("<p>{}</p>", html_runs(runs)),
        Block::List { ordered, items } => {
            let tag = if *ordered { "ol" } else { "ul" };
            let items: String = items.iter().map(|runs| format!("<li>{}</li>", html_runs(runs))).collect();
            format!("<{tag}>{items}</{tag}>")
        }
        Block::Quote(paragraphs) => {
            let paragraphs: String = paragraphs.iter().map(|runs| format!("<p>{}</p>", html_runs(runs))).collect();
            format!("<blockquote>{paragraphs}</blockquote>")
        }
        Block::Table(rows) => {
            let row = |cells: &Vec<Vec<Run>>| -> String {
                let cells: String = cells.iter().map(|runs| format!("<td>{}</td>", html_runs(runs))).collect();
                format!("<tr>{cells}</tr>")
            };
            format!("<table>{}</table>", rows.iter().map(row).collect::<String>())
        }
        Block::Figure { url, caption } => {
            let caption = html_runs(caption);
            let caption = if caption.is_empty() { caption } else { format!("<figcaption>{caption}</figcaption>") };
            format!("<figure><img src=\"{}\" alt=\"\">{caption}</figure>", html_escape(url))
        }
    }
}

fn html_runs(runs: &[Run]) -> String {
    let write = |run: &Run| match run {
        Run::Text(text) => html_escape(text),
        Run::Strong(inner) => format!("<strong>{}</strong>", html_runs(inner)),
        Run::Emphasis(inner) => format!("<em>{}</em>", html_runs(inner)),
        Run::Link { url, runs } => {
            format!("<a href=\"{}\">{}</a>", html_escape(url), html_runs(runs))
        }
        Run::Break => "<br>".to_owned(),
    };
    runs.iter().map(write).collect()
}

/// For text and attribute values.
pub fn html_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(s: &str) -> Vec<Run> {
        vec![Run::Text(s.to_owned())]
    }

    #[test]
    fn one_article_three_ways() {
        let blocks = [
            Block::Heading { level: 2, runs: text("Kết quả") },
            Block::Paragraph(vec![
                Run::Text("Xã A ".into()),
                Run::Strong(text("đạt ")),
                Run::Link { url: "https://x.vn/a?b=1&c=(2)".into(), runs: text("100%") },
                Run::Break,
                Run::Text("- hết.".into()),
            ]),
            Block::List { ordered: true, items: vec![text("một"), text("hai")] },
            Block::Table(vec![vec![text("a|b"), text("c")], vec![text("d")]]),
            Block::Figure { url: "https://x.vn/1.jpg".into(), caption: text("Ảnh <một>") },
        ];
        assert_eq!(plain(&blocks), "Kết quả\n\nXã A đạt 100%\n- hết.\n\nmột\nhai\n\na|b\tc\nd");
        assert_eq!(
            markdown(&blocks),
            "## Kết quả\n\nXã A **đạt** [100%](https://x.vn/a?b=1&c=%282%29)\\\n\\- hết.\n\n1. một\n2. hai\n\n\
             | a\\|b | c |\n| --- | --- |\n| d |  |\n\n![Ảnh \\<một\\>](https://x.vn/1.jpg)"
        );
        assert_eq!(
            html(&blocks),
            "<h2>Kết quả</h2>\n<p>Xã A <strong>đạt </strong><a href=\"https://x.vn/a?b=1&amp;c=(2)\">100%</a><br>- hết.</p>\n\
             <ol><li>một</li><li>hai</li></ol>\n<table><tr><td>a|b</td><td>c</td></tr><tr><td>d</td></tr></table>\n\
             <figure><img src=\"https://x.vn/1.jpg\" alt=\"\"><figcaption>Ảnh &lt;một&gt;</figcaption></figure>"
        );
    }

    #[test]
    fn a_text_cannot_become_a_mark() {
        let line = |s: &str| markdown(&[Block::Paragraph(text(s))]);
        assert_eq!(line("# không phải tiêu đề"), "\\# không phải tiêu đề");
        assert_eq!(line("1. Về kết quả"), "1\\. Về kết quả");
        assert_eq!(line("2021. Năm"), "2021\\. Năm");
        assert_eq!(line("24.01 là ngày"), "24.01 là ngày");
        assert_eq!(line("---"), "\\---");
        assert_eq!(line("a *b* [c](d) &lt;"), "a \\*b\\* \\[c\\](d) \\&lt;");
    }
}
