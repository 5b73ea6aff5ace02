//! One article, one address.

use url::Url;

/// Query parameters that follow a reader or a session and never choose the article.
const TRACKING: &[&str] = &[
    "fbclid",
    "gclid",
    "dclid",
    "msclkid",
    "yclid",
    "zarsrc",
    "mc_cid",
    "mc_eid",
    "igshid",
    "_ga",
    "_gl",
    "ref_src",
    "phpsessid",
    "jsessionid",
    "sessionid",
    "aspsessionid",
    "cfid",
    "cftoken",
];

/// The address that names the article: scheme and host in lower case, no default port, no fragment, no user,
/// no trailing dot of the host, no tracking or session parameter (`utm_*` and a fixed list), no `;jsessionid=`.
/// The order of the parameters that stay is the site's own.
pub fn canonical(url: &Url) -> Url {
    let mut out = url.clone();
    out.set_fragment(None);
    // These refuse only addresses without a host, which have nothing to take away.
    let _: Result<(), ()> = out.set_username("").and_then(|()| out.set_password(None));
    if let Some(host) = out.host_str().and_then(|h| h.strip_suffix('.')).map(str::to_owned) {
        // What is left of a host without its last dot is one.
        let _: Result<(), url::ParseError> = out.set_host(Some(&host));
    }
    if let Some((path, _)) = split_session(out.path()) {
        out.set_path(&path);
    }
    if let Some(query) = out.query() {
        let kept: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !follows_a_reader(pair)).collect();
        let kept = kept.join("&");
        out.set_query((!kept.is_empty()).then_some(&kept));
    }
    out
}

fn follows_a_reader(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or(pair).to_ascii_lowercase();
    name.starts_with("utm_") || TRACKING.contains(&name.as_str())
}

/// `/a/b.html;jsessionid=1F` -> `/a/b.html`
fn split_session(path: &str) -> Option<(String, &str)> {
    let at = path.to_ascii_lowercase().find(";jsessionid=")?;
    let (before, session) = path.split_at(at);
    let after = session.find('/').map_or("", |slash| &session[slash..]);
    Some((format!("{before}{after}"), session))
}

#[cfg(test)]
mod tests {
    use super::{TRACKING, canonical};

    #[test]
    fn each_parameter_of_the_list_goes_and_is_documented() {
        let readme = include_str!("../../README.md");
        for name in TRACKING {
            let url = format!("https://example.vn/a?id=1&{}=x&page=2", name.to_uppercase()).parse().unwrap();
            assert_eq!(canonical(&url).as_str(), "https://example.vn/a?id=1&page=2", "{name}");
            assert!(readme.contains(&format!("`{name}`")), "{name} is not in README.md");
        }
    }

    #[test]
    fn what_does_not_name_the_article_goes() {
        for (given, wanted) in [
            ("HTTP://Example.VN:80/A/b.html#top", "http://example.vn/A/b.html"),
            ("https://example.vn:443/?utm_source=zalo&id=7&fbclid=x", "https://example.vn/?id=7"),
            ("https://example.vn./a?UTM_Medium=rss", "https://example.vn/a"),
            ("https://u:p@example.vn/a;jsessionid=1F.node2/b?x=1", "https://example.vn/a/b?x=1"),
            ("https://example.vn/a?b=2&a=1", "https://example.vn/a?b=2&a=1"),
            // The story of an old PHP site, not a session.
            ("https://example.vn/modules.php?name=News&sid=9", "https://example.vn/modules.php?name=News&sid=9"),
        ] {
            assert_eq!(canonical(&given.parse().unwrap()).as_str(), wanted, "{given}");
        }
    }
}
