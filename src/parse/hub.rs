//! Which hub tells of a feed's news, as the feed says it (WebSub, 4): `<link rel="hub">` of Atom, in RSS as `<atom:link>`,
//! `hubs` of JSON Feed.

use super::schedule::head;
use serde::Deserialize;
use url::Url;

/// The hub, and the feed's own address where it gives one. `base`: what was asked.
pub fn hub(body: &[u8], base: &Url) -> Option<(Url, Option<Url>)> {
    if body.trim_ascii_start().starts_with(b"{") {
        return of_json(body, base);
    }
    let head = head(body);
    let link = |rel: &str| links(&head).find(|(name, _)| name == rel).and_then(|(_, href)| base.join(&href).ok());
    Some((link("hub")?, link("self")))
}

/// `rel` and `href` of each link.
fn links(head: &str) -> impl Iterator<Item = (String, String)> {
    let tags = head.split('<').filter(|tag| tag.starts_with("link") || tag.starts_with("atom:link"));
    tags.filter_map(|tag| {
        let tag = &tag[..tag.find('>').unwrap_or(tag.len())];
        let href = attribute(tag, "href")?.replace("&amp;", "&");
        Some((attribute(tag, "rel")?.to_ascii_lowercase(), href.trim().to_owned()))
    })
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, behind) = tag.split_once(name).filter(|(before, _)| before.ends_with([' ', '\n', '\t', '\r']))?;
    let value = behind.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next()
}

#[derive(Deserialize)]
struct Json {
    #[serde(default)]
    hubs: Vec<JsonHub>,
    feed_url: Option<String>,
}

#[derive(Deserialize)]
struct JsonHub {
    #[serde(rename = "type")]
    kind: String,
    url: String,
}

fn of_json(body: &[u8], base: &Url) -> Option<(Url, Option<Url>)> {
    // one that is damaged names no hub
    let feed: Json = serde_json::from_slice(body).ok()?;
    let hub = feed.hubs.iter().find(|hub| hub.kind.eq_ignore_ascii_case("websub"))?;
    Some((base.join(&hub.url).ok()?, feed.feed_url.and_then(|own| base.join(&own).ok())))
}

#[cfg(test)]
mod tests {
    use super::hub;
    use url::Url;

    #[test]
    fn a_feed_names_its_hub() {
        let own = Some("http://a.vn/rss?x=1&y=2");
        let table = [
            (
                "<feed><link rel=\"self\" href=\"/rss?x=1&amp;y=2\"/><link href='https://h.vn/' rel='hub'/>",
                Some(("https://h.vn/", own)),
            ),
            (
                "<rss><channel><link>http://a.vn/</link><atom:link rel=\"hub\" href=\"/hub\"/>",
                Some(("http://a.vn/hub", None)),
            ),
            ("<rss><channel><item><atom:link rel=\"hub\" href=\"/hub\"/>", None),
            ("<feed><link rel=\"alternate\" href=\"/hub\"/>", None),
            ("<feed><link rel=\"hub\" xhref=\"/hub\"/>", None),
            (
                " {\"hubs\": [{\"type\": \"WebSub\", \"url\": \"https://h.vn/\"}], \"feed_url\": \"/rss?x=1&y=2\"}",
                Some(("https://h.vn/", own)),
            ),
            ("{\"hubs\": []}", None),
            ("{\"hubs\"", None),
        ];
        for (feed, expected) in table {
            let named = hub(feed.as_bytes(), &Url::parse("http://a.vn/feed").unwrap());
            let named = named.as_ref().map(|(hub, own)| (hub.as_str(), own.as_ref().map(Url::as_str)));
            assert_eq!(named, expected, "{feed}");
        }
    }
}
