//! Everything in config.toml but its sites and layouts.

use super::section::Section;
use super::source::{At, Typed};
use super::{
    AlertConfig, Config, ExportConfig, Format, HttpConfig, PollConfig, SHIPPED, StatusConfig, StoreConfig, TermConfig,
    TopicConfig, WebsubConfig,
};
use crate::select::can_be_found;
use crate::store::Limits;
use crate::text::fold;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// The keys at the top that are read here.
pub const KEYS: [&str; 8] = ["store", "export", "poll", "http", "status", "alert", "websub", "topic"];

const MINUTE: Duration = Duration::from_secs(60);
const MIN_FREE: u64 = 512 << 20;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The configuration without its sites. What is wrong is reported, and by default here.
pub fn settings(root: &Section, file: PathBuf, base: &Path) -> Config {
    let store = store(root.table("store"), base);
    let export = export(root.table("export"), base);
    let poll = poll(root.table("poll"));
    let http = http(root.table("http"));
    let status = status(root.table("status"));
    let alert = alert(root.table("alert"), base);
    let websub = websub(root.table("websub"));
    Config {
        file,
        store,
        export,
        poll,
        http,
        status,
        alert,
        websub,
        topics: topics(root),
        sites: Vec::new(),
        layouts: BTreeMap::new(),
    }
}

fn store(section: Section, base: &Path) -> StoreConfig {
    let path = path(&section, "path", base).map_or(base.join("var/store"), |p| p.value);
    let raw_pages = section.duration("raw_pages").map_or(30 * DAY, |d| d.value);
    let number = section.count("max_articles").and_then(|n| section.checked(n, |n| within(n, 1, usize::MAX)));
    let limits = Limits {
        max_age: section.duration("max_age").map(|d| positive(&section, Some(d), DAY).value),
        max_articles: number.map(|n| n.value as u64),
        max_bytes: section.size("max_bytes").and_then(|n| section.checked(n, some)).map(|n| n.value),
    };
    let min_free = section.size("min_free").map_or(MIN_FREE, |n| n.value);
    section.finish();
    StoreConfig { path, raw_pages, limits, min_free }
}

fn export(section: Section, base: &Path) -> ExportConfig {
    let path = path(&section, "path", base).map_or(base.join("var/export"), |p| p.value);
    let formats = formats(&section);
    let keep_tombstones = section.duration("keep_tombstones").map_or(90 * DAY, |d| d.value);
    section.finish();
    ExportConfig { path, formats, keep_tombstones }
}

fn formats(section: &Section) -> Vec<Format> {
    let Some(names) = section.texts("formats") else { return vec![Format::Json, Format::Md] };
    let known = [("json", Format::Json), ("md", Format::Md), ("html", Format::Html)];
    let mut formats = Vec::new();
    for name in names {
        let at = name.at.clone();
        match section.choice(name, &known) {
            Some(format) if formats.contains(&format) => section.source.mistake(&at, "this format is named twice"),
            Some(format) => formats.push(format),
            None => {}
        }
    }
    formats
}

fn poll(section: Section) -> PollConfig {
    let interval = |key, default| positive(&section, section.duration(key), default);
    let (least, most) = (interval("at_least", 10 * MINUTE), interval("at_most", DAY));
    let every = interval("every", 20 * MINUTE);
    if least.value > most.value {
        section.source.mistake(&least.at, format!("`at_least` is more than `at_most` ({})", shown(most.value)));
    } else {
        between(&section, &every, least.value, most.value);
    }
    let sites = section.count("concurrency");
    let sites = sites.and_then(|n| section.checked(n, |n| within(n, 1, 10_000))).map_or(16, |n| n.value);
    section.finish();
    PollConfig { every: every.value, at_least: least.value, at_most: most.value, concurrency: sites }
}

/// Reports an interval outside of the two bounds.
pub fn between(section: &Section, every: &Typed<Duration>, least: Duration, most: Duration) {
    let says = match every.value {
        every if every < least => format!("`every` is {}, less than `at_least` ({})", shown(every), shown(least)),
        every if every > most => format!("`every` is {}, more than `at_most` ({})", shown(every), shown(most)),
        _ => return,
    };
    section.source.mistake(&every.at, says);
}

fn shown(duration: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(duration)
}

fn positive(section: &Section, typed: Option<Typed<Duration>>, default: Duration) -> Typed<Duration> {
    let check = |d: Duration| if d.is_zero() { Err("this duration must be more than zero".to_owned()) } else { Ok(d) };
    let checked = typed.and_then(|d| section.checked(d, check));
    checked.unwrap_or(Typed { value: default, at: section.at.clone() })
}

fn within(n: i64, least: usize, most: usize) -> Result<usize, String> {
    let good = usize::try_from(n).ok().filter(|n| (least..=most).contains(n));
    good.ok_or_else(|| format!("must be between {least} and {most}"))
}

fn some(n: u64) -> Result<u64, String> {
    if n == 0 { Err("must be more than zero".to_owned()) } else { Ok(n) }
}

fn http(section: Section) -> HttpConfig {
    let agent = section.text("user_agent").and_then(|t| section.checked(t, user_agent)).map(|t| t.value);
    let user_agent = agent.unwrap_or_else(|| named("diemtin/VERSION (+mailto:operator@example.vn)"));
    let timeout = positive(&section, section.duration("timeout"), MINUTE).value;
    let host_gap = section.duration("host_gap").map_or(Duration::from_secs(1), |d| d.value);
    let max_body = section.size("max_body").and_then(|n| section.checked(n, some)).map_or(10 << 20, |n| n.value);
    let allow_private = section.flag("allow_private").is_some_and(|f| f.value);
    section.finish();
    HttpConfig { user_agent, timeout, host_gap, max_body, allow_private }
}

/// VERSION stands for the daemon's own.
fn named(user_agent: &str) -> String {
    user_agent.replace("VERSION", env!("CARGO_PKG_VERSION"))
}

fn user_agent(typed: &str) -> Result<String, String> {
    let visible = !typed.trim().is_empty() && typed.bytes().all(|b| (b' '..=b'~').contains(&b));
    if visible { Ok(named(typed)) } else { Err("must be plain ASCII text: servers are told it in a header".to_owned()) }
}

fn status(section: Section) -> StatusConfig {
    let default = Some(SocketAddr::from(([127, 0, 0, 1], 8640)));
    let listen = section.text("listen").and_then(|t| section.checked(t, listen)).map_or(default, |t| t.value);
    section.finish();
    StatusConfig { listen }
}

fn listen(typed: &str) -> Result<Option<SocketAddr>, String> {
    if typed.is_empty() {
        return Ok(None);
    }
    let address = typed.parse().map_err(|_| {
        format!("`{typed}` is not an address with a port, like \"127.0.0.1:8640\"; \"\" turns the pages off")
    });
    address.map(Some)
}

fn alert(section: Section, base: &Path) -> AlertConfig {
    let mut command: Vec<String> = Vec::new();
    if let Some(typed) = section.texts("command") {
        match typed.first().map(|program| (program.at.clone(), program_at(program.value, base))) {
            Some((at, Err(says))) => section.source.mistake(&at, says),
            Some((_, Ok(program))) => {
                command = std::iter::once(program).chain(typed[1..].iter().map(|word| word.value.to_owned())).collect();
            }
            None => section.missing("command", "[\"/usr/local/bin/tell-us\"]: a program, then its arguments"),
        }
    }
    let webhook = section.text("webhook").and_then(|t| section.checked(t, webhook)).map(|t| t.value);
    section.finish();
    AlertConfig { command, webhook }
}

/// A program that is there: at a path, relative to the file's folder, or by its name alone in one of `PATH`.
fn program_at(typed: &str, base: &Path) -> Result<String, String> {
    let runs = |path: &Path| path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    if typed.contains('/') {
        let path = base.join(typed);
        let no = || format!("{} is no program that can be run", path.display());
        return if runs(&path) { Ok(path.to_string_lossy().into_owned()) } else { Err(no()) };
    }
    // without it no program is found, which is said
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = !typed.is_empty() && std::env::split_paths(&folders).any(|folder| runs(&folder.join(typed)));
    if found { Ok(typed.to_owned()) } else { Err(format!("there is no program `{typed}` in PATH")) }
}

fn websub(section: Section) -> WebsubConfig {
    let address = section.text("address").and_then(|t| section.checked(t, webhook)).map(|t| t.value);
    section.finish();
    let slashed = |mut url: Url| {
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        url
    };
    WebsubConfig { address: address.map(slashed) }
}

fn webhook(typed: &str) -> Result<Url, String> {
    let url = Url::parse(typed).map_err(|_| format!("`{typed}` is not an address, like \"https://…\""))?;
    let good = matches!(url.scheme(), "http" | "https");
    if good { Ok(url) } else { Err(format!("`{}:` cannot be asked, only http and https", url.scheme())) }
}

fn topics(root: &Section) -> Vec<TopicConfig> {
    let mut topics: Vec<(TopicConfig, At)> = Vec::new();
    let sections = root.tables("topic");
    if sections.is_empty() {
        return vec![TopicConfig::shipped()];
    }
    for section in sections {
        let Some((topic, at)) = topic(section) else { continue };
        match topics.iter().find(|t| t.0.id == topic.id) {
            Some((_, first)) => {
                let says = format!("topic `{}` already stands at {}", topic.id, root.source.place(first));
                root.source.mistake(&at, says);
            }
            None => topics.push((topic, at)),
        }
    }
    topics.into_iter().map(|t| t.0).collect()
}

fn topic(section: Section) -> Option<(TopicConfig, At)> {
    let id = id(&section);
    let positive = |n: f64| if n > 0.0 { Ok(n) } else { Err("must be more than 0".to_owned()) };
    let threshold = section.number("threshold").and_then(|n| section.checked(n, positive));
    let sections = section.tables("term");
    if sections.is_empty() && id.as_ref().is_some_and(|id| id.value != SHIPPED) {
        section.missing("term", "[{ say = \"…\", weight = 1.0 }], since only `dan-van` comes with terms");
    }
    let mut terms: Vec<TermConfig> = Vec::new();
    for typed in sections {
        terms.extend(term(typed, &terms));
    }
    section.finish();
    let id = id?;
    Some((TopicConfig { id: id.value.to_owned(), threshold: threshold.map_or(1.0, |n| n.value), terms }, id.at))
}

fn term(section: Section, before: &[TermConfig]) -> Option<TermConfig> {
    let say = need(&section, "say", "\"…\"").and_then(|say| section.checked(say, |say| phrase(say, before)));
    let weight = section.number("weight");
    if weight.is_none() && section.named("weight").is_none() {
        section.missing("weight", "1.0");
    }
    section.finish();
    Some(TermConfig { say: say?.value, weight: weight?.value })
}

/// A term's words, with three dots as the sign for a gap. One that no text can match is a mistake.
fn phrase(typed: &str, before: &[TermConfig]) -> Result<String, String> {
    let say = typed.replace("...", "…");
    let folded = fold(&say);
    if folded.trim().is_empty() {
        return Err("must be a phrase".to_owned());
    }
    if before.iter().any(|term| fold(&term.say) == folded) {
        return Err(format!("`{say}` stands twice"));
    }
    match say.matches('…').count() {
        0 | 1 if can_be_found(&say) => Ok(say),
        0 | 1 => Err(format!(
            "`{say}` is found in no text, not even in its own words: it must be of one sentence, without a full stop within"
        )),
        _ => Err(format!("`{say}` has more than one gap `…`")),
    }
}

/// A text that must be there.
pub fn need<'a>(section: &Section<'a>, key: &'static str, like: &str) -> Option<Typed<&'a str>> {
    let typed = section.text(key);
    if typed.is_none() && section.named(key).is_none() {
        section.missing(key, like);
    }
    typed
}

/// The `id` of a site or a topic.
pub fn id<'a>(section: &Section<'a>) -> Option<Typed<&'a str>> {
    let check = |id: &'a str| {
        let good = !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if good { Ok(id) } else { Err(format!("`{id}` must be made of a-z, 0-9 and - alone")) }
    };
    section.checked(need(section, "id", "\"a-z0-9-\"")?, check)
}

/// A path, relative to the file's folder.
pub fn path(section: &Section, key: &'static str, base: &Path) -> Option<Typed<PathBuf>> {
    let check = |path: &str| if path.is_empty() { Err("must not be empty".to_owned()) } else { Ok(base.join(path)) };
    section.checked(section.text(key)?, check)
}

/// What the environment says stands above what the file says.
pub fn overrides(config: &mut Config, env: &impl Fn(&str) -> Option<OsString>, mistakes: &mut Vec<String>) {
    for (name, path) in
        [("DIEMTIN_STORE_PATH", &mut config.store.path), ("DIEMTIN_EXPORT_PATH", &mut config.export.path)]
    {
        // fails on an empty path alone
        match env(name).map(std::path::absolute) {
            Some(Ok(typed)) => *path = typed,
            Some(Err(_)) => mistakes.push(format!("{name}: error: must not be empty")),
            None => {}
        }
    }
    let (store, export) = (&config.store.path, &config.export.path);
    if store.starts_with(export) || export.starts_with(store) {
        let says = "store and export need a folder each, neither within the other";
        mistakes.push(format!("error: {says}: {} and {}", store.display(), export.display()));
    }
    match env("DIEMTIN_STATUS_LISTEN").map(|typed| listen(&typed.to_string_lossy())) {
        Some(Ok(listen)) => config.status.listen = listen,
        Some(Err(says)) => mistakes.push(format!("DIEMTIN_STATUS_LISTEN: error: {says}")),
        None => {}
    }
}
