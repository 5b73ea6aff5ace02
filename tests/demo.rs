//! `cargo run --release --example demo`: the fixture sites, the real pipeline, no network. `demo serve FOLDER` only
//! serves the sites until it is stopped, and writes their configuration into the folder.

// The tests use the rest of it.
#[allow(dead_code)]
#[path = "house/mod.rs"]
mod house;

use diemtin::article::{Judged, Outcome};
use diemtin::config::Config;
use diemtin::poll::{self, FeedNews, Pipeline, Round};
use diemtin::{daemon, export};
use std::path::Path;
use std::sync::Arc;

const FOLDER: &str = "var/demo";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [serve, folder] = arguments.as_slice()
        && serve == "serve"
    {
        let house = house::House::open();
        println!("{}", house.config(Path::new(folder), &[]).display());
        std::future::pending::<()>().await;
    }
    let folder = Path::new(FOLDER);
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    let house = house::House::open();
    let config = house.config(folder, &[]);
    println!(
        "{} sites are served on loopback addresses; their configuration is {}",
        house.places.len(),
        config.display()
    );
    let pipeline = Arc::new(tokio::task::spawn_blocking(move || Pipeline::open(Config::load(&config)?)).await??);
    for nth in ["FIRST", "SECOND"] {
        println!("\n{nth} ROUND");
        for site in &pipeline.config.sites {
            let round = poll::poll(&pipeline, site, chrono::Utc::now()).await?;
            println!("\n{} ({})", site.name, site.feeds[0]);
            tell(&round);
        }
        let pipeline = pipeline.clone();
        tokio::task::spawn_blocking(move || daemon::export_now(&pipeline)).await??;
    }
    let folder = &pipeline.config.export.path;
    let report = export::verify(folder)?;
    println!(
        "\n{}: {} files, {} changes, {} problems",
        folder.display(),
        report.files,
        report.seq,
        report.problems.len()
    );
    println!("start with {}/README.txt", folder.display());
    Ok(())
}

fn tell(round: &Round) {
    for feed in &round.feeds {
        match &feed.result {
            Ok(FeedNews::Unchanged) => println!("  the feed is unchanged"),
            Ok(FeedNews::Read { entries, new, repairs, .. }) => {
                println!("  {entries} entries, {new} new");
                repairs.iter().for_each(|repair| println!("  feed mended: {repair}"));
            }
            Ok(FeedNews::Stopped(since)) => println!("  gone for good since {since}"),
            Ok(FeedNews::Waiting(until)) => println!("  waiting until {until}"),
            Err(why) => println!("  failed: {why}"),
        }
    }
    for settled in &round.settled {
        let what = match &settled.outcome {
            Outcome::Stored => "KEPT     ".to_owned(),
            Outcome::OffTopic => "off topic".to_owned(),
            Outcome::Duplicate { of } => format!("COPY of {of}"),
            other => other.label().to_owned(),
        };
        println!("  {what} {}", settled.title);
        println!("            {}; {} parts of the page left out", reasons(&settled.judged), settled.dropped);
    }
}

fn reasons(judged: &[Judged]) -> String {
    let Some(best) = judged.iter().max_by(|a, b| a.score.total_cmp(&b.score)) else { return "not judged".to_owned() };
    let terms: Vec<&str> = best.hits.iter().take(3).map(|hit| hit.term.as_str()).collect();
    format!("score {:.2} {}", best.score, terms.join(", "))
}
