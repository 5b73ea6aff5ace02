//! OPML, the lists of feeds that readers exchange: bytes to outlines.

use super::bytes;
use super::markup::Repairs;
use super::markup::tags::{Step, Tags};
use super::reference::resolve;
use super::text::{TITLE, cut};
use crate::text::tidy;
use std::sync::Arc;

/// Outlines read of one list, and how deep folders may lie.
const OUTLINES: usize = 20_000;
const DEEPEST: usize = 32;

/// A feed in a list.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Outline {
    pub title: String,
    /// As written.
    pub feed: String,
    /// The titles of the folders it lies in, the outermost first.
    pub folders: Vec<Arc<str>>,
    /// What diemtin's own lists say of the site: its id and kind.
    pub site: Option<String>,
    pub kind: Option<String>,
}

/// Every outline that names a feed, however the list is broken.
pub fn opml(body: &[u8]) -> Vec<Outline> {
    let mut repairs = Repairs::new();
    let body = bytes::unpack(body, &mut repairs);
    let text = bytes::text(&body, None, &mut repairs);
    let (mut tags, mut found, mut open) = (Tags::new(&text), Vec::new(), Vec::new());
    while found.len() < OUTLINES {
        match tags.step() {
            Step::Start { name, attributes, empty } if name.eq_ignore_ascii_case("outline") => {
                let value = |wanted: &str| value(&attributes, wanted);
                let title = value("title").or(value("text")).unwrap_or_default();
                let title = cut(&title, TITLE).to_owned();
                if let Some(feed) = value("xmlUrl") {
                    let folders = open.iter().filter(|folder: &&Arc<str>| !folder.is_empty()).cloned().collect();
                    let (site, kind) = (value("diemtin:site"), value("diemtin:kind"));
                    found.push(Outline { title: title.clone(), feed, folders, site, kind });
                }
                if !empty && open.len() < DEEPEST {
                    open.push(title.into());
                }
            }
            Step::End(name) if name.eq_ignore_ascii_case("outline") => {
                open.pop();
            }
            Step::Finished => break,
            _ => {}
        }
    }
    found
}

/// References resolved, tidy; none where there is nothing.
fn value(attributes: &[(&str, &str)], wanted: &str) -> Option<String> {
    let (_, value) = attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
    Some(tidy(&resolve(value))).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_are_found_with_their_folders() {
        let text = r#"<?xml version="1.0"?><opml version="2.0"><head><title>Đọc</title></head><body>
            <outline text="Hưng Yên"><outline text="Báo &amp; đài" type="rss" xmlUrl="https://a.example/rss?x=1&amp;y=2"/>
            <outline text="Trống"/></outline>
            <OUTLINE TITLE="B" text="b" XMLURL="https://b.example/feed"></OUTLINE></body></opml>"#;
        let found = opml(text.as_bytes());
        let first = Outline {
            title: "Báo & đài".to_owned(),
            feed: "https://a.example/rss?x=1&y=2".to_owned(),
            folders: vec!["Hưng Yên".into()],
            ..Outline::default()
        };
        let second = Outline { title: "B".to_owned(), feed: "https://b.example/feed".to_owned(), ..Outline::default() };
        assert_eq!(found, [first, second]);
    }

    #[test]
    fn a_broken_list_gives_what_can_be_read() {
        let text = "<opml><outline text='a' xmlUrl='https://a.example/rss'><outline xmlUrl=https://b.example/rss";
        assert!(opml(text.as_bytes()).iter().any(|outline| outline.feed == "https://a.example/rss"));
        assert!(opml(b"\xff\xfe\0 nothing <<<< </outline></outline>").is_empty());
        let long = format!("<outline text='{0}'>{1}{1}", "ệ".repeat(5000), "<outline xmlUrl='https://b.example/'/>");
        let [first, second] = &opml(long.as_bytes())[..] else { panic!("two feeds") };
        assert_eq!(first.folders[0].as_ref(), "ệ".repeat(TITLE / 3));
        assert!(Arc::ptr_eq(&first.folders[0], &second.folders[0]), "one title for all that lie in it");
        let deep = "<outline text='x'>".repeat(100_000) + "<outline xmlUrl='https://c.example/'/>";
        assert_eq!(opml(deep.as_bytes())[0].folders.len(), DEEPEST);
    }
}
