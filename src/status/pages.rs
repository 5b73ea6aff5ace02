//! The pages: what is asked for, made of the store, in one of two languages, without a script.

mod article;
mod articles;
mod blocks;
mod frame;
mod overview;
mod parts;
mod site;
mod sites;

use super::board::Board;
use super::html::Html;
use super::lang::Lang;
use crate::poll::Pipeline;
use axum::http::header::{CONTENT_LANGUAGE, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SubsecRound, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

pub const STYLE: &str = include_str!("pages/style.css");

/// By path, in the language that needs no prefix.
pub const PAGES: [(&str, Make); 5] = [
    ("/", overview::overview),
    ("/sites", sites::sites),
    ("/sites/{id}", site::site),
    ("/articles", articles::articles),
    ("/articles/{id}", article::article),
];

/// None where there is no such thing.
pub type Make = fn(&Look) -> anyhow::Result<Option<Page>>;

/// What is asked, and of what.
pub struct Look {
    pub board: Arc<Board>,
    pub pipeline: Arc<Pipeline>,
    pub lang: Lang,
    pub now: DateTime<Utc>,
    /// Without the language's prefix.
    pub path: String,
    pub query: BTreeMap<String, String>,
}

pub struct Page {
    pub title: String,
    pub main: Html,
}

impl Look {
    pub fn say(&self, vi: &'static str, en: &'static str) -> &'static str {
        self.lang.say(vi, en)
    }

    /// The last part of the path; ids need no escapes.
    pub fn id(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// What a form's field holds; empty where it is not there.
    pub fn asked(&self, name: &str) -> &str {
        self.query.get(name).map_or("", |value| value.trim())
    }
}

pub async fn answer(board: Arc<Board>, lang: Lang, make: Make, uri: Uri) -> Response {
    let Some(pipeline) = board.pipeline() else { return closed(lang) };
    let path = uri.path().strip_prefix(lang.prefix()).filter(|path| !path.is_empty()).unwrap_or("/").to_owned();
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let look = Look { board, pipeline, lang, now: Utc::now().trunc_subsecs(0), path, query };
    match tokio::task::spawn_blocking(move || made(&look, make)).await {
        Ok((status, html)) => respond(lang, status, html),
        // said by the program's own hook
        Err(_) => respond(
            lang,
            StatusCode::INTERNAL_SERVER_ERROR,
            bare(lang, lang.say("Lỗi của chương trình", "A mistake of the program")),
        ),
    }
}

fn made(look: &Look, make: Make) -> (StatusCode, Html) {
    match make(look) {
        Ok(Some(page)) => (StatusCode::OK, frame::frame(look, page)),
        Ok(None) => (StatusCode::NOT_FOUND, frame::frame(look, nothing(look))),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, frame::frame(look, failed(look, &why))),
    }
}

/// For the router's fallback.
pub fn not_found(_: &Look) -> anyhow::Result<Option<Page>> {
    Ok(None)
}

fn nothing(look: &Look) -> Page {
    let mut main = Html::default();
    main.tag("h1", look.say("Không có trang này", "There is no such page"));
    main.tag(
        "p",
        look.say(
            "Địa chỉ sai, hoặc bài đã bị bỏ theo giới hạn trong [store].",
            "The address is wrong, or the article was let go by the limits in [store].",
        ),
    );
    Page { title: look.say("Không có", "Not found").to_owned(), main }
}

fn failed(look: &Look, why: &anyhow::Error) -> Page {
    let mut main = Html::default();
    main.tag("h1", look.say("Không đọc được kho", "The store cannot be read"));
    main.tag("p lang=\"en\"", format!("{why:#}"));
    Page { title: look.say("Lỗi", "Failed").to_owned(), main }
}

fn closed(lang: Lang) -> Response {
    let says = lang
        .say("Kho đang được mở, xin thử lại sau ít phút.", "The store is being opened; try again in a few minutes.");
    respond(lang, StatusCode::SERVICE_UNAVAILABLE, bare(lang, says))
}

/// A page where nothing is known.
fn bare(lang: Lang, says: &'static str) -> Html {
    let mut html = Html::of("<!doctype html><html lang=\"");
    html.text(lang.code()).raw("\"><meta charset=\"utf-8\"><title>Điểm tin</title>").tag("p", says);
    html
}

fn respond(lang: Lang, status: StatusCode, html: Html) -> Response {
    let head = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_LANGUAGE, lang.code())];
    (status, head, html.into_string()).into_response()
}
