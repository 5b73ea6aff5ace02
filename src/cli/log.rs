//! Where the log goes: to the journal, else to stderr.

use super::LogForm;
use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;
use tracing::Subscriber;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt};

/// Once a process.
pub fn start(form: LogForm) {
    let (layer, trouble) = layer(form);
    let subscriber = Registry::default().with(layer.with_filter(LevelFilter::INFO));
    // Fails only where another subscriber stands already, which is then the one to use.
    if tracing::subscriber::set_global_default(subscriber).is_ok()
        && let Some(trouble) = trouble
    {
        tracing::warn!("the journal cannot be reached, lines go to stderr: {trouble}");
    }
}

/// systemd names the journal's socket by device and inode; a shell that a service started has the variable too, but
/// another stderr (systemd.exec(5), `$JOURNAL_STREAM`).
fn stderr_is_the_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    // Without /proc there is no telling, and lines on stderr reach the journal as well.
    let Ok(stderr) = std::fs::metadata("/proc/self/fd/2") else { return false };
    stream == format!("{}:{}", stderr.dev(), stderr.ino())
}

type Boxed = Box<dyn Layer<Registry> + Send + Sync>;

fn layer(form: LogForm) -> (Boxed, Option<std::io::Error>) {
    match form {
        LogForm::Json => (Box::new(fmt::layer().json().with_writer(std::io::stderr)), None),
        LogForm::Text if stderr_is_the_journal() => match tracing_journald::layer() {
            Ok(journal) => (Box::new(journal), None),
            Err(trouble) => (Box::new(lines()), Some(trouble)),
        },
        LogForm::Text => (Box::new(lines()), None),
    }
}

fn lines<S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>>() -> impl Layer<S> {
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    fmt::layer().with_ansi(colour).with_target(false).with_writer(std::io::stderr)
}
