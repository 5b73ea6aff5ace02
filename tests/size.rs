//! `cargo run --release --example size -- load FOLDER COUNT`: synthetic articles of about 6 KB of JSON, settled one by one
//! as a poll does, the export brought up to date every thousand; `open FOLDER`: a clean start; `prints FOLDER COUNT`: the
//! prints of so many texts alone, one in ten of them a copy, looked up, put into the index and into sled, a thousand in a
//! batch, then read again. One JSON line per figure. `tests/crash/size` runs the first two and the binary on what comes
//! out.
//!
//! The text is of syllables drawn evenly from a thousand. Two kilobytes of it shrink 1.92 times by zstd alone; written
//! Vietnamese of three kilobytes shrinks 2.1 times, and has phrases in common with the store's dictionary besides.

use chrono::{DateTime, TimeDelta, Utc};
use diemtin::article::{
    Article, Block, DateFrom, Entry, Extraction, Hit, Id, Judged, Kind, Method, Outcome, Place, Run, SiteRef,
    TopicMatch,
};
use diemtin::config::{ExportConfig, Format};
use diemtin::dedup::{self, Index, Print};
use diemtin::export::{self, Mirror};
use diemtin::store::{Change, Mark, Store};
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// How many articles are written between two rounds of the export.
const ROUND: u64 = 1000;
/// How many are stored between two syncs, as when several sites are polled at once.
const SYNC: u64 = 50;
const A_DAY: u64 = 100;
const SITES: u64 = 60;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["load", folder, count] => load(Path::new(folder), count.parse()?),
        ["open", folder] => open(Path::new(folder)),
        ["prints", folder, count] => prints(Path::new(folder), count.parse()?),
        _ => anyhow::bail!("size load FOLDER COUNT | size open FOLDER | size prints FOLDER COUNT"),
    }
}

fn load(folder: &Path, count: u64) -> anyhow::Result<()> {
    let store = Store::open(&folder.join("store"))?;
    let config = ExportConfig {
        path: folder.join("export"),
        formats: vec![Format::Json],
        keep_tombstones: Duration::from_secs(90 * 24 * 3600),
    };
    let mut mirror = Mirror::open(&config)?;
    let (mut json, mut writing, mut exporting) = (0, Duration::ZERO, Duration::ZERO);
    for n in 0..count {
        let began = Instant::now();
        json += keep(&store, n)?;
        if n % SYNC == 0 {
            store.sync()?;
        }
        writing += began.elapsed();
        if (n + 1) % ROUND == 0 || n + 1 == count {
            let began = Instant::now();
            mirror.catch_up(&store, Some(&[]))?;
            exporting += began.elapsed();
        }
        if [1_000, 20_000, 50_000, 100_000, 200_000].contains(&(n + 1)) || n + 1 == count {
            let disk = bytes_below(&store)?;
            let ratio = disk as f64 / json as f64;
            println!(
                "{}",
                serde_json::json!({"articles": n + 1, "json_bytes": json, "store_bytes": disk, "ratio": ratio,
                    "peak_rss_mib": rss("VmHWM:")?, "rss_mib": rss("VmRSS:")?, "store_s": writing.as_secs_f64(),
                    "export_s": exporting.as_secs_f64(), "one_more_s": one_more(&store, &mut mirror, n)?})
            );
        }
    }
    Ok(())
}

/// How long the export takes for one new article: three times, by revisions of the very latest.
fn one_more(store: &Store, mirror: &mut Mirror, n: u64) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::new();
    for extra in 1..=3 {
        keep(store, 10_000_000 + n * 10 + extra)?;
        let began = Instant::now();
        mirror.catch_up(store, Some(&[]))?;
        times.push((began.elapsed().as_secs_f64() * 1e4).round() / 1e4);
    }
    Ok(times)
}

fn open(folder: &Path) -> anyhow::Result<()> {
    let began = Instant::now();
    let store = Store::open(&folder.join("store"))?;
    let opened = began.elapsed().as_secs_f64();
    let index = Index::of(store.prints())?;
    let prints = began.elapsed().as_secs_f64();
    println!(
        "{}",
        serde_json::json!({"open_s": opened, "open_and_prints_s": prints, "changes": store.seq(),
            "index_bytes": index.bytes(), "peak_rss_mib": rss("VmHWM:")?})
    );
    Ok(())
}

/// How many prints are durable at once.
const BATCH: u64 = 1000;

fn prints(folder: &Path, count: u64) -> anyhow::Result<()> {
    let config = sled::Config::new().path(folder.join("prints")).segment_size(2 * 1024 * 1024);
    let (db, before) = (config.open()?, rss("VmRSS:")?);
    let (mut index, mut batch) = (Index::default(), sled::Batch::default());
    let mut pending = HashMap::new();
    let (mut lookups, mut inserts, mut durable, mut copies) = (Vec::new(), Vec::new(), Duration::ZERO, 0_u64);
    for n in 0..count {
        let print = Print::of("", &text(n));
        let began = Instant::now();
        let twin = index.twin(&print, |key| match pending.get(&key) {
            Some(prints) => Ok::<Vec<Print>, anyhow::Error>(Vec::clone(prints)),
            None => Ok(dedup::unpack(&db.get(key.to_be_bytes())?.unwrap_or_default())?),
        })?;
        lookups.push(began.elapsed());
        copies += u64::from(twin.is_some());
        let began = Instant::now();
        index.insert(n, &print);
        inserts.push(began.elapsed());
        let began = Instant::now();
        batch.insert(&n.to_be_bytes(), dedup::pack(std::slice::from_ref(&print)));
        pending.insert(n, vec![print]);
        if (n + 1) % BATCH == 0 || n + 1 == count {
            db.apply_batch(std::mem::take(&mut batch))?;
            db.flush()?;
            std::fs::File::open(folder.join("prints/db"))?.sync_all()?;
            pending.clear();
        }
        durable += began.elapsed();
    }
    let (bytes, disk) = (index.bytes() as u64, db.size_on_disk()?);
    drop((index, db));
    let (began, cpu) = (Instant::now(), cpu_seconds()?);
    let db = config.open()?;
    let opened = began.elapsed().as_secs_f64();
    let stored = db.iter().map(|item| {
        let (key, prints) = item?;
        let key = key.as_ref().try_into().map(u64::from_be_bytes)?;
        Ok::<_, anyhow::Error>((key, dedup::unpack(&prints)?))
    });
    let again = Index::of(stored)?;
    println!(
        "{}",
        serde_json::json!({"prints": count, "copies_found": copies, "wanted_copies": count.div_ceil(10) - 1,
            "lookup_p99_us": p99(lookups), "insert_p99_us": p99(inserts),
            "durable_per_s": count as f64 / durable.as_secs_f64(), "memory_per_print": bytes as f64 / count as f64,
            "memory_again_per_print": again.bytes() as f64 / count as f64, "disk_per_print": disk as f64 / count as f64,
            "open_s": opened, "open_and_index_s": began.elapsed().as_secs_f64(),
            "open_and_index_cpu_s": cpu_seconds()? - cpu, "rss_before_mib": before,
            "peak_rss_mib": rss("VmHWM:")?})
    );
    Ok(())
}

/// One in ten is the text five before it, shortened by its last paragraph.
fn text(n: u64) -> String {
    let copied = n >= 10 && n.is_multiple_of(10);
    let mut dice = Dice((n - if copied { 5 } else { 0 }).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let paragraphs = (0..6).map(|_| dice.words(50) + ".").take(if copied { 5 } else { 6 });
    paragraphs.collect::<Vec<_>>().join("\n")
}

/// In microseconds.
fn p99(mut times: Vec<Duration>) -> f64 {
    let at = times.len() * 99 / 100;
    let (_, time, _) = times.select_nth_unstable(at);
    time.as_secs_f64() * 1e6
}

/// Stores one article with its mark and print; returns the length of its JSON.
fn keep(store: &Store, n: u64) -> anyhow::Result<usize> {
    let now = at(n);
    let article = article(n, now);
    let text = diemtin::article::plain(&article.blocks);
    let print = Print::of(&article.title, &text);
    let length = export::json(&article).len();
    let judged = article.topics.iter().map(|topic| Judged {
        id: topic.id.clone(),
        score: topic.score,
        selected: true,
        hits: topic.hits.clone(),
    });
    let mark = Mark {
        entry: Entry {
            id: article.id.clone(),
            url: article.url.clone(),
            title: Some(article.title.clone()),
            published: article.published_at,
            updated: None,
            authors: Vec::new(),
            summary: None,
            content: None,
        },
        feed: format!("http://{}.example/rss.xml", article.site.id).parse()?,
        said: blake3_hex(n),
        first_seen: now,
        last_seen: now,
        tries: 0,
        due: None,
        settled: None,
        unchanged: 0,
        outcome: Some(Outcome::Stored),
        judged: judged.collect(),
    };
    let site = article.site.id.clone();
    store.settle(&site, &mark, Change::New { article: Box::new(article), print }, None, now)?;
    Ok(length)
}

fn article(n: u64, now: DateTime<Utc>) -> Article {
    let mut dice = Dice(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let site = n % SITES;
    let url: url::Url = format!("http://site-{site}.example/tin/{n}.html").parse().expect("a right address");
    let paragraphs = (0..6).map(|_| Block::Paragraph(vec![Run::Text(dice.words(62))])).collect();
    let hit = |dice: &mut Dice| Hit { term: dice.words(2), r#where: Place::Body, weight: 0.5 };
    Article {
        id: Id::of(&url),
        rev: 1,
        url,
        site: SiteRef {
            id: format!("site-{site}"),
            name: format!("Trang thông tin số {site}"),
            province: "Hưng Yên".to_owned(),
            province_now: "Hưng Yên".to_owned(),
            kind: Kind::Newspaper,
            insecure: false,
        },
        title: dice.words(12),
        summary: Some(dice.words(30)),
        authors: vec![dice.words(3)],
        language: "vi".to_owned(),
        published_at: Some(now.fixed_offset()),
        published_from: DateFrom::Page,
        first_seen_at: now,
        updated_at: now,
        day: now.date_naive(),
        blocks: paragraphs,
        images: Vec::new(),
        tags: vec![dice.words(2), dice.words(2)],
        topics: vec![TopicMatch {
            id: "dan-van".to_owned(),
            score: 2.5,
            hits: (0..4).map(|_| hit(&mut dice)).collect(),
        }],
        copies: Vec::new(),
        history: Vec::new(),
        extraction: Extraction { method: Method::Layout, dropped: 14, degraded: None },
    }
}

/// A hundred articles a day.
fn at(n: u64) -> DateTime<Utc> {
    let minutes = i64::try_from(n % 10_000_000 * 24 * 60 / A_DAY).expect("some years");
    DateTime::from_timestamp(1_600_000_000, 0).expect("a time") + TimeDelta::minutes(minutes)
}

/// xorshift64*.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % most as u64).expect("below most")
    }

    fn words(&mut self, count: usize) -> String {
        const FIRST: [&str; 22] = [
            "b", "c", "ch", "d", "đ", "g", "h", "kh", "l", "m", "n", "ng", "nh", "ph", "qu", "s", "t", "th", "tr", "v",
            "x", "",
        ];
        const REST: [&str; 48] = [
            "a", "à", "ả", "ạ", "an", "án", "ang", "ạng", "anh", "ao", "ão", "ay", "ăm", "ắt", "âm", "ân", "ận", "ây",
            "e", "em", "ê", "ể", "ên", "ệnh", "ết", "i", "iên", "iện", "iều", "inh", "ĩnh", "o", "ọ", "oan", "oàn",
            "ong", "ô", "ổ", "ôn", "ông", "ơi", "u", "ung", "uộc", "ư", "ữ", "ươi", "ường",
        ];
        let word = |dice: &mut Dice| format!("{}{}", FIRST[dice.below(FIRST.len())], REST[dice.below(REST.len())]);
        (0..count).map(|_| word(self)).collect::<Vec<_>>().join(" ")
    }
}

fn blake3_hex(n: u64) -> String {
    blake3::hash(&n.to_le_bytes()).to_hex()[..32].to_owned()
}

fn bytes_below(store: &Store) -> anyhow::Result<u64> {
    store.sync()?;
    let mut sum = 0;
    let mut folders = vec![store.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder)? {
            let item = item?;
            let seen = item.metadata()?;
            if seen.is_dir() { folders.push(item.path()) } else { sum += seen.len() }
        }
    }
    Ok(sum)
}

/// What this process has had of the processors so far (proc(5), `stat`: user and system time in hundredths of a second).
fn cpu_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).unwrap_or(&"0").parse::<f64>();
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// A line of /proc/self/status, in MiB.
fn rss(name: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    let kib: u64 = line.split_whitespace().nth(1).unwrap_or("0").parse()?;
    Ok(kib / 1024)
}
