//! Any bytes, read as an article's page; how to run it stands in `parse.rs`.
#![no_main]

use chrono::DateTime;
use diemtin::article::{Page, html, markdown, plain};
use diemtin::extract::extract;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let url = "https://tinh.example.vn/tin-tuc/bai-viet-1.html".parse().expect("an address");
    let page = Page { url, content_type: None, body: body.to_vec() };
    let now = DateTime::from_timestamp(1_760_000_000, 0).expect("a moment");
    if let Ok(clean) = extract(&page, None, None, now) {
        assert_eq!(clean.blocks.len(), clean.kept_by.len());
        let written = [plain(&clean.blocks), markdown(&clean.blocks), html(&clean.blocks)];
        assert!(!written[2].contains("<script"));
    }
});
