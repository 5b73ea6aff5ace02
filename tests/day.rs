//! `cargo run --release --example day [SEEDS]`: a day of 10,000 feeds on 200 hosts, then a day of 60 feeds for each of 200
//! seeds; ends with 1 where something was not as it must be.

#[path = "day/mod.rs"]
mod day;

use day::{Scale, simulate};

fn main() -> std::process::ExitCode {
    let seeds = std::env::args().nth(1).map_or(200, |seeds| seeds.parse().expect("a number of seeds"));
    let begun = std::time::Instant::now();
    let mut wrong = told(Scale { feeds: 10_000, hosts: 200, hours: 24, seed: 0 });
    println!("{:.1} s", begun.elapsed().as_secs_f64());
    for seed in 1..=seeds {
        let told = simulate(Scale { feeds: 60, hosts: 7, hours: 24, seed });
        wrong += told.wrong.len();
        told.wrong.iter().take(3).for_each(|why| println!("seed {seed}: {why}"));
    }
    println!("{seeds} seeds, {wrong} wrong in all, {:.1} s", begun.elapsed().as_secs_f64());
    std::process::ExitCode::from(u8::from(wrong > 0))
}

fn told(scale: Scale) -> usize {
    let told = simulate(scale);
    told.wrong.iter().take(10).for_each(|why| println!("{why}"));
    let (polls, failed, settled) = (told.polls, told.failed, told.settled);
    let (missed, rolled_over, wrong) = (told.missed, told.rolled_over, told.wrong.len());
    println!(
        "{scale:?}: {polls} polls, {failed} failed, {settled} entries settled, {missed} missed, noticed {rolled_over} times, {wrong} wrong"
    );
    wrong
}
