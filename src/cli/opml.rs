//! `diemtin opml`: lists of feeds, from other readers and for them.

use super::{BAD_DATA, Exit};
use crate::article::{Kind, html_escape};
use crate::config::{Config, ProvinceNames, Site};
use crate::fetch::public;
use crate::parse::{Outline, opml};
use crate::text::{bare, slug};
use anyhow::Context;
use clap::Subcommand;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use url::Url;

#[derive(Subcommand, Debug)]
pub enum OpmlCommand {
    /// Print [[site]] tables for the feeds of an OPML file; those that the configuration has already are left out
    Import {
        /// `-` reads the standard input
        file: PathBuf,
    },
    /// Print the configured feeds as OPML
    Export,
}

/// The words by which a site's kind is guessed, without tones; the first that fits.
const KINDS: [(&str, &[&str]); 4] = [
    ("newspaper", &["bao", "dai", "phat thanh", "truyen hinh", "tap chi", "news"]),
    ("party", &["dang", "tinh uy", "thanh uy", "huyen uy", "dan van", "tuyen giao", "ban to chuc"]),
    ("front", &["mat tran", "doan", "phu nu", "nong dan", "cuu chien binh", "lien doan"]),
    ("council", &["hdnd", "hoi dong nhan dan"]),
];

/// `config` is the configuration that the tables are meant for, where there is one.
pub fn import(file: &Path, config: Option<&Config>) -> anyhow::Result<()> {
    let outlines = opml(&read(file, io::stdin())?);
    if outlines.is_empty() {
        let why = format!("{}: no outline names a feed: is it OPML?", file.display());
        return Err(Exit { code: BAD_DATA, why }.into());
    }
    let sites = config.map_or(&[][..], |config| &config.sites);
    let imported = Imported::of(&outlines, sites);
    imported.said.iter().for_each(|line| eprintln!("{line}"));
    Ok(io::stdout().write_all(imported.tables().as_bytes())?)
}

/// Bytes either way: a list may be in any encoding.
fn read(file: &Path, mut stdin: impl Read) -> anyhow::Result<Vec<u8>> {
    if file != Path::new("-") {
        return std::fs::read(file).with_context(|| file.display().to_string());
    }
    let mut body = Vec::new();
    stdin.read_to_end(&mut body)?;
    Ok(body)
}

/// The sites of a list: those of one host are one.
#[derive(Default, Debug)]
struct Imported {
    sites: Vec<Listed>,
    /// What was left out, and why.
    said: Vec<String>,
}

#[derive(Debug)]
struct Listed {
    id: String,
    name: String,
    province: Option<String>,
    kind: String,
    feeds: Vec<Url>,
}

impl Imported {
    fn of(outlines: &[Outline], known: &[Arc<Site>]) -> Imported {
        let names = ProvinceNames::new();
        let mut feeds: BTreeSet<Url> = known.iter().flat_map(|site| site.feeds.iter().cloned()).collect();
        let mut ids: BTreeSet<String> = known.iter().map(|site| site.id.clone()).collect();
        let (mut imported, mut places) = (Imported::default(), BTreeMap::new());
        for outline in outlines {
            let Some(feed) = web(&outline.feed) else {
                imported.said.push(format!("left out: `{}` is no address of the web", outline.feed.escape_debug()));
                continue;
            };
            if !feeds.insert(feed.clone()) {
                imported.said.push(format!("left out: {} is there already", public(&feed)));
                continue;
            }
            let place = outline.site.clone().unwrap_or_else(|| host(&feed));
            if let Some(at) = places.get(&place) {
                let site: &mut Listed = &mut imported.sites[*at];
                site.feeds.push(feed);
                continue;
            }
            places.insert(place, imported.sites.len());
            imported.sites.push(listed(outline, feed, &names, &mut ids));
        }
        let unknown = imported.sites.iter().filter(|site| site.wants_province());
        let asks = |site: &Listed| format!("{}: which province? Its table is a comment until that is known", site.id);
        imported.said.extend(unknown.map(asks).collect::<Vec<_>>());
        imported
    }

    fn tables(&self) -> String {
        self.sites.iter().map(Listed::table).collect::<Vec<_>>().join("\n")
    }
}

impl Listed {
    fn wants_province(&self) -> bool {
        self.province.is_none() && self.kind != "central"
    }

    /// A comment where something is missing: the configuration stays right.
    fn table(&self) -> String {
        let table = self.lines();
        match self.wants_province() {
            true => table.lines().map(|line| format!("# {line}\n")).collect(),
            false => table,
        }
    }

    fn lines(&self) -> String {
        let mut out = format!("[[site]]\nid = {}\nname = {}\n", quoted(&self.id), quoted(&self.name));
        // a String takes everything
        match &self.province {
            Some(province) => writeln!(out, "province = {}", quoted(province)),
            None if self.kind == "central" => Ok(()),
            None => writeln!(out, "province = \"\"  # tỉnh nào? (which one?)"),
        }
        .expect("a String can be written to");
        let feeds: Vec<String> = self.feeds.iter().map(|feed| quoted(feed.as_str())).collect();
        out + &format!("kind = {}\nfeeds = [{}]\n", quoted(&self.kind), feeds.join(", "))
    }
}

fn listed(outline: &Outline, feed: Url, names: &ProvinceNames, ids: &mut BTreeSet<String>) -> Listed {
    let host = host(&feed);
    let innermost = outline.folders.iter().rev().find(|folder| names.find(folder).is_none());
    let name = innermost.filter(|_| outline.site.is_some()).map_or(outline.title.as_str(), |folder| folder);
    let name = if name.is_empty() { host.clone() } else { name.to_owned() };
    let texts = [name.as_str(), &outline.title].into_iter().chain(outline.folders.iter().rev().map(|f| &**f));
    let province = texts.into_iter().find_map(|text| names.within(text)).or_else(|| names.of_host(&host));
    let kinds = ["party", "government", "council", "front", "newspaper", "central"];
    let kind = outline.kind.clone().filter(|kind| kinds.contains(&kind.as_str()));
    let kind = kind.unwrap_or_else(|| guessed(&name, &host).to_owned());
    let id = free(outline.site.as_deref().map(slug).unwrap_or_else(|| slug(&host)), ids);
    Listed { id, name, province, kind, feeds: vec![feed] }
}

fn guessed(name: &str, host: &str) -> &'static str {
    let words = format!(" {} ", bare(name));
    let fits = |word: &&str| words.contains(&format!(" {word} "));
    let by_name = KINDS.iter().find(|(_, all)| all.iter().any(fits)).map(|(kind, _)| *kind);
    by_name.unwrap_or(if host.starts_with("bao") { "newspaper" } else { "government" })
}

/// The id, or with a number behind it where it is taken.
fn free(wanted: String, ids: &mut BTreeSet<String>) -> String {
    let wanted = if wanted.is_empty() { "site".to_owned() } else { wanted };
    let numbered = (2..).map(|n: u32| format!("{wanted}-{n}"));
    let free = std::iter::once(wanted.clone()).chain(numbered).find(|id| !ids.contains(id)).unwrap_or(wanted);
    ids.insert(free.clone());
    free
}

fn web(address: &str) -> Option<Url> {
    // `feed:` is how some readers write http
    let address = address.strip_prefix("feed:").map(|rest| rest.trim_start_matches("//")).unwrap_or(address);
    let address = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    Url::parse(&address).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn host(url: &Url) -> String {
    // addresses of the web have one
    let host = url.host_str().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}

/// As TOML writes a text.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out += &format!("\\u{:04X}", u32::from(c)),
            c => out.push(c),
        }
    }
    out + "\""
}

/// A folder a province, a folder a site. Pages that list articles are no feeds and are said to be left out.
pub fn export(config: &Config) -> anyhow::Result<()> {
    let mut provinces: BTreeMap<&str, Vec<&Site>> = BTreeMap::new();
    config.sites.iter().for_each(|site| provinces.entry(&site.province).or_default().push(site));
    let mut out = io::stdout().lock();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<opml version=\"2.0\" xmlns:diemtin=\"urn:diemtin\">\n<head><title>diemtin</title></head>\n<body>")?;
    for (province, sites) in provinces {
        writeln!(out, "<outline text=\"{}\">", html_escape(province))?;
        sites.iter().try_for_each(|site| site_outline(&mut out, site))?;
        writeln!(out, "</outline>")?;
    }
    writeln!(out, "</body>\n</opml>")?;
    Ok(())
}

fn site_outline(out: &mut impl Write, site: &Site) -> io::Result<()> {
    let name = html_escape(&site.name);
    writeln!(out, "  <outline text=\"{name}\">")?;
    for feed in &site.feeds {
        if site.lists.contains_key(feed) {
            eprintln!("left out: {} is a page that lists articles, not a feed", public(feed));
            continue;
        }
        let (feed, kind) = (public(feed), kind(site.kind));
        let feed = html_escape(feed.as_str());
        let own = format!("diemtin:site=\"{}\" diemtin:kind=\"{kind}\"", site.id);
        writeln!(out, "    <outline type=\"rss\" text=\"{name}\" xmlUrl=\"{feed}\" {own}/>")?;
    }
    writeln!(out, "  </outline>")
}

fn kind(kind: Kind) -> String {
    format!("{kind:?}").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(title: &str, feed: &str, folders: &[&str]) -> Outline {
        let folders = folders.iter().map(|folder| (*folder).into()).collect();
        Outline { title: title.to_owned(), feed: feed.to_owned(), folders, ..Outline::default() }
    }

    #[test]
    fn province_and_kind_are_guessed_and_hosts_are_sites() {
        let list = [
            outline("Báo Hưng Yên: thời sự", "https://baohungyen.example/rss/1", &[]),
            outline("Xã hội", "feed:https://www.baohungyen.example/rss/2", &["Hưng Yên"]),
            outline("Tỉnh uỷ", "https://tinhuy.example/rss", &["Tỉnh Hoà Bình"]),
            outline("Tin", "https://langson.example/rss", &[]),
            outline("Blog", "blog.example/rss", &["Khác"]),
            outline("Lại", "https://langson.example/rss", &[]),
            outline("Tệp", "file:///etc/passwd", &[]),
        ];
        let imported = Imported::of(&list, &[]);
        let told: Vec<_> = imported
            .sites
            .iter()
            .map(|s| (s.id.as_str(), s.province.as_deref().unwrap_or("?"), s.kind.as_str(), s.feeds.len()))
            .collect();
        assert_eq!(
            told,
            [
                ("baohungyen-example", "Hưng Yên", "newspaper", 2),
                ("tinhuy-example", "Hòa Bình", "party", 1),
                ("langson-example", "Lạng Sơn", "government", 1),
                ("blog-example", "?", "government", 1),
            ]
        );
        assert_eq!(imported.said.len(), 3, "{:?}", imported.said);
        let tables: toml_edit::DocumentMut = imported.tables().parse().unwrap();
        assert_eq!(tables["site"].as_array_of_tables().map(|sites| sites.len()), Some(3), "{tables}");
        assert!(imported.tables().contains("# id = \"blog-example\"\n"));
    }

    #[test]
    fn a_list_from_standard_input_may_be_in_any_encoding() {
        let list = "\u{feff}<opml><outline text='Hưng Yên' xmlUrl='https://a.example/'/></opml>";
        let utf16: Vec<u8> = list.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let outlines = opml(&read(Path::new("-"), utf16.as_slice()).unwrap());
        assert_eq!(outlines[0].title, "Hưng Yên");
    }

    #[test]
    fn names_are_quoted_as_toml_needs() {
        assert_eq!(quoted("a \"b\" \\ \n"), r#""a \"b\" \\ \u000A""#);
    }
}
