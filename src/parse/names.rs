//! Names and namespaces of the feed formats.

/// What a namespace means to a feed, not how it is spelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ns {
    /// None, or one of RSS's own.
    None,
    /// Atom 0.3 and 1.0.
    Atom,
    Rdf,
    DublinCore,
    Content,
    Media,
    Itunes,
    News,
    Xhtml,
    Other,
}

impl Ns {
    /// By its address, however it is misspelled in scheme, host prefix, case or trailing slash.
    pub fn of(uri: &str) -> Ns {
        let uri = uri.trim().to_ascii_lowercase();
        let has = |part: &str| uri.contains(part);
        match () {
            _ if uri.is_empty() => Ns::None,
            _ if has("w3.org/2005/atom") || has("purl.org/atom/ns") => Ns::Atom,
            _ if has("22-rdf-syntax-ns") => Ns::Rdf,
            _ if has("purl.org/dc/") => Ns::DublinCore,
            _ if has("rss/1.0/modules/content") => Ns::Content,
            _ if has("search.yahoo.com/mrss") || has("video.search.yahoo.com/mrss") => Ns::Media,
            _ if has("itunes.com/dtds") || has("itunes.com/dtd") => Ns::Itunes,
            _ if has("google.com/schemas/sitemap-news") => Ns::News,
            _ if has("w3.org/1999/xhtml") => Ns::Xhtml,
            _ if has("purl.org/rss/1.0/modules") || has("blogger.com") => Ns::Other,
            _ if is_own(&uri) => Ns::None,
            _ => Ns::Other,
        }
    }

    /// May hold a feed's own elements: RSS ones or Atom ones.
    pub fn plain(self) -> bool {
        matches!(self, Ns::None | Ns::Atom)
    }
}

/// Namespaces that RSS 0.9 to 2.0 and sitemaps were given.
fn is_own(uri: &str) -> bool {
    const OWN: [&str; 11] = [
        "purl.org/rss/",
        "purl.org/net/rss",
        "my.netscape.com/rdf/simple",
        "channel.netscape.com/rdf",
        "my.netscape.com/publish",
        "backend.userland.com",
        "blogs.law.harvard.edu/tech/rss",
        "cyber.law.harvard.edu/rss",
        "sitemaps.org/schemas/sitemap",
        "google.com/schemas/sitemap/",
        "rssboard.org",
    ];
    OWN.iter().any(|own| uri.contains(own))
}

/// What an undeclared prefix usually stands for.
pub fn well_known(prefix: &str) -> Ns {
    match prefix {
        "" | "rss" => Ns::None,
        "atom" | "a10" | "atom10" => Ns::Atom,
        "rdf" => Ns::Rdf,
        "dc" | "dcterms" | "dct" => Ns::DublinCore,
        "content" => Ns::Content,
        "media" => Ns::Media,
        "itunes" => Ns::Itunes,
        "news" => Ns::News,
        "xhtml" => Ns::Xhtml,
        _ => Ns::Other,
    }
}

/// Prefix (empty if none) and local name.
pub fn split(written: &str) -> (&str, &str) {
    written.split_once(':').unwrap_or(("", written))
}

fn among(name: &str, names: &[&str]) -> bool {
    names.iter().any(|n| n.eq_ignore_ascii_case(name))
}

/// What a feed document can begin with.
pub fn is_root(name: &str) -> bool {
    among(name, &["rss", "feed", "rdf", "channel", "urlset", "sitemapindex"])
}

/// Elements that hold text and no part of the feed.
pub fn is_leaf(name: &str) -> bool {
    among(
        name,
        &[
            "title",
            "link",
            "guid",
            "id",
            "pubDate",
            "published",
            "updated",
            "modified",
            "issued",
            "created",
            "date",
            "author",
            "creator",
            "category",
            "comments",
            "copyright",
            "language",
            "generator",
            "lastBuildDate",
        ],
    )
}

/// Parts of the feed that no text holds.
pub fn is_structure(name: &str) -> bool {
    among(
        name,
        &[
            "item",
            "entry",
            "channel",
            "rss",
            "feed",
            "title",
            "link",
            "description",
            "guid",
            "pubDate",
            "published",
            "updated",
            "summary",
            "content",
            "category",
            "author",
            "url",
            "sitemap",
            "rdf:rdf",
            "rdf",
        ],
    )
}
