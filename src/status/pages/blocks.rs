//! An article's blocks as HTML. Pictures are named, not fetched: these pages ask nothing of any other machine.

use super::Look;
use crate::article::{Block, Run};
use crate::status::html::Html;

pub fn blocks(html: &mut Html, look: &Look, blocks: &[Block]) {
    for block in blocks {
        one(html, look, block);
        html.raw("\n");
    }
}

fn one(html: &mut Html, look: &Look, block: &Block) {
    match block {
        // the page has headings of its own down to the third
        Block::Heading { runs: title, .. } => around(html, "<h4>", "</h4>", title),
        Block::Paragraph(text) => around(html, "<p>", "</p>", text),
        Block::List { ordered, items } => {
            html.raw(if *ordered { "<ol>" } else { "<ul>" });
            items.iter().for_each(|item| around(html, "<li>", "</li>", item));
            html.raw(if *ordered { "</ol>" } else { "</ul>" });
        }
        Block::Quote(paragraphs) => {
            html.raw("<blockquote>");
            paragraphs.iter().for_each(|text| around(html, "<p>", "</p>", text));
            html.raw("</blockquote>");
        }
        Block::Table(rows) => {
            html.raw("<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"")
                .text(look.say("Bảng", "Table"));
            html.raw("\"><table><tbody>");
            for row in rows {
                html.raw("<tr>");
                row.iter().for_each(|cell| around(html, "<td>", "</td>", cell));
                html.raw("</tr>");
            }
            html.raw("</tbody></table></div>");
        }
        Block::Figure { url, caption } => {
            html.raw("<figure>").outside(url, look.say("[ảnh]", "[picture]")).raw("<figcaption>");
            runs(html, caption);
            html.raw("</figcaption></figure>");
        }
    }
}

fn around(html: &mut Html, open: &'static str, close: &'static str, inner: &[Run]) {
    html.raw(open);
    runs(html, inner);
    html.raw(close);
}

fn runs(html: &mut Html, all: &[Run]) {
    for run in all {
        match run {
            Run::Text(text) => {
                html.text(text);
            }
            Run::Strong(inner) => around(html, "<strong>", "</strong>", inner),
            Run::Emphasis(inner) => around(html, "<em>", "</em>", inner),
            Run::Link { url, runs: inner } => {
                let text = crate::article::plain(&[Block::Paragraph(inner.clone())]);
                html.outside(url, text);
            }
            Run::Break => {
                html.raw("<br>");
            }
        }
    }
}
