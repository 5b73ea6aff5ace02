//! A row a site.

use super::parts::{badge, spark, table, time, why};
use super::{Look, Page};
use crate::status::board::open;
use crate::status::html::Html;
use crate::status::lang::day_of;
use crate::status::{ExtractionHealth, SiteRow};
use std::collections::{BTreeMap, BTreeSet};

/// Days of the small chart.
const DAYS: usize = 30;

pub fn sites(look: &Look) -> anyhow::Result<Option<Page>> {
    let rows = look.board.rows(&look.pipeline)?;
    let asked = look.asked("state");
    let fits = |row: &&SiteRow| {
        asked.is_empty()
            || row.state.to_string() == asked
            || (asked == "degraded" && row.extraction == ExtractionHealth::Degraded)
    };
    let shown: Vec<&SiteRow> = rows.iter().filter(fits).collect();
    let catalogue = look.board.catalogue(&look.pipeline)?;
    let catalogue = catalogue.as_deref().map(open);
    let rhythm = catalogue.as_ref().map(|catalogue| catalogue.rhythm(day_of(look.now), DAYS));
    let mut main = Html::default();
    main.tag("h1", look.say("Trang nguồn", "Sites"));
    states(&mut main, look, &rows, asked);
    let heads = [
        look.say("Trang", "Site"),
        look.say("Tình trạng", "State"),
        look.say("30 ngày", "30 days"),
        look.say("Đọc được lần cuối", "Last success"),
        look.say("Bài mới lần cuối", "Last new article"),
        look.say("Lượt kế tiếp", "Next poll"),
        look.say("Lỗi liền", "Failures"),
        look.say("Trích bài", "Extraction"),
    ];
    table(&mut main, look.say("Các trang nguồn", "The sites"), &heads, |html| {
        shown.iter().for_each(|row| line(html, look, row, rhythm.as_ref()));
    });
    Ok(Some(Page { title: look.say("Trang nguồn", "Sites").to_owned(), main }))
}

/// How many are in each state, to choose from.
fn states(main: &mut Html, look: &Look, rows: &[SiteRow], asked: &str) {
    let mut states: BTreeSet<String> = rows.iter().map(|row| row.state.to_string()).collect();
    let degraded = rows.iter().filter(|row| row.extraction == ExtractionHealth::Degraded).count();
    if degraded > 0 {
        states.insert("degraded".to_owned());
    }
    main.raw("<p class=\"choice\">");
    main.link(look.lang.at("/sites"), format!("{} {}", look.say("tất cả", "all"), rows.len()));
    for state in &states {
        let count = match state.as_str() {
            "degraded" => degraded,
            _ => rows.iter().filter(|row| row.state.to_string() == *state).count(),
        };
        main.raw(" · <a href=\"").text(look.lang.at(&format!("/sites?state={state}")));
        main.raw(if state == asked { "\" aria-current=\"true\">" } else { "\">" });
        main.text(look.lang.word(state)).raw(" ").text(look.lang.number(count)).raw("</a>");
    }
    main.raw("</p>\n");
}

fn line(html: &mut Html, look: &Look, row: &SiteRow, rhythm: Option<&BTreeMap<&str, Vec<u32>>>) {
    html.raw("<tr><th scope=\"row\">").link(look.lang.at(&format!("/sites/{}", row.id)), &row.name);
    html.raw("<br><small>").text(&row.province).raw("</small></th><td>");
    badge(html, look, &row.state.to_string());
    if let Some(reason) = &row.reason {
        html.raw("<br>");
        why(html, reason);
    }
    html.raw("</td><td>");
    match rhythm {
        Some(rhythm) => spark(html, look, rhythm.get(row.id.as_str()).unwrap_or(&vec![0; DAYS])),
        None => {
            html.raw("<span class=\"none\">…</span>");
        }
    }
    for at in [row.last_success, row.last_new, row.next_poll] {
        html.raw("</td><td class=\"when\">");
        time(html, look, at);
    }
    html.raw("</td><td class=\"count\">").text(look.lang.number(row.failures)).raw("</td><td>");
    badge(html, look, &extraction(row));
    html.raw("</td></tr>\n");
}

/// As the row's JSON calls it.
pub fn extraction(row: &SiteRow) -> String {
    format!("{:?}", row.extraction).to_ascii_lowercase()
}
