//! The report as a page of its own: what is kept as it is, what is dropped struck out. Nothing of the site's own markup
//! gets into it, it runs nothing and loads nothing, so that it may be opened or sent on as it is.

use super::Explained;
use super::report::{facts, fate, known_lines, topic_lines, whole_verdict};
use crate::article::html_escape as e;
use crate::extract::{Part, PartFate};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use url::Url;

const STYLE: &str = "body{max-width:50rem;margin:1rem auto;padding:0 1rem;font:1rem/1.5 sans-serif;color:#222;\
background:#fff}table{border-collapse:collapse}th{text-align:left;padding-right:1rem;font-weight:normal;color:#666}\
td,th{vertical-align:top}section>div{margin:.4rem 0;padding-left:.6rem;border-left:.3rem solid #2a7}\
section>div.dropped{border-color:#c44}section>div.beside{border-color:#e90}del{color:#999}\
small{display:block;color:#666}pre{white-space:pre-wrap}";

/// Everything before the facts; nothing on the page may run or load anything.
fn head(title: &str) -> String {
    let title = e(title);
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'sha256-{hash}'; form-action 'none'; base-uri 'none'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )
}

/// A report of something else than an article's page.
pub fn of_report(url: &Url, report: &str) -> String {
    format!("{}<pre>{}</pre>\n</body>\n</html>\n", head(url.as_str()), e(report))
}

/// `<style>` is named by its hash, everything else is forbidden.
pub fn html(explained: &Explained) -> String {
    let mut out = head(&explained.examined.title) + "<table>\n";
    for (name, value) in facts(explained) {
        out += &format!("<tr><th>{}</th><td>{}</td></tr>\n", e(name), e(&value));
    }
    out += "</table>\n";
    let judged = [vec![whole_verdict(explained)], topic_lines(explained), known_lines(&explained.asked)].concat();
    out += &format!("<pre>{}</pre>\n", e(&judged.join("\n")));
    for (n, parts) in explained.parts.iter().enumerate() {
        if explained.parts.len() > 1 {
            out += &format!("<h2>Page {}</h2>\n", n + 1);
        }
        out += "<section>\n";
        parts.iter().for_each(|part| push(part, &mut out));
        out += "</section>\n";
    }
    out + "</body>\n</html>\n"
}

fn push(part: &Part, out: &mut String) {
    let text = match &part.image {
        Some(url) => format!("picture {}", e(url)),
        None => e(&part.text),
    };
    let (class, text) = match part.fate {
        PartFate::Kept => ("kept", text),
        PartFate::Caption | PartFate::Byline => ("beside", text),
        PartFate::Dropped => ("dropped", format!("<del>{text}</del>")),
    };
    let (fate, why, place) = (fate(part.fate), e(&part.why), e(&part.place));
    *out += &format!(
        "<div class=\"{class}\">{text}<small>{fate}: {why} · score {} · links {:.0} % · {place}</small></div>\n",
        part.score,
        part.links * 100.0
    );
}
