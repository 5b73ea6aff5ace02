//! An article: its clean text beside what was taken away, its copies, its history, why it was selected.

use super::blocks::blocks;
use super::parts::{badge, fact, table, time, why};
use super::{Look, Page};
use crate::article::{Article, Dropped, Entry, Id};
use crate::config::Site;
use crate::poll::{self, Known};
use crate::status::html::Html;
use crate::store::{Mark, StoreError, Taken};
use chrono::{DateTime, Utc};

/// Of what one rule took away.
const SHOWN: usize = 60;

pub fn article(look: &Look) -> anyhow::Result<Option<Page>> {
    let Some(id) = Id::from_name(look.id()) else { return Ok(None) };
    let Some(article) = look.pipeline.store.article(&id)? else { return Ok(None) };
    let mut main = Html::default();
    main.tag("h1 lang=\"vi\"", &article.title);
    head(&mut main, look, &article);
    texts(&mut main, look, &article)?;
    selected(&mut main, look, &article);
    copies(&mut main, look, &article);
    history(&mut main, look, &article);
    facts(&mut main, look, &article);
    Ok(Some(Page { title: article.title.clone(), main }))
}

fn head(main: &mut Html, look: &Look, article: &Article) {
    main.raw("<p class=\"by\">").link(look.lang.at(&format!("/sites/{}", article.site.id)), &article.site.name);
    main.raw(" · ").text(&article.site.province_now).raw(" · ");
    time(main, look, Some(article.published_at.map_or(article.first_seen_at, |at| at.to_utc())));
    if !article.authors.is_empty() {
        main.raw(" · ").text(article.authors.join(", "));
    }
    main.raw(" · ").outside(article.url.as_str(), look.say("bài gốc ↗", "the original ↗")).raw("</p>\n");
    if let Some(degraded) = &article.extraction.degraded {
        main.raw("<p class=\"alert\">");
        badge(main, look, "degraded");
        main.raw(" ");
        why(main, degraded);
        main.raw("</p>\n");
    }
}

fn texts(main: &mut Html, look: &Look, article: &Article) -> anyhow::Result<()> {
    main.raw("<div class=\"beside\">\n<section>\n").tag("h2", look.say("Giữ lại", "Kept"));
    main.raw("<div class=\"text\" lang=\"vi\">\n");
    blocks(main, look, &article.blocks);
    main.raw("</div>\n</section>\n<section>\n").tag("h2", look.say("Bỏ đi", "Taken away"));
    match taken_away(look, article)? {
        Some(dropped) => stripped(main, look, &dropped),
        None => {
            main.raw("<p>").text(look.lang.number(article.extraction.dropped)).raw(" ").text(look.say(
                "phần của trang đã bị bỏ; trang gốc không còn được giữ nên không xem lại được.",
                "parts of the page were taken away; the page as served is not kept any more.",
            ));
            main.raw("</p>\n");
        }
    }
    main.raw("</section>\n</div>\n");
    Ok(())
}

/// From the page as it was served, extracted once more; none where it is not kept or not configured any more.
fn taken_away(look: &Look, article: &Article) -> anyhow::Result<Option<Vec<Dropped>>> {
    let (store, config) = (&look.pipeline.store, &look.pipeline.config);
    let Some(site) = config.sites.iter().find(|site| site.id == article.site.id) else { return Ok(None) };
    let mark = store.mark(&site.id, &article.id)?;
    let settled = mark.as_ref().and_then(|mark| mark.settled);
    let moments = settled.into_iter().chain([article.updated_at, article.first_seen_at]);
    for at in moments {
        if let Some(dropped) = extracted(look, article, site, mark.as_ref(), at)? {
            return Ok(Some(dropped));
        }
    }
    Ok(None)
}

fn extracted(
    look: &Look,
    article: &Article,
    site: &Site,
    mark: Option<&Mark>,
    at: DateTime<Utc>,
) -> Result<Option<Vec<Dropped>>, StoreError> {
    let store = &look.pipeline.store;
    let taken = Taken { page: 0, id: article.id.clone(), at, again: false };
    let Some(pages) = poll::kept(store, &taken)? else { return Ok(None) };
    let entry = mark.map_or_else(|| entry(article), |mark| mark.entry.clone());
    let known = Known::of(store, &site.id)?;
    let _turn = look.board.turn();
    let examined = poll::examine_known(&pages, &entry, site, &look.pipeline.topics, &known, look.now);
    // a page that can no longer be read shows nothing
    Ok(examined.ok().map(|examined| examined.clean.dropped))
}

fn entry(article: &Article) -> Entry {
    let bare = Entry::bare(article.id.clone(), article.url.clone(), Some(article.title.clone()));
    Entry { published: article.published_at, authors: article.authors.clone(), ..bare }
}

/// By the rule that took it, in the order of the page.
fn stripped(main: &mut Html, look: &Look, dropped: &[Dropped]) {
    if dropped.is_empty() {
        main.tag("p", look.say("Không có gì.", "Nothing."));
        return;
    }
    let mut rules: Vec<(&str, Vec<&str>)> = Vec::new();
    for Dropped { text, why } in dropped {
        match rules.iter_mut().find(|(known, _)| known == why) {
            Some((_, texts)) => texts.push(text),
            None => rules.push((why, vec![text])),
        }
    }
    main.raw("<div class=\"stripped\" lang=\"vi\">\n");
    for (rule, texts) in rules {
        main.tag("h3 lang=\"en\"", rule).raw("<ul>\n");
        for text in texts.iter().take(SHOWN) {
            main.raw("<li>").tag("del", text).raw("</li>\n");
        }
        if texts.len() > SHOWN {
            main.tag("li", format!("… +{}", texts.len() - SHOWN));
        }
        main.raw("</ul>\n");
    }
    main.raw("</div>\n");
}

fn selected(main: &mut Html, look: &Look, article: &Article) {
    main.tag("h2", look.say("Vì sao được chọn", "Why it was selected"));
    if article.topics.is_empty() {
        main.tag("p", look.say("Trang này giữ mọi bài.", "Of this site everything is kept."));
        return;
    }
    for topic in &article.topics {
        main.raw("<p>").tag("strong", &topic.id).raw(" ").text(look.say("điểm", "score")).raw(" ");
        main.text(look.lang.score(topic.score)).raw("</p>\n");
        let heads = [look.say("Từ ngữ", "Term"), look.say("Ở đâu", "Where"), look.say("Điểm", "Weight")];
        table(main, &format!("{}: {}", look.say("Từ ngữ", "Terms"), topic.id), &heads, |html| {
            for hit in &topic.hits {
                html.raw("<tr>").tag("td lang=\"vi\"", &hit.term).raw("<td>");
                html.text(look.lang.word(&format!("{:?}", hit.r#where).to_ascii_lowercase()));
                html.raw("</td>").tag("td class=\"count\"", look.lang.score(hit.weight)).raw("</tr>\n");
            }
        });
    }
}

fn copies(main: &mut Html, look: &Look, article: &Article) {
    if article.copies.is_empty() {
        return;
    }
    main.tag("h2", look.say("Bản trùng", "Copies"));
    let heads =
        [look.say("Tiêu đề", "Title"), look.say("Trang", "Site"), look.say("Lúc", "When"), look.say("Giống", "Alike")];
    table(main, look.say("Bản trùng", "Copies"), &heads, |html| {
        for copy in &article.copies {
            html.raw("<tr><td lang=\"vi\">").outside(copy.url.as_str(), &copy.title).raw("</td><td>");
            html.link(look.lang.at(&format!("/sites/{}", copy.site)), &copy.site).raw("</td><td class=\"when\">");
            time(html, look, copy.published_at.map(|at| at.to_utc()));
            html.raw("</td>").tag("td class=\"count\"", look.lang.score(copy.similarity)).raw("</tr>\n");
        }
    });
}

fn history(main: &mut Html, look: &Look, article: &Article) {
    if article.history.is_empty() {
        return;
    }
    main.tag("h2", look.say("Lịch sử", "History"));
    main.raw("<ol class=\"history\">\n");
    for line in &article.history {
        main.raw("<li>").text(look.say("bản", "revision")).raw(" ").text(line.rev).raw(", ");
        time(main, look, Some(line.at));
        main.raw(": ");
        why(main, &line.why);
        main.raw("</li>\n");
    }
    main.raw("</ol>\n");
}

fn facts(main: &mut Html, look: &Look, article: &Article) {
    let word = |of: String| look.lang.word(&of.to_ascii_lowercase());
    main.tag("h2", look.say("Dữ kiện", "Facts")).raw("<dl class=\"facts\">\n");
    fact(main, look.say("Trích bài", "Extraction"), |html| {
        html.text(word(format!("{:?}", article.extraction.method)));
    });
    fact(main, look.say("Ngày đăng lấy", "Date is from"), |html| {
        html.text(word(format!("{:?}", article.published_from)));
    });
    fact(main, look.say("Thấy lần đầu", "First seen"), |html| time(html, look, Some(article.first_seen_at)));
    fact(main, look.say("Sửa lần cuối", "Updated"), |html| time(html, look, Some(article.updated_at)));
    fact(main, look.say("Bản", "Revision"), |html| {
        html.text(article.rev);
    });
    fact(main, look.say("Tệp trong thư mục xuất", "File in the export folder"), |html| {
        html.tag("code", crate::export::path(article, "json"));
    });
    main.raw("</dl>\n");
}
