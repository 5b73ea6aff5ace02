//! What README.md says is tried: its commands, its configuration, and whether it names everything.

use crate::house::{House, Reply};
use crate::{command, diemtin, stderr, stdout};
use std::fs;
use std::path::Path;
use std::process::Command;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("README.md")
}

/// The fenced blocks of a section, each with its language.
fn blocks(text: &str, section: &str) -> Vec<(String, String)> {
    let from = text.find(&format!("\n## {section}\n")).unwrap_or_else(|| panic!("no section {section}"));
    let rest = &text[from + 4..];
    let section = &rest[..rest.find("\n## ").unwrap_or(rest.len())];
    let fences: Vec<&str> = section.split("```").collect();
    let inner = fences.iter().skip(1).step_by(2);
    inner.map(|block| block.split_once('\n').expect("a language")).map(|(l, b)| (l.to_owned(), b.to_owned())).collect()
}

/// Each `$ …` line, by a shell that finds the program; all of them succeed.
fn run(folder: &Path, commands: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_diemtin"));
    let path = format!("{}:{}", program.parent().expect("a folder").display(), std::env::var("PATH").expect("PATH"));
    let mut said = String::new();
    for line in commands.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let prepared = command(folder, &[]);
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(folder);
        for (name, _) in prepared.get_envs().filter(|(_, value)| value.is_none()) {
            shell.env_remove(name);
        }
        let output = shell.env("PATH", &path).output().expect("a shell");
        assert!(output.status.success(), "{line}: {}{}", stdout(&output), stderr(&output));
        said += &stdout(&output);
    }
    said
}

#[test]
fn the_worked_example_works() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    let config = house.config(folder.path(), &["longan"]);
    fs::create_dir(folder.path().join("conf.d")).expect("writable");
    let place = house.place("sonla");
    let mut items = String::new();
    for (path, ..) in place.pages() {
        items += &format!("<li><h3><a href=\"{path}\">Bài viết ở địa chỉ {path}, đủ dài</a></h3><p>12/3/2024</p></li>");
    }
    let list = format!("<html><body><h1>Tin tức</h1><ul>{items}</ul></body></html>");
    let html = Reply::Bytes("text/html; charset=utf-8", list.into_bytes());
    house.script("sonla", "/tin-tuc", &[html.clone(), html]);
    let mut said = String::new();
    for (language, block) in blocks(&readme(), "Add a site") {
        let block = block.replace("https://baosonla.example", &place.base);
        match language.as_str() {
            "console" => said += &run(folder.path(), &block),
            "toml" => {
                let mut text = fs::read_to_string(&config).expect("a configuration");
                text += &block;
                fs::write(&config, text).expect("writable");
                if block.contains("[[site]]") {
                    // its layout comes in the next step
                    let checked = diemtin(folder.path(), &["check"]);
                    assert!(stderr(&checked).contains("vidu"), "{}", stderr(&checked));
                    fs::write(folder.path().join("conf.d/vidu.toml"), "[layout.vidu]\ntitle = \"h1\"\n")
                        .expect("writable");
                } else {
                    fs::remove_file(folder.path().join("conf.d/vidu.toml")).expect("it was there");
                }
            }
            _ => assert!(block.starts_with("# "), "{block}"),
        }
    }
    // what is shown of the reports is what they say
    for (_, block) in blocks(&readme(), "Add a site").iter().filter(|(language, _)| language == "console") {
        for line in block.lines().filter(|line| !line.starts_with('$')) {
            assert!(said.contains(line.trim_end_matches('…')), "{line} is not in\n{said}");
        }
    }
    for part in ["sites 2", "layout [layout.vidu]", "VERDICT    kept", "70412"] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
}

#[test]
fn backup_and_restore_as_told() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &["longan"]);
    let all = blocks(&readme(), "Backup and restore");
    let all: Vec<_> = all.iter().filter(|(language, _)| language == "console").collect();
    assert_eq!(all.len(), 2);
    all.iter().for_each(|(_, commands)| drop(run(folder.path(), commands)));
}

#[test]
fn every_key_command_and_metric_is_named() {
    let text = readme();
    let shipped = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml")).expect("config.toml");
    let keys = shipped.lines().map(|line| line.trim_start_matches("# "));
    let keys = keys.filter_map(|line| line.split_once(" = ")).map(|(key, _)| key);
    let keys = keys.filter(|key| !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
    // what a term is made of is shown where terms are
    for key in keys.filter(|key| !["say", "weight"].contains(key)) {
        let named = [format!("`{key}`"), format!(".{key}`")].iter().any(|name| text.contains(name.as_str()));
        assert!(named, "{key} is not in README.md");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let help = stdout(&diemtin(folder.path(), &["--help"]));
    let commands = help.split("Commands:").nth(1).and_then(|rest| rest.split("Options:").next()).expect("a list");
    for name in commands.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next().filter(|n| !n.is_empty()))
    {
        assert!(text.contains(&format!("`diemtin {name}")) || text.contains(&format!("`{name}`")), "{name}");
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/status/metrics.rs");
    let source = fs::read_to_string(source).expect("the metrics");
    let rules = blocks(&text, "What each warning means").pop().expect("the rules").1;
    for word in rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| w.starts_with("diemtin_")) {
        let name = word.strip_prefix("diemtin_site_").unwrap_or(word);
        assert!(source.contains(&format!("\"{name}\"")), "there is no metric {word}");
    }
    assert!(text.trim_end().rsplit("\n## ").next().is_some_and(|last| last.starts_with("Changelog")));
}
