//! The long run: a walker a site, signals, reload, stop, systemd.
