//! Pieces that several pages show.

use super::Look;
use crate::article::Article;
use crate::status::html::Html;
use chrono::{DateTime, Utc};

/// A state in a word, with a class of its own for the colour.
pub fn badge(html: &mut Html, look: &Look, label: &str) {
    html.raw(match label {
        "ok" | "stored" | "revision" => "<span class=\"badge good\">",
        "failing" | "degraded" | "gave_up" => "<span class=\"badge bad\">",
        "quiet" | "empty" | "later" | "kept" => "<span class=\"badge odd\">",
        _ => "<span class=\"badge\">",
    });
    html.text(look.lang.word(label)).raw("</span>");
}

/// A moment that programs can read, too.
pub fn time(html: &mut Html, look: &Look, at: Option<DateTime<Utc>>) {
    match at {
        Some(at) => {
            html.raw("<time datetime=\"").text(at.to_rfc3339()).raw("\">").text(look.lang.moment(at)).raw("</time>");
        }
        None => {
            html.raw("<span class=\"none\">–</span>");
        }
    }
}

/// What the program says of itself is in English.
pub fn why(html: &mut Html, text: &str) {
    html.raw("<span class=\"why\" lang=\"en\">").text(text).raw("</span>");
}

/// A line of a list of facts.
pub fn fact(html: &mut Html, name: &str, value: impl FnOnce(&mut Html)) {
    html.raw("<div>").tag("dt", name).raw("<dd>");
    value(html);
    html.raw("</dd></div>\n");
}

/// A table that may be wider than a phone.
pub fn table(html: &mut Html, caption: &str, heads: &[&str], rows: impl FnOnce(&mut Html)) {
    html.raw("<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"").text(caption).raw("\">\n<table>\n");
    html.raw("<thead><tr>");
    heads.iter().for_each(|head| {
        html.tag("th scope=\"col\"", head);
    });
    html.raw("</tr></thead>\n<tbody>\n");
    rows(html);
    html.raw("</tbody>\n</table>\n</div>\n");
}

/// The titles of articles, each with its site and time.
pub fn list<'a>(html: &mut Html, look: &Look, articles: impl Iterator<Item = &'a Article>) {
    html.raw("<ol class=\"articles\">\n");
    for article in articles {
        html.raw("<li>").link(look.lang.at(&format!("/articles/{}", article.id)), &article.title).raw("<br><small>");
        html.link(look.lang.at(&format!("/sites/{}", article.site.id)), &article.site.name).raw(" · ");
        html.text(&article.site.province_now).raw(" · ");
        time(html, look, Some(article.published_at.map_or(article.first_seen_at, |at| at.to_utc())));
        if !article.copies.is_empty() {
            html.raw(" · ").text(look.lang.number(article.copies.len())).raw(" ").text(match article.copies.len() {
                1 => look.say("bản trùng", "copy"),
                _ => look.say("bản trùng", "copies"),
            });
        }
        if article.extraction.degraded.is_some() {
            html.raw(" · ");
            badge(html, look, "degraded");
        }
        html.raw("</small></li>\n");
    }
    html.raw("</ol>\n");
}

/// Bars, one a day, the latest last.
pub fn spark(html: &mut Html, look: &Look, counts: &[u32]) {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let sum: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    html.raw("<svg class=\"spark\" role=\"img\" viewBox=\"0 0 ").text(counts.len() * 3).raw(" 16\" width=\"");
    html.text(counts.len() * 3).raw("\" height=\"16\" aria-label=\"").text(look.lang.number(sum)).raw(" ");
    html.text(look.say("bài trong", "articles in")).raw(" ").text(counts.len()).raw(" ").text(look.say("ngày", "days"));
    html.raw("\">");
    for (n, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = (u64::from(*count) * 14).div_ceil(u64::from(most)) + 1;
        html.raw("<rect x=\"").text(n * 3).raw("\" y=\"").text(16 - height.min(16)).raw("\" width=\"2\" height=\"");
        html.text(height.min(16)).raw("\"/>");
    }
    html.raw("</svg>");
}
