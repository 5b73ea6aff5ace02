//! `/metrics`, in the text format of Prometheus 0.0.4.

use super::board::Board;
use super::counters::{BOUNDS, Counts};
use super::{ExtractionHealth, SiteHealth, SiteRow};
use crate::export;
use crate::poll::{self, Pipeline};
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// Lines under construction.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    /// `labels` without braces; empty: none.
    fn value(&mut self, name: &str, labels: &str, value: f64) {
        match labels {
            "" => self.line(format_args!("{name} {value}")),
            _ => self.line(format_args!("{name}{{{labels}}} {value}")),
        }
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.value(name, "", value);
    }

    fn by<'a>(&mut self, name: &str, help: &str, label: &str, counts: impl Iterator<Item = (&'a str, u64)>) {
        self.family(name, "counter", help);
        counts.for_each(|(of, count)| self.value(name, &labelled(label, of), count as f64));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // a String takes everything
        writeln!(self.0, "{line}").expect("a String can be written to");
    }
}

/// What is known while no store is open.
pub fn closed(board: &Board) -> String {
    let mut text = Text::default();
    process(&mut text, board);
    text.one("diemtin_ready", "gauge", "Whether the store is open.", 0.0);
    text.0
}

pub fn metrics(board: &Board, pipeline: &Pipeline) -> Result<String, StoreError> {
    let mut text = Text::default();
    process(&mut text, board);
    text.one("diemtin_ready", "gauge", "Whether the store is open.", 1.0);
    counted(&mut text, &board.counters.now());
    kept(&mut text, pipeline)?;
    sites(&mut text, &board.rows(pipeline)?);
    Ok(text.0)
}

fn process(text: &mut Text, board: &Board) {
    text.family("diemtin_build_info", "gauge", "The program's version.");
    text.value("diemtin_build_info", &labelled("version", env!("CARGO_PKG_VERSION")), 1.0);
    let name = "process_start_time_seconds";
    text.one(name, "gauge", "When it was started.", board.started.timestamp() as f64);
    if let Some(bytes) = resident() {
        text.one("process_resident_memory_bytes", "gauge", "Memory in use.", bytes);
    }
}

/// None without /proc.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? * 1024.0)
}

fn counted(text: &mut Text, counts: &Counts) {
    let outcomes = all_of(
        &["stored", "duplicate", "revision", "unchanged", "kept", "off_topic", "later", "gave_up"],
        &counts.outcomes,
    );
    text.by("diemtin_entries_settled_total", "Entries, by what became of them.", "outcome", outcomes.into_iter());
    let feeds = all_of(&["read", "unchanged", "waiting", "failed"], &counts.feeds);
    text.by("diemtin_feeds_asked_total", "Feeds, by what they answered.", "result", feeds.into_iter());
    let methods = counts.methods.iter().map(|(method, count)| (method.as_str(), *count));
    text.by("diemtin_pages_extracted_total", "Pages, by how their text was found.", "method", methods);
    let name = "diemtin_pages_doubted_total";
    text.one(name, "counter", "Pages whose text is in doubt.", counts.doubted as f64);
    let name = "diemtin_rounds_broken_total";
    text.one(name, "counter", "Rounds that ended in an error of the store or of the program.", counts.broken as f64);
    durations(text, counts);
}

/// A counter that was never moved is there, too, as 0.
fn all_of<'a>(known: &[&'static str], counts: &BTreeMap<&'a str, u64>) -> BTreeMap<&'a str, u64> {
    let mut all: BTreeMap<&str, u64> = known.iter().map(|label| (*label, 0)).collect();
    all.extend(counts);
    all
}

fn durations(text: &mut Text, counts: &Counts) {
    let name = "diemtin_round_duration_seconds";
    text.family(name, "histogram", "How long a round of one site took.");
    let mut sum = 0;
    for (bound, count) in BOUNDS.iter().map(f64::to_string).chain(["+Inf".to_owned()]).zip(counts.rounds.counts) {
        sum += count;
        text.value(&format!("{name}_bucket"), &labelled("le", &bound), sum as f64);
    }
    text.value(&format!("{name}_sum"), "", counts.rounds.seconds);
    text.value(&format!("{name}_count"), "", sum as f64);
}

fn kept(text: &mut Text, pipeline: &Pipeline) -> Result<(), StoreError> {
    let (store, config) = (&pipeline.store, &pipeline.config);
    let volume = store.volume();
    text.one("diemtin_articles", "gauge", "Articles kept.", volume.articles as f64);
    text.one("diemtin_articles_bytes", "gauge", "Bytes of the articles' JSON files.", volume.bytes as f64);
    text.one("diemtin_store_bytes", "gauge", "Bytes of the store's files.", store.bytes_on_disk()? as f64);
    text.one("diemtin_store_change", "gauge", "The last change of the store.", store.seq() as f64);
    let head = export::head(&config.export.path).unwrap_or(0);
    text.one("diemtin_export_change", "gauge", "The last change that the export folder holds.", head as f64);
    let paused = poll::short_of_room(config).is_some();
    text.one(
        "diemtin_polling_paused",
        "gauge",
        "Whether polling pauses for want of room.",
        f64::from(u8::from(paused)),
    );
    text.family("diemtin_free_bytes", "gauge", "Free bytes of the disk that a folder is on.");
    for (name, path) in [("store", &config.store.path), ("export", &config.export.path)] {
        if let Some(free) = free(path) {
            text.value("diemtin_free_bytes", &labelled("folder", name), free);
        }
    }
    Ok(())
}

/// None where the folder is not there yet.
fn free(path: &Path) -> Option<f64> {
    fs2::available_space(path).ok().map(|free| free as f64)
}

type Gauge = (&'static str, &'static str, fn(&SiteRow) -> Option<f64>);

/// What a site's row says, as numbers.
const GAUGES: [Gauge; 8] = [
    ("up", "Whether all of the site's feeds answer.", |row| {
        (row.state != SiteHealth::New).then(|| f64::from(u8::from(row.state != SiteHealth::Failing)))
    }),
    ("last_success_timestamp_seconds", "When a feed of the site last answered.", |row| seconds(row.last_success)),
    ("last_new_timestamp_seconds", "When the site last brought an article that was kept.", |row| seconds(row.last_new)),
    ("next_poll_timestamp_seconds", "When the site is polled next.", |row| seconds(row.next_poll)),
    ("failures", "Polls failed in a row.", |row| Some(f64::from(row.failures))),
    ("waiting", "Entries to be settled, now or later.", |row| Some(row.waiting as f64)),
    ("gave_up", "Remembered entries that were given up.", |row| Some(row.gave_up as f64)),
    ("extraction_degraded", "Whether the site's pages are no longer read as they used to be.", |row| {
        let known = row.extraction != ExtractionHealth::Unknown;
        known.then(|| f64::from(u8::from(row.extraction == ExtractionHealth::Degraded)))
    }),
];

fn sites(text: &mut Text, rows: &[SiteRow]) {
    let mut states: BTreeMap<String, u64> = BTreeMap::new();
    rows.iter().for_each(|row| *states.entry(row.state.to_string()).or_default() += 1);
    text.family("diemtin_sites", "gauge", "Sites, by their state.");
    states.iter().for_each(|(state, count)| text.value("diemtin_sites", &labelled("state", state), *count as f64));
    let queue: usize = rows.iter().map(|row| row.waiting).sum();
    text.one("diemtin_queue", "gauge", "Entries of all sites to be settled, now or later.", queue as f64);
    for (name, help, of) in GAUGES {
        let name = format!("diemtin_site_{name}");
        text.family(&name, "gauge", help);
        for row in rows {
            if let Some(value) = of(row) {
                text.value(&name, &labelled("site", &row.id), value);
            }
        }
    }
}

fn seconds(at: Option<DateTime<Utc>>) -> Option<f64> {
    at.map(|at| at.timestamp() as f64)
}

fn labelled(label: &str, value: &str) -> String {
    format!("{label}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn buckets_are_cumulated_and_labels_escaped() {
        let board = Board::new(DateTime::UNIX_EPOCH);
        let round = crate::poll::Round { next: DateTime::UNIX_EPOCH, retry: None, feeds: vec![], settled: vec![] };
        for seconds in [0.05, 0.3, 0.4, 9999.0] {
            board.counters.round(&round, Duration::from_secs_f64(seconds));
        }
        let mut text = Text::default();
        counted(&mut text, &board.counters.now());
        for line in [
            "diemtin_round_duration_seconds_bucket{le=\"0.1\"} 1",
            "diemtin_round_duration_seconds_bucket{le=\"0.5\"} 3",
            "diemtin_round_duration_seconds_bucket{le=\"1800\"} 3",
            "diemtin_round_duration_seconds_bucket{le=\"+Inf\"} 4",
            "diemtin_round_duration_seconds_count 4",
            "diemtin_entries_settled_total{outcome=\"gave_up\"} 0",
        ] {
            assert!(text.0.lines().any(|l| l == line), "{line} is not in\n{}", text.0);
        }
        assert_eq!(labelled("a", "b\"\\\n"), "a=\"b\\\"\\\\\\n\"");
    }
}
