//! Any bytes, read as a feed, end in a feed or in an error, within the limits.
//!
//! ```sh
//! cargo install cargo-fuzz
//! mkdir -p tests/fuzz/corpus/parse
//! cargo +nightly fuzz run --fuzz-dir tests/fuzz -s none parse tests/fuzz/corpus/parse tests/fuzz/seeds/feeds \
//!     -- -dict=tests/fuzz/feeds.dict -max_len=8192 -max_total_time=1800
//! ```
//! The same for `list` and `extract`, with `seeds/pages`.
#![no_main]

use diemtin::parse::{Feed, parse};
use diemtin::text::VIETNAM;
use libfuzzer_sys::fuzz_target;
use url::Url;

/// What a server may say; which one is asked for hangs on the length.
const TYPES: [Option<&str>; 6] = [
    None,
    Some("application/rss+xml; charset=utf-8"),
    Some("text/xml; charset=windows-1258"),
    Some("text/xml; charset=\"utf-16\""),
    Some("application/feed+json"),
    Some("text/html; charset=tcvn3"),
];

fuzz_target!(|body: &[u8]| {
    let url = Url::parse("https://tinh.example.vn/rss/tin.xml").expect("an address");
    let url = Some(&url).filter(|_| body.len() % 7 != 0);
    if let Ok(feed) = parse(body, TYPES[body.len() % TYPES.len()], url, VIETNAM) {
        within_limits(&feed);
    }
});

fn within_limits(feed: &Feed) {
    assert!(feed.items.len() <= 10_000);
    let titles = feed.items.iter().filter_map(|item| item.title.as_ref()).chain(&feed.title);
    for title in titles {
        assert!(!title.is_empty() && title.len() <= 4_000 && !title.contains(['\n', '\t', '\0']));
    }
    let texts = feed.items.iter().flat_map(|i| [&i.title, &i.link, &i.id, &i.summary, &i.content]);
    assert!(texts.flatten().map(String::len).sum::<usize>() <= 40 << 20);
}
