//! Feeds made by chance, the same ones each time: cut anywhere, damaged anyhow.

use crate::parse::{Feed, parse};
use crate::text::VIETNAM;
use url::Url;

/// xorshift64*
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, count: usize) -> usize {
        self.next() as usize % count
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    fn words(&mut self, most: usize) -> String {
        const WORDS: [&str; 12] =
            ["Tổ", "dân", "vận", "khéo", "về", "bản", "đường", "mới", "xã", "2024", "họp", "Đảng"];
        let count = 1 + self.below(most);
        (0..count).map(|_| self.of(&WORDS)).collect::<Vec<_>>().join(" ")
    }
}

/// A feed, and of each item its title and where it ends.
struct Made {
    text: String,
    items: Vec<(String, usize)>,
}

fn made(chance: &mut Chance) -> Made {
    const KINDS: [(&str, &str, &str, &str); 5] = [
        (
            "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>K</title>",
            "</channel></rss>",
            "item",
            "guid",
        ),
        ("<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>K</title>", "</feed>", "entry", "id"),
        (
            "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns=\"http://purl.org/rss/1.0/\"><channel><title>K</title></channel>",
            "</rdf:RDF>",
            "item",
            "x:identifier",
        ),
        ("<feed version=\"0.3\" xmlns=\"http://purl.org/atom/ns#\">", "</feed>", "entry", "id"),
        ("{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"K\",\"items\":[", "]}", "", ""),
    ];
    let (head, tail, name, id) = KINDS[chance.below(KINDS.len())];
    let mut made = Made { text: head.to_owned(), items: Vec::new() };
    for n in 0..1 + chance.below(5) {
        let title = chance.words(9);
        let item = if name.is_empty() { json(chance, n, &title) } else { xml(chance, n, &title, name, id) };
        made.text.push_str(if n > 0 && name.is_empty() { "," } else { "" });
        made.text.push_str(&item);
        made.items.push((title, made.text.len()));
    }
    made.text.push_str(tail);
    made
}

fn xml(chance: &mut Chance, n: usize, title: &str, name: &str, id: &str) -> String {
    let text = chance.words(30);
    let (open, close) = [("<![CDATA[<p>", "</p>]]>"), ("&lt;p&gt;", "&lt;/p&gt;"), ("", "")][chance.below(3)];
    let written = [title.to_owned(), format!("<![CDATA[{title}]]>"), title.replace('ậ', "&#7853;")];
    let title = &written[chance.below(3)];
    let body = chance.of(&["description", "summary", "content"]);
    let space = chance.of(&["", "\n  ", " <!-- > -->\n", "\r\n"]);
    let link = if id == "id" {
        format!("<link href=\"https://a.vn/{n}\"/>")
    } else {
        format!("<link>https://a.vn/{n}</link>")
    };
    let date = chance.of(&[
        "",
        "<pubDate>Wed, 24 Jan 2024 17:06:45 +0700</pubDate>",
        "<updated>2024-01-24T17:06:45+07:00</updated>",
    ]);
    format!(
        "<{name}>{space}<title>{title}</title>{space}{link}<{id}>{n}</{id}>{date}<{body}>{open}{text}{close}</{body}></{name}>"
    )
}

fn json(chance: &mut Chance, n: usize, title: &str) -> String {
    let extra = chance.of(&["", ",\"tags\":[1,{\"a\":null}]", ",\"authors\":[{\"name\":\"An\"}]"]);
    format!(
        "{{\"id\":{n},\"url\":\"/{n}\",\"content_html\":\"<p>{}</p>\"{extra},\"title\":\"{title}\"}}",
        chance.words(20)
    )
}

fn read(body: &[u8]) -> Option<Feed> {
    let url = Url::parse("https://a.vn/rss").expect("an address");
    parse(body, None, Some(&url), VIETNAM).ok()
}

#[test]
fn cut_anywhere_a_feed_keeps_the_entries_that_were_whole() {
    let mut chance = Chance(2024);
    for _ in 0..60 {
        let made = made(&mut chance);
        let whole = read(made.text.as_bytes()).expect("a feed");
        assert_eq!(whole.items.len(), made.items.len(), "{}", made.text);
        for end in (0..25).map(|_| chance.below(made.text.len())).chain(made.items.iter().map(|(_, end)| *end)) {
            let kept = made.items.iter().filter(|(_, at)| *at <= end).count();
            let cut = read(&made.text.as_bytes()[..end]);
            let items = cut.as_ref().map_or(&[][..], |feed| &feed.items);
            assert!(items.len() >= kept, "cut at {end}: {}", made.text);
            assert_eq!(items[..kept], whole.items[..kept], "cut at {end}: {}", made.text);
            let reported = cut.as_ref().is_none_or(|feed| !feed.repairs.is_empty());
            assert!(reported, "cut at {end}, not reported: {}", made.text);
        }
    }
}

#[test]
fn each_entry_is_read_as_it_was_written() {
    let mut chance = Chance(7);
    for _ in 0..100 {
        let made = made(&mut chance);
        let feed = read(made.text.as_bytes()).expect("a feed");
        for (n, (item, (title, _))) in feed.items.iter().zip(&made.items).enumerate() {
            assert_eq!(item.title.as_ref(), Some(title), "{}", made.text);
            assert_eq!(item.link, Some(format!("https://a.vn/{n}")), "{}", made.text);
        }
    }
}

#[test]
fn no_damage_stops_the_program() {
    let mut chance = Chance(99);
    for _ in 0..1_500 {
        let mut body = made(&mut chance).text.into_bytes();
        for _ in 0..1 + chance.below(12) {
            damage(&mut chance, &mut body);
        }
        if let Some(feed) = read(&body) {
            assert!(feed.items.len() <= body.len());
        }
    }
}

fn damage(chance: &mut Chance, body: &mut Vec<u8>) {
    const PIECES: [&str; 14] =
        ["<", ">", "&", "]]>", "<![CDATA[", "<!--", "-->", "<?", "</item>", "</", "&#", "\u{0}", "<!DOCTYPE a [", "\""];
    let (at, to) = (chance.below(body.len() + 1), chance.below(body.len() + 1));
    let (from, end) = (at.min(to), at.max(to).min(at.min(to) + 40));
    match chance.below(5) {
        0 => body.truncate(at.max(1)),
        1 => drop(body.splice(at..at, chance.of(&PIECES).bytes())),
        2 => drop(body.drain(from..end)),
        3 => {
            let piece = body[from..end].to_vec();
            body.splice(from..from, piece);
        }
        _ => {
            if let Some(byte) = body.get_mut(at) {
                *byte = chance.next() as u8;
            }
        }
    }
}
