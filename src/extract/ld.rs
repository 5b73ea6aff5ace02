//! JSON-LD: what a page says of itself for search engines (schema.org).

use serde_json::Value;

#[derive(Default, Debug)]
pub struct Ld {
    pub headline: Option<String>,
    pub published: Option<String>,
    pub authors: Vec<String>,
    pub body: Option<String>,
    pub description: Option<String>,
    pub section: Vec<String>,
}

/// The first article among the objects, at any depth; broken JSON is no JSON.
pub fn read(scripts: &[String]) -> Ld {
    let mut ld = Ld::default();
    for script in scripts {
        let text = script.trim().trim_start_matches("<!--").trim_start_matches("//<![CDATA[").trim_end_matches("//]]>");
        // Line breaks within strings are the commonest mistake.
        let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // What isn't JSON says nothing, and that is all there is to say of it.
        if let Ok(value) = serde_json::from_str::<Value>(clean.trim()) {
            search(&value, &mut ld);
        }
    }
    ld
}

fn search(value: &Value, ld: &mut Ld) {
    let mut open = vec![value];
    while let Some(v) = open.pop() {
        match v {
            Value::Array(items) => open.extend(items.iter().rev()),
            Value::Object(o) => {
                if is_article(&o.get("@type").cloned().unwrap_or(Value::Null)) && ld.headline.is_none() {
                    take(v, ld);
                }
                open.extend(["@graph", "mainEntity", "mainEntityOfPage"].iter().filter_map(|k| o.get(*k)));
            }
            _ => {}
        }
    }
}

fn is_article(kind: &Value) -> bool {
    match kind {
        Value::String(s) => s.ends_with("Article") || s.ends_with("Posting") || s == "Report" || s.ends_with("Review"),
        Value::Array(kinds) => kinds.iter().any(|k| k.is_string() && is_article(k)),
        _ => false,
    }
}

fn take(v: &Value, ld: &mut Ld) {
    let text = |key: &str| v.get(key).and_then(Value::as_str).map(str::to_owned).filter(|s| !s.trim().is_empty());
    ld.headline = text("headline").or_else(|| text("name"));
    ld.published = text("datePublished").or_else(|| text("dateCreated"));
    ld.body = text("articleBody");
    ld.description = text("description");
    ld.authors = v.get("author").map(persons).unwrap_or_default();
    ld.section = v.get("keywords").map(strings).unwrap_or_default();
}

fn persons(author: &Value) -> Vec<String> {
    match author {
        Value::String(s) => vec![s.clone()],
        Value::Array(many) => many.iter().filter(|v| !v.is_array()).flat_map(persons).collect(),
        Value::Object(o) if o.get("@type").and_then(Value::as_str) != Some("Organization") => {
            o.get("name").map(strings).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn strings(v: &Value) -> Vec<String> {
    match v {
        Value::String(s) => s.split(',').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect(),
        Value::Array(many) => many.iter().filter_map(|v| v.as_str()).map(|s| s.trim().to_owned()).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn the_article_is_found_in_a_graph() {
        let script = r#"{"@graph":[{"@type":"WebSite","name":"Trang"},{"@type":["NewsArticle"],"headline":"Họp
            dân","datePublished":"2024-01-24T17:06:00+07:00","author":[{"@type":"Person","name":"Lò Mai"},
            {"@type":"Organization","name":"Báo"}]}]}"#;
        let ld = read(&[script.to_owned(), "{broken".to_owned()]);
        assert_eq!(ld.authors, ["Lò Mai"]);
        assert_eq!(ld.published.as_deref(), Some("2024-01-24T17:06:00+07:00"));
        assert!(ld.headline.unwrap().starts_with("Họp"));
    }
}
