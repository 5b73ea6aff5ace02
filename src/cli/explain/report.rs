//! What is told of a page: as lines, and as JSON.

use super::{Asked, Explained};
use crate::article::{Clean, DateFrom, Judged, Method, Outcome, plain};
use crate::cli::{harmless, moment};
use crate::config::Site;
use crate::extract::{Part, PartFate};
use crate::fetch::public;
use crate::poll;
use crate::store::Mark;
use crate::text::VIETNAM;
use serde_json::{Value, json};
use std::io::{self, Write};

pub fn report(out: &mut impl Write, explained: &Explained) -> io::Result<()> {
    for (name, value) in facts(explained) {
        writeln!(out, "{name:10} {}", harmless(&value))?;
    }
    writeln!(out, "\n{}", whole_verdict(explained))?;
    topic_lines(explained).iter().try_for_each(|line| writeln!(out, "{}", harmless(line)))?;
    known_lines(&explained.asked).iter().try_for_each(|line| writeln!(out, "{}", harmless(line)))?;
    let clean = &explained.examined.clean;
    writeln!(
        out,
        "\nKEPT {} blocks, DROPPED {} parts; in the order of the page,",
        clean.blocks.len(),
        clean.dropped.len()
    )?;
    writeln!(out, "each with what it speaks for the article where the article is looked for:")?;
    for (n, parts) in explained.parts.iter().enumerate() {
        if explained.parts.len() > 1 {
            writeln!(out, "\nPAGE {}", n + 1)?;
        }
        lines(out, parts)?;
    }
    Ok(())
}

/// A rule is said once for the parts in a row that fell to it.
fn lines(out: &mut impl Write, parts: &[Part]) -> io::Result<()> {
    let mut before = None;
    for part in parts {
        let rule = (part.fate, part.why.as_str());
        if before != Some(rule) {
            writeln!(out, "  {}: {}", fate(part.fate), harmless(&part.why))?;
        }
        before = Some(rule);
        let sign = match part.fate {
            PartFate::Kept => '+',
            PartFate::Caption | PartFate::Byline => '~',
            PartFate::Dropped => '-',
        };
        let text = part.image.as_ref().map_or_else(|| short(&part.text), |url| format!("picture {}", harmless(url)));
        writeln!(out, "  {sign} {:>7.1}  {text}", part.score)?;
    }
    Ok(())
}

pub fn fate(fate: PartFate) -> &'static str {
    match fate {
        PartFate::Kept => "kept",
        PartFate::Caption => "to its picture",
        PartFate::Byline => "to the authors",
        PartFate::Dropped => "dropped",
    }
}

/// What is known of the page, each with its name.
pub fn facts(explained: &Explained) -> Vec<(&'static str, String)> {
    let (clean, site) = (&explained.examined.clean, &explained.site);
    let none = "none in the configuration has this host";
    let mut facts = vec![
        ("page", public(&explained.url).to_string()),
        ("site", if site.id.is_empty() { none.to_owned() } else { site.id.clone() }),
        ("title", format!("{} (from {})", explained.examined.title, clean.sources.title)),
        ("published", published(clean)),
        ("authors", format!("{} (from {})", clean.authors.join(", "), clean.sources.authors)),
        ("method", method(clean, site)),
        ("learned", explained.taught.clone()),
    ];
    if explained.parts.len() > 1 {
        facts.push(("pages", explained.parts.len().to_string()));
    }
    if let Asked::Yes { mark: Some(mark), .. } = &explained.asked {
        facts.push(("its feed", told_by_feed(mark)));
    }
    facts.extend(explained.examined.doubt.clone().map(|why| ("in doubt", why)));
    facts
}

/// What the feed says of the page, which is used where the page says less.
fn told_by_feed(mark: &Mark) -> String {
    let entry = &mark.entry;
    let date = entry.published.or(entry.updated);
    let date = date.map_or("no date".to_owned(), |at| at.with_timezone(&VIETNAM).to_rfc3339());
    let text = [&entry.summary, &entry.content].into_iter().flatten().map(|text| text.chars().count()).max();
    let text = text.map_or(String::new(), |chars| format!(", a text of {chars} characters"));
    format!(
        "{date}, \u{201c}{}\u{201d}{text}, from {}",
        entry.title.as_deref().unwrap_or("no title"),
        public(&mark.feed)
    )
}

pub fn whole_verdict(explained: &Explained) -> String {
    let wanted = poll::wanted(&explained.site, &explained.examined.verdict);
    format!("VERDICT    {}", if wanted { "kept" } else { "off topic" })
}

pub fn topic_lines(explained: &Explained) -> Vec<String> {
    explained.examined.verdict.topics.iter().flat_map(judged).collect()
}

fn published(clean: &Clean) -> String {
    match (clean.published, clean.published_from) {
        (None, _) | (_, DateFrom::Seen) => "unknown: the time of first sight stands for it".to_owned(),
        (Some(at), DateFrom::Page) => format!("{} (from the page)", at.to_rfc3339()),
        (Some(at), DateFrom::Feed) => format!("{} (from the feed)", at.to_rfc3339()),
        (Some(at), DateFrom::Url) => format!("{} (from the address)", at.to_rfc3339()),
    }
}

fn method(clean: &Clean, site: &Site) -> String {
    let method = format!("{:?}", clean.method).to_ascii_lowercase();
    match &site.layout {
        Some(layout) if clean.method != Method::Layout => {
            format!("{method}: NOTHING on the page matched the body of [layout.{}]", layout.name)
        }
        Some(layout) => format!("{method} [layout.{}]", layout.name),
        None => method,
    }
}

fn judged(topic: &Judged) -> Vec<String> {
    let about = if topic.selected { "yes" } else { "no" };
    let mut lines = vec![format!("  {}: {about}, score {:.2}", topic.id, topic.score)];
    let hits: Vec<String> =
        topic.hits.iter().map(|hit| format!("{} ({:?} {:+.2})", hit.term, hit.r#where, hit.weight)).collect();
    if !hits.is_empty() {
        lines.push(format!("    {}", hits.join(", ")));
    }
    lines
}

pub fn known_lines(asked: &Asked) -> Vec<String> {
    let (mark, kept, twin, by_daemon) = match asked {
        Asked::Not(why) => return vec![format!("STORE      not asked: {why}")],
        Asked::Yes { mark, kept, twin, by_daemon } => (mark, kept, twin, by_daemon),
    };
    let mut lines = vec![match kept {
        Some(rev) => format!("STORE      kept, revision {rev}"),
        None => "STORE      not kept".to_owned(),
    }];
    if *by_daemon {
        lines.push("  as the running daemon says; copies are looked for with the store at hand only".to_owned());
    }
    if let Some((id, title, similarity)) = twin {
        lines.push(format!("  twin of {id} ({similarity:.2}): {title}"));
    }
    lines.extend(mark.as_deref().map(seen).into_iter().flatten());
    lines
}

/// What became of an entry, and why it was dropped, as it was judged then.
pub fn seen(mark: &Mark) -> Vec<String> {
    let outcome = match &mark.outcome {
        None => "not settled yet".to_owned(),
        Some(Outcome::Later { why }) => {
            let due = mark.due.map_or(String::new(), |at| format!(" at {}", moment(at)));
            format!("to be tried again{due} after {} tries: {why}", mark.tries)
        }
        Some(Outcome::GaveUp { why }) => {
            let at = mark.settled.map_or(String::new(), |at| format!(" at {}", moment(at)));
            format!("given up{at} after {} tries: {why}", mark.tries.max(1))
        }
        Some(Outcome::Kept { why }) => format!("what is kept stays: {why}"),
        Some(Outcome::Duplicate { of }) => format!("a copy of {of}"),
        Some(other) => other.label().replace('_', " "),
    };
    let first_seen = moment(mark.first_seen);
    let settled = mark.settled.filter(|_| mark.outcome == Some(Outcome::OffTopic));
    let settled = settled.map_or(String::new(), |at| format!(", judged {}", moment(at)));
    let mut lines = vec![format!("  first seen {first_seen}, {outcome}{settled}")];
    if mark.outcome == Some(Outcome::OffTopic) {
        lines.extend(mark.judged.iter().flat_map(judged).map(|line| format!("  {line}")));
    }
    lines
}

pub fn as_json(explained: &Explained) -> Value {
    let Explained { url, site, examined, parts, taught, asked } = explained;
    let clean = &examined.clean;
    let kept = clean.blocks.iter().zip(&clean.kept_by);
    let kept: Vec<Value> =
        kept.map(|(block, why)| json!({"text": plain(std::slice::from_ref(block)), "why": why})).collect();
    json!({
        "url": public(url), "site": site.id, "title": examined.title, "published": clean.published, "published_from": clean.published_from,
        "authors": clean.authors, "method": clean.method, "learned": taught, "doubt": examined.doubt, "kept": kept,
        "images": clean.images, "dropped": clean.dropped, "selected": poll::wanted(site, &examined.verdict),
        "topics": examined.verdict.topics, "store": known_lines(asked), "pages": parts,
    })
}

/// One line of a terminal.
pub fn short(text: &str) -> String {
    let line = harmless(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    if line.chars().count() <= 100 {
        return line;
    }
    line.chars().take(99).chain(['…']).collect()
}
