//! What an element's name, class, id and role say of its part in the page. Evidence, never a verdict alone: the
//! main column of a real newspaper is called `sidebar`.

use scraper::node::Element;
use std::collections::HashMap;
use std::sync::LazyLock;

pub type Signs = u32;

pub const NAV: Signs = 1;
pub const ASIDE: Signs = 1 << 1;
pub const COMMENT: Signs = 1 << 2;
pub const FOOT: Signs = 1 << 3;
pub const BYLINE: Signs = 1 << 4;
pub const DATE: Signs = 1 << 5;
pub const CAPTION: Signs = 1 << 6;
pub const LEAD: Signs = 1 << 7;
pub const BODY: Signs = 1 << 8;
pub const TAGS: Signs = 1 << 9;
pub const SHARE: Signs = 1 << 10;
pub const RELATED: Signs = 1 << 11;
pub const FORM: Signs = 1 << 12;
pub const ARTICLE_BODY: Signs = 1 << 13;
pub const HEADLINE: Signs = 1 << 14;
pub const ADVERT: Signs = 1 << 15;
pub const HIDDEN: Signs = 1 << 16;
pub const NOTE: Signs = 1 << 17;
pub const CONSENT: Signs = 1 << 18;
/// A post from elsewhere, shown within the text: part of it.
pub const EMBED: Signs = 1 << 19;
/// Shown while the pointer rests on the word that it explains, or that word.
pub const HOVER: Signs = 1 << 20;

/// Regions that are not the article, when they are small beside it.
pub const CHROME: Signs = NAV | ASIDE | COMMENT | FOOT | TAGS | SHARE | RELATED | FORM | ADVERT | CONSENT;

/// Beginnings of words in class and id.
const STEMS: &[(&str, Signs)] = &[
    ("comment", COMMENT),
    ("disqus", COMMENT),
    ("respond", COMMENT),
    ("related", RELATED),
    ("relate", RELATED),
    ("recommend", RELATED),
    ("readmore", RELATED),
    ("morenews", RELATED),
    ("othernews", RELATED),
    ("trending", RELATED),
    ("popular", RELATED),
    ("mostread", RELATED),
    ("outbrain", RELATED),
    ("taboola", RELATED),
    ("share", SHARE),
    ("sharing", SHARE),
    ("addthis", SHARE),
    ("social", SHARE),
    ("sidebar", ASIDE),
    ("widget", ASIDE),
    ("promo", ASIDE),
    // Of another article, or the lead of this one.
    ("teaser", ASIDE | LEAD),
    ("strapline", LEAD),
    ("abstract", LEAD),
    ("newsletter", FORM),
    ("subscri", FORM),
    ("signup", FORM),
    ("cookie", CONSENT),
    ("consent", CONSENT),
    ("gdpr", CONSENT),
    ("privacy", CONSENT),
    ("ccpa", CONSENT),
    ("onetrust", CONSENT),
    ("rating", FORM),
    ("login", FORM),
    ("popup", FORM),
    ("modal", FORM),
    ("lightbox", FORM),
    ("rollover", HOVER),
    ("tooltip", HOVER),
    ("popover", HOVER),
    ("hovercard", HOVER),
    ("advert", ADVERT),
    ("sponsor", ADVERT),
    ("banner", ADVERT),
    ("breadcrumb", NAV),
    ("navigation", NAV),
    ("navbar", NAV),
    ("pagination", NAV),
    ("toolbar", NAV),
    ("footer", FOOT),
    ("copyright", FOOT),
    ("byline", BYLINE),
    ("author", BYLINE),
    ("contributor", BYLINE),
    ("caption", CAPTION),
    ("figcaption", CAPTION),
    ("credit", CAPTION),
    ("pcaption", CAPTION),
    ("chuthich", CAPTION),
    ("timestamp", DATE),
    ("dateline", DATE),
    ("pubdate", DATE),
    ("publish", DATE),
    ("datetime", DATE),
    ("sapo", LEAD),
    ("standfirst", LEAD),
    ("subtitle", LEAD),
    ("subheadline", LEAD),
    ("hometext", LEAD),
    ("summary", LEAD),
    ("trichdan", LEAD),
    ("tomtat", LEAD),
    ("lead", LEAD),
    ("articlebody", BODY | ARTICLE_BODY),
    ("bodytext", BODY | ARTICLE_BODY),
    ("bodyhtml", BODY | ARTICLE_BODY),
    ("storybody", BODY),
    ("maincontent", BODY),
    ("articlecontent", BODY),
    ("noidung", BODY),
    ("chitiet", BODY),
    ("headline", HEADLINE),
];

/// Whole words in class and id.
const WORDS: &[(&str, Signs)] = &[
    ("nav", NAV),
    ("menu", NAV),
    ("tabs", NAV),
    ("aside", ASIDE),
    // Of the author.
    ("bio", ASIDE),
    ("biography", ASIDE),
    ("authorbox", ASIDE),
    ("ad", ADVERT),
    ("ads", ADVERT),
    ("adv", ADVERT),
    ("tag", TAGS),
    ("tags", TAGS),
    ("keywords", TAGS),
    ("print", SHARE),
    ("tweet", SHARE),
    ("foot", FOOT),
    ("date", DATE),
    ("time", DATE),
    ("meta", DATE),
    ("source", BYLINE),
    ("writer", BYLINE),
    ("reporter", BYLINE),
    ("nguon", BYLINE),
    ("tacgia", BYLINE),
    ("desc", LEAD),
    ("description", LEAD),
    ("intro", LEAD),
    ("deck", LEAD),
    ("dek", LEAD),
    ("excerpt", LEAD),
    ("spot", LEAD),
    ("body", BODY),
    ("content", BODY),
    ("story", BODY),
    ("detail", BODY),
    ("entry", BODY),
    ("noidung", ARTICLE_BODY),
    ("article", BODY),
    ("post", BODY),
    ("title", HEADLINE),
    ("more", RELATED),
    ("other", RELATED),
    ("tinlienquan", RELATED),
    ("notebox", NOTE),
    ("alert", NOTE),
];

/// What names that were read say: a page's classes repeat.
pub type Known<'a> = HashMap<&'a str, Signs>;

pub fn signs<'a>(el: &'a Element, known: &mut Known<'a>) -> Signs {
    let mut signs = by_name(el.name());
    for (name, value) in el.attrs() {
        signs |= match name {
            "class" | "id" => *known.entry(value).or_insert_with(|| by_words(value)),
            "role" => by_role(value),
            "itemprop" => by_itemprop(value),
            "data-role" | "data-type" => by_words(value),
            // VCCorp: `type="content"` is text, `type="RelatedOneNews"` is not.
            "type" if value.starts_with("Related") => RELATED,
            "hidden" => HIDDEN,
            "style" => by_style(value),
            _ => 0,
        };
    }
    if signs & EMBED != 0 {
        signs &= !CHROME;
    }
    // A picture that opens in a box of its own.
    if matches!(el.name(), "a" | "img" | "picture" | "figure") {
        signs &= !FORM;
    }
    if signs & HIDDEN != 0 && shown_elsewhere(el) { signs & !HIDDEN } else { signs }
}

fn by_name(name: &str) -> Signs {
    match name {
        "nav" | "menu" => NAV,
        "aside" => ASIDE,
        "footer" => FOOT,
        "form" | "dialog" => FORM,
        "figcaption" => CAPTION,
        "time" => DATE,

        "article" | "main" => BODY,
        _ => 0,
    }
}

fn by_role(role: &str) -> Signs {
    match role {
        "navigation" | "banner" | "search" | "menu" | "menubar" | "tablist" | "toolbar" => NAV,
        "complementary" => ASIDE,
        "contentinfo" => FOOT,
        "dialog" | "alertdialog" | "form" => FORM,
        _ => 0,
    }
}

fn by_itemprop(prop: &str) -> Signs {
    prop.split_ascii_whitespace().fold(0, |signs, p| {
        signs
            | match p {
                "articleBody" | "reviewBody" => ARTICLE_BODY | BODY,
                "headline" => HEADLINE,
                "description" => LEAD,
                "author" => BYLINE,
                "datePublished" | "dateModified" => DATE,
                "caption" => CAPTION,
                "comment" => COMMENT,
                _ => 0,
            }
    })
}

fn by_style(style: &str) -> Signs {
    if style.len() > 400 {
        return 0;
    }
    let style: String = style.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
    let hidden = style.contains("display:none") || style.contains("visibility:hidden");
    if hidden { HIDDEN } else { 0 }
}

fn by_words(value: &str) -> Signs {
    let mut signs = 0;
    let mut word = String::with_capacity(16);
    for token in value.split_ascii_whitespace() {
        signs |= whole_token(token);
        let mut lower_before = false;
        for c in token.chars() {
            if !c.is_ascii_alphabetic() || (lower_before && c.is_ascii_uppercase()) {
                signs |= by_word(&word);
                word.clear();
            }
            if c.is_ascii_alphabetic() {
                word.push(c.to_ascii_lowercase());
            }
            lower_before = c.is_ascii_lowercase();
        }
        signs |= by_word(&word);
        word.clear();
    }
    // The body of a comment is none of the article.
    if signs & COMMENT != 0 { signs & !ARTICLE_BODY } else { signs }
}

fn whole_token(token: &str) -> Signs {
    match token {
        "hidden" | "hide" | "d-none" | "visually-hidden" | "sr-only" | "screen-reader-text" | "visuallyhidden"
        | "u-hidden" | "is-hidden" | "noprint-hidden" => HIDDEN,
        "article-body" | "article__body" | "entry-content" | "post-content" | "article-content" | "story-body"
        | "news-detail" => BODY | ARTICLE_BODY,
        "twitter-tweet" | "twitter-video" | "instagram-media" | "tiktok-embed" | "bluesky-embed" => EMBED,
        "other-news" | "box-more" | "tin-lien-quan" | "read-more" => RELATED,
        _ => 0,
    }
}

fn by_word(word: &str) -> Signs {
    let [first, second, ..] = word.as_bytes() else { return 0 };
    let (Some(first), Some(second)) = (letter(*first), letter(*second)) else { return 0 };
    let (whole, stems) = &BY_LETTERS[first * LETTERS + second];
    let whole = whole.iter().filter(|(w, _)| *w == word).fold(0, |s, (_, sign)| s | sign);
    stems.iter().filter(|(stem, _)| word.starts_with(stem)).fold(whole, |s, (_, sign)| s | sign)
}

const LETTERS: usize = 26;

fn letter(byte: u8) -> Option<usize> {
    byte.is_ascii_lowercase().then(|| usize::from(byte - b'a'))
}

type Meanings = Vec<(&'static str, Signs)>;

/// `WORDS` and `STEMS` by their first two letters: most words begin unlike all of them.
static BY_LETTERS: LazyLock<Vec<(Meanings, Meanings)>> = LazyLock::new(|| {
    let of = |all: &[(&'static str, Signs)], first: u8, second: u8| -> Meanings {
        all.iter().filter(|(w, _)| w.as_bytes().starts_with(&[first, second])).copied().collect()
    };
    let pairs = (b'a'..=b'z').flat_map(|first| (b'a'..=b'z').map(move |second| (first, second)));
    pairs.map(|(first, second)| (of(WORDS, first, second), of(STEMS, first, second))).collect()
});

/// `hidden md:block`, `d-none d-lg-block`: hidden on small screens only.
fn shown_elsewhere(el: &Element) -> bool {
    if el.classes().any(|c| c.contains("paywall")) {
        // What is paid for is hidden until a script shows it; the text is there.
        return true;
    }
    if el.id().is_some_and(is_streamed) {
        return true;
    }
    if el.attrs().any(|(name, value)| name == "hidden" || (name == "style" && by_style(value) != 0)) {
        return false;
    }
    el.classes().any(|c| {
        let shows = ["block", "flex", "inline", "grid", "table", "contents"].iter().any(|s| c.ends_with(s));
        shows && (c.contains(':') || (c.starts_with("d-") && c.len() > 7))
    })
}

/// `S:0`, `S:1a`: a part that React's server sends late, hidden until its script moves it into its place.
fn is_streamed(id: &str) -> bool {
    id.strip_prefix("S:").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::is_streamed;
    use super::{BODY, HIDDEN, LEAD, RELATED, SHARE, by_style, by_words, whole_token};

    #[test]
    fn a_part_that_is_sent_late_is_shown() {
        assert!(is_streamed("S:0") && is_streamed("S:1f"));
        assert!(!is_streamed("S:") && !is_streamed("S:modal") && !is_streamed("s0"));
    }

    #[test]
    fn words_are_read_out_of_class_names() {
        for (class, sign) in [
            ("relatedNewsBox", RELATED),
            ("article__sapo", LEAD),
            ("kbw-related", RELATED),
            ("zce-content-body", BODY),
            ("socialBar", SHARE),
        ] {
            assert_ne!(by_words(class) & sign, 0, "{class}");
        }
        assert_eq!(by_words("document shield"), 0);
        assert_eq!(whole_token("d-none"), HIDDEN);
        assert_eq!(by_style("color:red; Display : none"), HIDDEN);
    }
}
