//! The files of a configuration, read together: every mistake in any of them is found in one go.

use super::section::Section;
use super::source::Source;
use super::{Config, ConfigError, settings, sites};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use toml_edit::Document;

/// Which keys a file may hold at its top.
#[derive(Clone, Copy, PartialEq)]
pub enum Rank {
    /// config.toml: all of them.
    Main,
    /// A file of conf.d: `site` and `layout`.
    Addition,
}

pub fn load(file: &Path, env: impl Fn(&str) -> Option<OsString>) -> Result<Config, ConfigError> {
    let absolute = std::path::absolute(file).map_err(|e| one(file, e))?;
    let base = absolute.parent().unwrap_or(Path::new("/")).to_owned();
    let sources = read(file)?;
    let mut elsewhere = Vec::new();
    let config = meant(&sources, absolute, &base, &env, &mut elsewhere);
    elsewhere.extend(sources.into_iter().flat_map(Source::into_mistakes));
    match config {
        Some(config) if elsewhere.is_empty() => Ok(config),
        _ => Err(ConfigError { mistakes: elsewhere }),
    }
}

/// `None` where the mistakes leave nothing to work with; what has no place in a file goes to `elsewhere`.
fn meant(
    sources: &[Source],
    file: PathBuf,
    base: &Path,
    env: &impl Fn(&str) -> Option<OsString>,
    elsewhere: &mut Vec<String>,
) -> Option<Config> {
    let documents: Vec<Document<&str>> = sources.iter().filter_map(parse).collect();
    // what is missing in a file that cannot be read is not known to be missing
    if documents.len() < sources.len() {
        return None;
    }
    let mut roots = sources.iter().zip(&documents).map(|(s, d)| Section::new(s, 0..0, Some(d.as_table())));
    let main = roots.next()?;
    let mut config = settings::settings(&main, file, base);
    let roots: Vec<(Rank, Section)> =
        std::iter::once((Rank::Main, main)).chain(roots.map(|root| (Rank::Addition, root))).collect();
    sites::add(&roots, base, &mut config);
    if roots.iter().all(|(_, root)| root.item("site").is_none()) {
        elsewhere.push(no_site(&sources[0].name));
    }
    settings::overrides(&mut config, env, elsewhere);
    roots.into_iter().for_each(|(rank, root)| finish(rank, root));
    Some(config)
}

fn no_site(name: &str) -> String {
    format!(
        "{name}: error: no site to poll: add a [[site]] with id, name, province, kind and feeds, here or in conf.d/"
    )
}

fn parse(source: &Source) -> Option<Document<&str>> {
    match Document::parse(source.text.as_str()) {
        Ok(document) => Some(document),
        Err(error) => {
            let end = source.text.len();
            source.mistake(&error.span().unwrap_or(end..end), error.message());
            None
        }
    }
}

/// Unknown keys; in an addition, those that only config.toml may have are called so.
fn finish(rank: Rank, root: Section) {
    if rank == Rank::Addition {
        for key in settings::KEYS {
            if let Some((at, _)) = root.item(key) {
                root.source.mistake(&at, format!("`{key}` can only stand in config.toml, not in conf.d"));
            }
        }
    }
    root.finish();
}

/// config.toml first, then conf.d in the order of the names.
fn read(file: &Path) -> Result<Vec<Source>, ConfigError> {
    let additions = additions(&file.with_file_name("conf.d"))?;
    let read = std::iter::once(file.to_owned()).chain(additions).map(|path| {
        let text = std::fs::read_to_string(&path).map_err(|error| one(&path, unreadable(error)))?;
        Ok(Source::new(path.display().to_string(), text))
    });
    let (sources, failed): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
    let mistakes: Vec<String> =
        failed.into_iter().filter_map(Result::err).flat_map(|e: ConfigError| e.mistakes).collect();
    if mistakes.is_empty() { Ok(sources.into_iter().flatten().collect()) } else { Err(ConfigError { mistakes }) }
}

fn additions(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let listed: Result<Vec<_>, _> = std::fs::read_dir(folder).and_then(Iterator::collect);
    let entries = listed.map_err(|error| one(folder, unreadable(error)))?;
    let paths = entries.into_iter().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    Ok(files)
}

fn one(path: &Path, says: impl std::fmt::Display) -> ConfigError {
    ConfigError { mistakes: vec![format!("{}: error: {says}", path.display())] }
}

fn unreadable(error: std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => format!("it cannot be read: {error}"),
    }
}
