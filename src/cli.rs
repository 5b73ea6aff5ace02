//! One short function a command.

mod bulk;
mod explain;
mod held;
mod log;
mod once;
mod opml;
mod reselect;
mod sites;
mod store;

use crate::config::{Config, ConfigError};
use crate::export::ExportError;
use crate::store::{Store, StoreError};
use crate::{daemon, export};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Điểm tin: polls the feeds of Vietnamese provincial sites and keeps what is about civic mobilization (dân vận).
#[derive(Parser, Debug)]
#[command(name = "diemtin", version, max_term_width = 100, disable_help_subcommand = true, after_long_help = EXIT_CODES)]
struct Cli {
    /// The configuration [default: config.toml here, else /etc/diemtin/config.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How to write the log where no journal takes it
    #[arg(long, global = true, value_name = "FORM", default_value = "text")]
    log: LogForm,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong command line, 65 bad input data, 69 the store is held by a running daemon, \
78 bad configuration. DIEMTIN_STORE_PATH, DIEMTIN_EXPORT_PATH and DIEMTIN_STATUS_LISTEN override the configuration.";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum LogForm {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// The daemon, until SIGTERM or SIGINT; SIGHUP reloads
    Run,
    /// Poll every site once, settle what is due, bring the export up to date
    Once {
        /// One JSON object a site, and one for all, instead of the summary
        #[arg(long)]
        json: bool,
    },
    /// Say every mistake in the configuration
    Check {
        /// One JSON object a mistake, or one that says it is right
        #[arg(long)]
        json: bool,
    },
    /// Say what would become of a page, or is read in a feed or list: kept, dropped, why; stores nothing
    Explain {
        /// An address, or a file with a saved page
        #[arg(value_name = "URL|FILE")]
        what: String,
        /// Treat it as a page of this site
        #[arg(long, value_name = "ID")]
        site: Option<String>,
        /// Read it as a page that lists articles, like one of the site's
        #[arg(long)]
        list: bool,
        /// One JSON object instead of a report
        #[arg(long)]
        json: bool,
        /// A page instead of a report, with what is dropped struck out: `explain --html URL > page.html`. It runs and
        /// loads nothing
        #[arg(long, conflicts_with_all = ["json", "list"])]
        html: bool,
    },
    /// A row a site: state, last success, last new article, failures, next poll
    Sites {
        /// The latest requests to this site instead, and its pages that wait or were given up
        #[arg(value_name = "ID")]
        id: Option<String>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// After a change of the terms, judge again what is kept and what was dropped, while no daemon runs
    ///
    /// A kept article whose topics, score or hits change becomes a revision; one that is no longer wanted is taken away
    /// and leaves a tombstone. What was dropped and is wanted now is taken in from its page as served, as long as that is
    /// kept (`raw_pages` in [store]). The network is not asked.
    Reselect {
        /// Say what would change, and write nothing
        #[arg(long)]
        dry_run: bool,
        /// One JSON object a change, and one for all
        #[arg(long)]
        json: bool,
    },
    /// Care of the export folder
    #[command(subcommand)]
    Export(ExportCommand),
    /// Lists of feeds, from other readers and for them
    #[command(subcommand)]
    Opml(opml::OpmlCommand),
    /// Care of the store, while no daemon runs
    Store(store::StoreArgs),
    /// One stage by itself, in bulk; opens no store
    Try(bulk::Try),
    /// Completions for a shell
    Completions { shell: clap_complete::Shell },
    /// The manual page, in roff
    Man,
    /// The JSON Schemas of the export folder, one a line
    Schema,
}

#[derive(Subcommand, Debug)]
enum ExportCommand {
    /// Check every checksum and sequence
    Verify {
        /// One JSON object instead of lines
        #[arg(long)]
        json: bool,
    },
    /// Make the folder again from the store, byte for byte
    Rebuild {
        /// Also where the folder is of another store, or ahead of this one: what only the folder has is lost
        #[arg(long)]
        force: bool,
        /// One JSON object instead of a line
        #[arg(long)]
        json: bool,
    },
}

/// An error with the exit code it calls for.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
struct Exit {
    code: u8,
    why: String,
}

/// How root becomes the unit's dynamic user.
const AS_THE_DAEMON: &str =
    "systemd-run --quiet --pipe --wait --collect -p DynamicUser=yes -p User=diemtin -p StateDirectory=diemtin";

/// In the shipped configuration.
const NOBODY: &str = "operator@example.vn";

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const BAD_DATA: u8 = 65;
const STORE_HELD: u8 = 69;
const BAD_CONFIG: u8 = 78;

pub fn main() -> ExitCode {
    keep_little_memory();
    crate::store::silence_sled();
    let cli = Cli::parse();
    match std::panic::catch_unwind(AssertUnwindSafe(|| run(&cli))) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => ExitCode::from(report(&error)),
        Err(_) => {
            eprintln!("diemtin: stopped: a mistake of its own, or a store on a failing disk (`diemtin store check`)");
            ExitCode::from(FAILED)
        }
    }
}

/// glibc makes an arena for each thread, up to eight a core, and keeps there what was freed; large blocks it learns to keep,
/// too. Two arenas serve as well, and a body goes back as it is dropped. Before there is another thread.
#[cfg(target_env = "gnu")]
fn keep_little_memory() {
    for (what, value) in
        [(libc::M_ARENA_MAX, 2), (libc::M_MMAP_THRESHOLD, 256 << 10), (libc::M_TRIM_THRESHOLD, 1 << 20)]
    {
        // SAFETY: it changes numbers of the allocator's own. Where it refuses, more memory is kept.
        unsafe { libc::mallopt(what, value) };
    }
}

#[cfg(not(target_env = "gnu"))]
fn keep_little_memory() {}

/// Says what failed; returns the exit code. `diemtin … | head` is no failure.
fn report(error: &anyhow::Error) -> u8 {
    if broken_pipe(error) {
        return 0;
    }
    let said = format!("diemtin: {error:#}");
    said.lines().for_each(|line| eprintln!("{}", harmless(line)));
    exit_code(error)
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let file = cli.config.as_deref();
    match &cli.command {
        Command::Run => run_daemon(file, cli.log),
        Command::Once { json } => once::once(load(file)?, cli.log, *json),
        Command::Check { json } => check(file, *json),
        Command::Explain { what, site, list, json, html } => {
            let form = match (*json, *html) {
                (true, _) => explain::Form::Json,
                (_, true) => explain::Form::Html,
                _ => explain::Form::Report,
            };
            explain::explain(&load(file)?, what, site.as_deref(), *list, form)
        }
        Command::Sites { id: None, json } => sites::sites(&load(file)?, *json),
        Command::Sites { id: Some(id), json } => sites::site(&load(file)?, id, *json),
        Command::Reselect { dry_run, json } => reselect::reselect(load(file)?, *dry_run, *json),
        Command::Export(ExportCommand::Verify { json }) => verify(&load(file)?, *json),
        Command::Export(ExportCommand::Rebuild { force, json }) => rebuild(&load(file)?, *force, *json),
        Command::Opml(opml::OpmlCommand::Import { file: list }) => opml::import(list, load_for_lists(file)?.as_ref()),
        Command::Opml(opml::OpmlCommand::Export) => opml::export(&load(file)?),
        Command::Store(arguments) => store::store(&load(file)?, arguments),
        Command::Try(stage) => bulk::try_stage(stage, file),
        Command::Completions { shell } => completions(*shell),
        Command::Man => man(),
        Command::Schema => schema(),
    }
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(exit) = error.downcast_ref::<Exit>() {
        return exit.code;
    }
    if error.is::<ConfigError>() {
        return BAD_CONFIG;
    }
    let store = match error.downcast_ref::<ExportError>() {
        Some(ExportError::Store(store)) => Some(store),
        _ => error.downcast_ref::<StoreError>(),
    };
    if matches!(store, Some(StoreError::Held(_))) { STORE_HELD } else { FAILED }
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    let of_json = |e: &serde_json::Error| e.io_error_kind() == Some(io::ErrorKind::BrokenPipe);
    error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
        || error.downcast_ref::<serde_json::Error>().is_some_and(of_json)
}

fn load(file: Option<&Path>) -> anyhow::Result<Config> {
    Ok(Config::load(&Config::find(file)?)?)
}

/// Tables are wanted where there is no right configuration yet, too; but not instead of one that was named.
fn load_for_lists(file: Option<&Path>) -> anyhow::Result<Option<Config>> {
    match file {
        Some(_) => load(file).map(Some),
        None => Ok(load(None).ok()),
    }
}

fn run_daemon(file: Option<&Path>, form: LogForm) -> anyhow::Result<()> {
    let file = Config::find(file)?;
    // A mistake is said before anything else is set up.
    Config::load(&file)?;
    log::start(form);
    let runtime = runtime()?;
    let done = runtime.block_on(daemon::run(&file));
    // What still runs is atomic or repeatable; stopping takes less than the five seconds that are promised.
    runtime.shutdown_timeout(Duration::from_secs(3));
    done
}

/// Vietnam's time, to the minute, and that it is.
fn moment(at: chrono::DateTime<chrono::Utc>) -> String {
    at.with_timezone(&crate::text::VIETNAM).format("%Y-%m-%d %H:%M %:z").to_string()
}

/// What servers say, for a terminal: nothing that it would obey, nor what turns the direction of a line; one line.
fn harmless(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let spaced = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    spaced.filter(|c| !c.is_control() && !turns(*c)).collect()
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// For commands that look: they never make a store, which would then belong to whoever looked.
fn existing_store(config: &Config) -> anyhow::Result<Store> {
    need_store(config)?;
    need_own_store(config)?;
    Ok(Store::open(&config.store.path)?)
}

/// What root writes into a store is a file that the store's own daemon cannot write any more.
fn need_own_store(config: &Config) -> anyhow::Result<()> {
    // the store, or the folder that it would be made in
    let store = config.store.path.ancestors().find_map(|path| std::fs::metadata(path).ok());
    // without /proc there is no telling who we are
    let (Some(store), Ok(me)) = (store, std::fs::metadata("/proc/self")) else { return Ok(()) };
    anyhow::ensure!(
        me.uid() != 0 || store.uid() == 0,
        "the store {} belongs to the user that the daemon runs as: run this as that user ({AS_THE_DAEMON} diemtin …)",
        config.store.path.display()
    );
    Ok(())
}

fn need_store(config: &Config) -> anyhow::Result<()> {
    let path = &config.store.path;
    anyhow::ensure!(path.exists(), "there is no store at {}: `diemtin run` or `once` makes it", path.display());
    Ok(())
}

fn check(file: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let config = load(file);
    if json && let Some(wrong) = config.as_ref().err().and_then(|why| why.downcast_ref::<ConfigError>()) {
        wrong.mistakes.iter().try_for_each(|text| writeln!(out, "{}", serde_json::json!({"mistake": text})))?;
    }
    let config = config?;
    let (file, sites) = (config.file.display(), config.sites.len());
    let feeds: usize = config.sites.iter().map(|site| site.feeds.len()).sum();
    if json {
        let right = serde_json::json!({"file": file.to_string(), "sites": sites, "feeds": feeds});
        writeln!(out, "{right}")?;
        return Ok(());
    }
    writeln!(out, "{file}: no mistake found: sites {sites}, feeds {feeds}")?;
    if config.http.user_agent.contains(NOBODY) {
        eprintln!("[http] user_agent names {NOBODY}: put your office's own address there, servers are told it");
    }
    Ok(())
}

fn verify(config: &Config, json: bool) -> anyhow::Result<()> {
    let report = export::verify(&config.export.path)?;
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    } else {
        for problem in &report.problems {
            writeln!(out, "{}", harmless(problem))?;
        }
        writeln!(out, "{} files, change {}: {} problems", report.files, report.seq, report.problems.len())?;
    }
    if report.problems.is_empty() {
        return Ok(());
    }
    Err(Exit { code: FAILED, why: verify_advice(&report) }.into())
}

fn verify_advice(report: &export::Report) -> String {
    let foreign = match report.foreign {
        0 => String::new(),
        count => format!("{count} files are not diemtin's, which never takes such away: move them elsewhere"),
    };
    let damaged = match report.problems.len() - report.foreign {
        0 => String::new(),
        _ => "the export folder is damaged: `diemtin export rebuild`, while no daemon runs, makes it again from the store"
            .to_owned(),
    };
    [damaged, foreign].into_iter().filter(|said| !said.is_empty()).collect::<Vec<_>>().join("; ")
}

fn rebuild(config: &Config, force: bool, json: bool) -> anyhow::Result<()> {
    // A store that was lost is made again from the folder first, where there is one.
    if !config.export.path.exists() {
        need_store(config)?;
    }
    need_own_store(config)?;
    let (store, healed) = export::open_store(&config.store.path, &config.export.path, chrono::Utc::now())?;
    if let Some(healed) = healed {
        eprintln!("{}", harmless(&healed.to_string()));
    }
    if !force {
        export::refuse_other(&store, &config.export)?;
    }
    let rows = crate::status::rows(config, &store, crate::poll::short_of_room(config).as_deref())?;
    let made = export::rebuild(&store, &config.export, &rows)?;
    if json {
        writeln!(io::stdout(), "{}", serde_json::json!({"seq": made.seq, "files": made.files}))?;
        return Ok(());
    }
    eprintln!("{}: change {}, {} files written", config.export.path.display(), made.seq, made.files);
    Ok(())
}

fn completions(shell: clap_complete::Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "diemtin", &mut script);
    Ok(io::stdout().write_all(&script)?)
}

fn man() -> anyhow::Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    Ok(io::stdout().write_all(&page)?)
}

fn schema() -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for (name, schema) in export::schemas() {
        writeln!(out, "{}", serde_json::json!({"name": name, "schema": schema}))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(harmless("Tin \u{1b}[2Jmới\u{9b}2J\r\n\u{202e}và cũ\u{7}"), "Tin [2Jmới2J  và cũ");
    }

    #[test]
    fn a_configuration_that_was_named_for_a_list_must_be_right() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("typo.toml");
        for text in [None, Some("[pol]\n")] {
            text.iter().for_each(|text| std::fs::write(&file, text).expect("writable"));
            let error = load_for_lists(Some(&file)).expect_err("a mistake");
            assert_eq!(exit_code(&error), BAD_CONFIG, "{error:#}");
        }
        assert!(load_for_lists(None).is_ok());
    }
}
