//! Any bytes, read as a page that lists articles; how to run it stands in `parse.rs`.
#![no_main]

use diemtin::article::Page;
use diemtin::config::ListLayout;
use diemtin::parse::list;
use diemtin::text::VIETNAM;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let url = "https://tinh.example.vn/tin-tuc".parse().expect("an address");
    let page = Page { url, content_type: None, body: body.to_vec() };
    if let Ok(feed) = list(&page, &ListLayout::default(), VIETNAM) {
        assert!(feed.items.iter().all(|item| item.title.is_some() && item.link.is_some()));
    }
});
