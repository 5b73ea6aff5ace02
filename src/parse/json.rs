//! JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/).

use super::text::{escape, plain};
use super::{Draft, ITEMS, Item, ParseError};
use serde_json::Value;
use url::Url;

/// Format, title, items with their dates as written.
pub fn read(text: &str, url: Option<&Url>) -> Result<(String, Option<String>, Vec<Draft>), ParseError> {
    let feed: Value = serde_json::from_str(text).map_err(|e| ParseError::Unreadable(format!("JSON: {e}")))?;
    let version = feed["version"].as_str().unwrap_or("");
    let Some(items) = feed["items"].as_array() else {
        return Err(ParseError::NotAFeed("JSON without a list of items".to_owned()));
    };
    let number = version.rsplit('/').next().filter(|v| v.starts_with(|c: char| c.is_ascii_digit())).unwrap_or("1");
    let drafts = items.iter().take(ITEMS).map(|item| draft(item, url)).collect();
    Ok((format!("json feed {number}"), feed["title"].as_str().and_then(plain), drafts))
}

fn draft(item: &Value, url: Option<&Url>) -> Draft {
    let text = |key: &str| match &item[key] {
        Value::String(text) => Some(text.trim().to_owned()).filter(|t| !t.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let link = text("url").or_else(|| text("external_url")).map(|link| absolute(link, url));
    Draft {
        item: Item {
            id: text("id"),
            title: text("title").as_deref().and_then(plain),
            link,
            published: None,
            updated: None,
            authors: authors(item),
            summary: text("summary").map(|t| escape(&t)),
            content: text("content_html").or_else(|| text("content_text").map(|t| escape(&t))),
        },
        published: text("date_published").into_iter().collect(),
        updated: text("date_modified").into_iter().collect(),
    }
}

fn authors(item: &Value) -> Vec<String> {
    let many = item["authors"].as_array().into_iter().flatten();
    let names = many.chain([&item["author"]]).filter_map(|a| a["name"].as_str());
    names.map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned).collect()
}

fn absolute(link: String, url: Option<&Url>) -> String {
    // What is no address stays as written.
    url.and_then(|base| base.join(&link).ok()).map_or(link, Url::into)
}
