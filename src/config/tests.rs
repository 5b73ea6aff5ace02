use super::{Config, ConfigError, Format, Select, Tls, load};
use crate::article::Kind;
use crate::store::Limits;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

const SITE: &str = r#"
[[site]]
id = "a"
name = "A"
province = "Huế"
kind = "party"
feeds = ["https://a.example/rss"]
"#;

const WHOLE: &str = r#"
[store]
path = "elsewhere/store"
raw_pages = "0"
max_age = "3650d"
max_articles = 200_000
max_bytes = "2 GiB"
min_free = "1 GiB"
[export]
path = "/srv/export"
formats = ["json", "html"]
keep_tombstones = "12d"
[poll]
every = "25m"
at_least = "5m"
at_most = "12h"
concurrency = 3
[http]
user_agent = "diemtin/VERSION (+mailto:someone@example.vn)"
timeout = "30s"
host_gap = "0s"
max_body = "2 MiB"
allow_private = true
[status]
listen = ""
[[topic]]
id = "dan-van"
threshold = 1.5
[[topic.term]]
say = "dân vận khéo"
weight = -1
[[topic]]
id = "other"
term = [{ say = "lúa", weight = 1.5 }]

[[site]]
id = "hungyen-danvan"
name = "Ban Dân vận Tỉnh ủy Hưng Yên"
province = "Thái Bình"
kind = "party"
feeds = ["https://www.danvanhungyen.example/rss.xml", "http://b.example/?a=1", { list = "https://www.danvanhungyen.example/tin", item = "li", date = "em" }]
layout = "nukeviet"
every = "30m"
default_offset = "+00:00"
tls = "insecure"
pages = false
select = ["other"]
headers = { Accept-Language = "vi" }

[[site]]
id = "central"
name = "Báo"
kind = "central"
feeds = ["https://c.example/rss"]
select = false

[layout.nukeviet]
title = "h1.title"
body = ".news-bodyhtml"
date = ".time"
drop = [".rating", ".related"]
"#;

/// A folder with config.toml (and what else is given) in it.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn read(folder: &Path, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let value = |name: &str| env.iter().find(|v| v.0 == name).map(|v| OsString::from(v.1));
    load::load(&folder.join("config.toml"), value)
}

fn mistakes(folder: &Path) -> Vec<String> {
    let mistakes = read(folder, &[]).unwrap_err().mistakes;
    let prefix = format!("{}/", folder.display());
    mistakes.iter().map(|m| m.replace(&prefix, "")).collect()
}

#[test]
fn every_key_is_read() {
    let folder = folder(&[("config.toml", WHOLE)]);
    let config = read(folder.path(), &[]).unwrap();
    assert_eq!(config.store.path, folder.path().join("elsewhere/store"));
    assert_eq!(config.store.raw_pages, Duration::ZERO);
    let max_age = Some(3650 * 24 * 60 * MINUTE);
    let limits = Limits { max_age, max_articles: Some(200_000), max_bytes: Some(2 << 30) };
    assert_eq!((config.store.limits, config.store.min_free), (limits, 1 << 30));
    assert_eq!(config.export.path, Path::new("/srv/export"));
    assert_eq!(config.export.formats, [Format::Json, Format::Html]);
    assert_eq!(config.export.keep_tombstones, 12 * 24 * 60 * MINUTE);
    assert_eq!((config.poll.every, config.poll.at_least, config.poll.at_most), (25 * MINUTE, 5 * MINUTE, 720 * MINUTE));
    assert_eq!(config.poll.concurrency, 3);
    assert_eq!(config.http.user_agent, concat!("diemtin/", env!("CARGO_PKG_VERSION"), " (+mailto:someone@example.vn)"));
    assert_eq!((config.http.timeout, config.http.host_gap), (MINUTE / 2, Duration::ZERO));
    assert_eq!((config.http.max_body, config.http.allow_private), (2 << 20, true));
    assert_eq!(config.status.listen, None);
    let topics: Vec<_> = config.topics.iter().map(|t| (t.id.as_str(), t.threshold, t.terms[0].weight)).collect();
    assert_eq!(topics, [("dan-van", 1.5, -1.0), ("other", 1.0, 1.5)]);
}

#[test]
fn every_key_of_a_site_is_read() {
    let folder = folder(&[("config.toml", WHOLE)]);
    let config = read(folder.path(), &[]).unwrap();
    let site = &config.sites[0];
    assert_eq!((site.id.as_str(), site.name.as_str()), ("hungyen-danvan", "Ban Dân vận Tỉnh ủy Hưng Yên"));
    assert_eq!((site.province.as_str(), site.province_now.as_str()), ("Thái Bình", "Hưng Yên"));
    assert_eq!(site.default_offset.local_minus_utc(), 0);
    assert_eq!((site.kind, site.every, site.tls, site.pages), (Kind::Party, 30 * MINUTE, Tls::Insecure, false));
    assert_eq!(site.feeds[1].as_str(), "http://b.example/?a=1");
    let list = &site.lists[&site.feeds[2]];
    assert!(site.lists.len() == 1 && list.item.is_some() && list.date.is_some() && list.link.is_none());
    assert_eq!(site.select, Select::Topics(vec!["other".into()]));
    assert_eq!(site.headers, [("accept-language".into(), "vi".into())]);
    let layout = site.layout.as_ref().unwrap();
    assert!(layout.title.is_some() && layout.body.is_some() && layout.date.is_some() && layout.author.is_none());
    assert_eq!(layout.drop.len(), 2);
    let central = &config.sites[1];
    assert_eq!((central.province.as_str(), central.province_now.as_str()), ("Trung ương", "Trung ương"));
    assert_eq!(central.default_offset, crate::text::VIETNAM);
    assert_eq!((central.every, central.select.clone()), (25 * MINUTE, Select::Everything));
}

#[test]
fn what_is_not_typed_is_as_documented() {
    let folder = folder(&[("config.toml", SITE)]);
    let config = read(folder.path(), &[]).unwrap();
    assert_eq!(config.store.path, folder.path().join("var/store"));
    assert_eq!(config.export.path, folder.path().join("var/export"));
    assert_eq!(config.store.raw_pages, 30 * 24 * 60 * MINUTE);
    assert_eq!((config.store.limits, config.store.min_free), (Limits::default(), 512 << 20));
    assert_eq!(config.export.keep_tombstones, 90 * 24 * 60 * MINUTE);
    assert_eq!(config.export.formats, [Format::Json, Format::Md]);
    assert_eq!((config.poll.every, config.poll.concurrency), (20 * MINUTE, 16));
    assert_eq!((config.poll.at_least, config.poll.at_most), (10 * MINUTE, 24 * 60 * MINUTE));
    assert_eq!((config.http.timeout, config.http.host_gap), (MINUTE, MINUTE / 60));
    assert_eq!((config.http.max_body, config.http.allow_private), (10 << 20, false));
    assert!(config.http.user_agent.ends_with(" (+mailto:operator@example.vn)"));
    assert_eq!(config.status.listen, Some("127.0.0.1:8640".parse().unwrap()));
    assert_eq!((config.topics.len(), config.topics[0].id.as_str(), config.topics[0].threshold), (1, "dan-van", 1.0));
    let site = &config.sites[0];
    assert_eq!((site.tls, site.pages, site.select.clone()), (Tls::Modern, true, Select::AnyTopic));
}

#[test]
fn the_environment_stands_above_the_file() {
    let folder = folder(&[("config.toml", SITE)]);
    let env = [("DIEMTIN_STORE_PATH", "/s"), ("DIEMTIN_EXPORT_PATH", "/e"), ("DIEMTIN_STATUS_LISTEN", "")];
    let config = read(folder.path(), &env).unwrap();
    assert_eq!((config.store.path.to_str(), config.export.path.to_str()), (Some("/s"), Some("/e")));
    assert_eq!(config.status.listen, None);
    let env = [("DIEMTIN_STORE_PATH", ""), ("DIEMTIN_EXPORT_PATH", "/e"), ("DIEMTIN_STATUS_LISTEN", "8640")];
    let mistakes = read(folder.path(), &env).unwrap_err().mistakes;
    assert_eq!(mistakes[0], "DIEMTIN_STORE_PATH: error: must not be empty");
    assert!(mistakes[1].starts_with("DIEMTIN_STATUS_LISTEN: error: `8640` is not an address with a port"));
    let nested = [("DIEMTIN_STORE_PATH", "/s"), ("DIEMTIN_EXPORT_PATH", "/s/e")];
    assert_eq!(read(folder.path(), &nested).unwrap_err().mistakes.len(), 1);
}

#[test]
fn files_in_conf_d_add_sites_and_layouts_alone() {
    let more = SITE.replace("\"a\"", "\"b\"").replace("a.example", "b.example") + "layout = \"mine\"\n[layout.mine]\n";
    let folder = folder(&[("config.toml", SITE), ("conf.d/b.toml", &more), ("conf.d/notes.txt", "?")]);
    let config = read(folder.path(), &[]).unwrap();
    assert_eq!(config.sites[1].layout.as_ref().unwrap().name, "mine");

    std::fs::write(folder.path().join("conf.d/c.toml"), format!("[http]\n{SITE}[layout.mine]\n")).unwrap();
    let mistakes = mistakes(folder.path());
    let first: Vec<&str> = mistakes.iter().filter_map(|m| m.lines().next()).collect();
    assert_eq!(
        first,
        [
            "conf.d/c.toml:1:1: error: `http` can only stand in config.toml, not in conf.d",
            "conf.d/c.toml:4:6: error: site id `a` is already taken at config.toml:3:6",
            "conf.d/c.toml:8:10: error: this feed is already polled at config.toml:7:10",
            "conf.d/c.toml:9:9: error: layout `mine` already stands at conf.d/b.toml:9:9",
        ]
    );
}

#[test]
fn a_mistake_is_shown_where_it_stands() {
    let folder = folder(&[("config.toml", &format!("[poll]\n\tpols = \"3m\"  # Điểm\n{SITE}"))]);
    let shown = "config.toml:2:2: error: unknown key `pols`\n    2 | \tpols = \"3m\"  # Điểm\n      | \t^^^^";
    assert_eq!(mistakes(folder.path()), [shown]);
}

#[test]
fn a_file_that_is_not_toml_is_shown_where_it_breaks() {
    let folder =
        folder(&[("config.toml", "[store]\npath = \n"), ("conf.d/x.toml", "[[site]]\nid = \"a\"\nid = \"b\"\n")]);
    let mistakes = mistakes(folder.path());
    assert_eq!(mistakes.len(), 2);
    assert!(mistakes[0].starts_with("config.toml:2:"), "{}", mistakes[0]);
    assert!(mistakes[1].starts_with("conf.d/x.toml:3:1: error: duplicate key"), "{}", mistakes[1]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = folder(&[]);
    assert_eq!(mistakes(folder.path()), ["config.toml: error: there is no such file"]);
    assert_eq!(Config::find(Some(Path::new("x.toml"))).unwrap(), Path::new("x.toml"));
}

/// Each row of tests/config.tsv: a piece of TOML (`\n` for a new line; `SITE` for a good site's keys) and what every
/// mistake in it begins with, `;;` between two.
#[test]
fn mistakes_are_found_all_at_once() {
    let mut wrong = Vec::new();
    let rows = include_str!("../../tests/config.tsv").lines().filter(|row| !row.starts_with('#'));
    // a mistake only where the program was built so
    for row in rows.filter(|row| !(cfg!(feature = "legacy-tls") && row.contains("\"legacy\""))) {
        let (toml, expected) = row.split_once('\t').unwrap();
        let site = SITE.trim_start().trim_start_matches("[[site]]\n");
        let folder = folder(&[("config.toml", &toml.replace("\\n", "\n").replace("SITE", site))]);
        let found = mistakes(folder.path());
        let expected: Vec<&str> = expected.split(";;").map(str::trim).collect();
        let as_expected =
            found.iter().zip(&expected).all(|(f, e)| f.trim_start_matches("config.toml:").trim_start().starts_with(e));
        if !as_expected || found.len() != expected.len() {
            wrong.push(format!("{row}\nfound:\n{}", found.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_configuration_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Config>();
}
