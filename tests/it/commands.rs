//! The commands, as a person or a program calls them.

use crate::house::{House, Reply};
use crate::{command, diemtin, stderr, stdout};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::process::Stdio;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect()
}

fn tried(stage: &str, input: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = command(folder.path(), &["try", stage, "--jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    lines(&stdout(&output))
}

#[test]
fn once_then_nothing_new_then_verify_and_rebuild() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &[]);
    let first = diemtin(folder.path(), &["once"]);
    assert!(first.status.success(), "{}", stderr(&first));
    assert!(stdout(&first).contains("stored"), "{}", stdout(&first));
    let export = folder.path().join("var/export");
    let before = crate::tree(&export);

    let second = diemtin(folder.path(), &["once"]);
    assert!(stdout(&second).contains("nothing new"), "{}", stdout(&second));
    let same = |(name, bytes): (&String, &Vec<u8>)| {
        let after = fs::read(export.join(name)).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(name.starts_with("status/") || name == "manifest.json" || *bytes == after, "{name} changed");
    };
    before.iter().for_each(same);

    assert!(diemtin(folder.path(), &["export", "verify"]).status.success());
    let before = crate::tree(&export);
    fs::remove_dir_all(&export).expect("removable");
    let rebuilt = diemtin(folder.path(), &["export", "rebuild"]);
    assert!(rebuilt.status.success(), "{}", stderr(&rebuilt));
    let after = crate::tree(&export);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (name, bytes) in before {
        assert!(bytes == after[&name], "{name} differs after rebuild");
    }
    let article = after.keys().find(|name| name.starts_with("articles/")).expect("an article");
    fs::write(export.join(article), "x").expect("writable");
    let damaged = diemtin(folder.path(), &["export", "verify"]);
    assert_eq!(damaged.status.code(), Some(1));
    assert!(stdout(&damaged).contains(article.as_str()), "{}", stdout(&damaged));
}

#[test]
fn a_site_that_fails_is_said_and_the_round_ends_well() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &["longan", "sonla"]);
    let feed = house.place("longan").feed.clone();
    house.script("longan", &feed, &[Reply::Status(500, "")]);
    let round = diemtin(folder.path(), &["once"]);
    assert!(round.status.success());
    let said = stdout(&round);
    assert!(said.contains("longan: ") && said.contains("HTTP 500") && said.contains("1 failed"), "{said}");
    let rows = lines(&stdout(&diemtin(folder.path(), &["sites", "--json"])));
    let state = |id: &str| rows.iter().find(|row| row["id"] == id).expect("a row")["state"].clone();
    assert_eq!(state("longan"), "failing");
    assert_eq!(state("sonla"), "quiet", "its entries are years old");
}

/// Whatever a server says, a terminal obeys none of it; and no password is printed.
#[test]
fn what_servers_say_is_printed_harmless_and_without_secrets() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    let config = house.config(folder.path(), &["longan"]);
    let place = house.place("longan");
    let feed = format!("{}{}", place.base, place.feed);
    let secret = feed.replace("http://", "http://user:geheim@");
    let text = fs::read_to_string(&config).expect("a configuration");
    fs::write(&config, text.replace(&feed, &secret)).expect("writable");
    let item = "<item><title>Tin &#x9b;31m \u{202e}mới</title><link>http://user:geheim@127.0.0.1:1/a</link></item>";
    let rss = format!("<rss version=\"2.0\"><channel><title>\u{1b}]0;x\u{7}Báo\u{9b}2J</title>{item}</channel></rss>");
    let reply = || Reply::Bytes("application/rss+xml", rss.clone().into_bytes());
    house.script("longan", &place.feed, &[reply(), Reply::Bytes("text/html", b"\x1b[2J<p>no".to_vec()), reply()]);
    for arguments in [&["once"][..], &["once"], &["explain", &secret], &["sites"], &["sites", "longan"]] {
        let output = diemtin(folder.path(), arguments);
        let said = stdout(&output) + &stderr(&output);
        assert!(said.contains("longan"), "{arguments:?}: {said}");
        let obeyed = |c: char| c != '\n' && c.is_control() || c == '\u{202e}';
        assert!(!said.contains(obeyed), "{arguments:?}: {said:?}");
        assert!(!said.contains("geheim"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_round_in_which_nothing_could_be_read_says_so() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &["longan"]);
    let feed = house.place("longan").feed.clone();
    house.script("longan", &feed, &[Reply::Status(500, ""), Reply::Status(500, "")]);
    for arguments in [&["once"][..], &["once", "--json"]] {
        let round = diemtin(folder.path(), arguments);
        let said = stderr(&round);
        assert!(said.contains("NO SITE could be read") && said.contains("longan: HTTP 500"), "{said}");
        assert!(round.status.success(), "the round ran");
    }
}

#[test]
fn what_the_limits_let_go_is_said() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    let config = house.config(folder.path(), &["longan"]);
    let text = fs::read_to_string(&config).expect("a configuration");
    fs::write(&config, format!("[store]\nmax_articles = 1\n{text}")).expect("writable");
    let round = diemtin(folder.path(), &["once"]);
    assert!(stderr(&round).contains("were let go by the limits in [store]"), "{}", stderr(&round));
    assert!(!stderr(&diemtin(folder.path(), &["once"])).contains("let go"));
}

/// HEAD alone does not make a sound store a damaged one, and what is not ours is not called damage.
#[test]
fn advice_can_be_followed() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &["longan"]);
    assert!(diemtin(folder.path(), &["once"]).status.success());
    let export = folder.path().join("var/export");
    fs::write(export.join("changes/HEAD"), "999999\n").expect("writable");
    let checked = diemtin(folder.path(), &["store", "check"]);
    assert!(checked.status.success() && stderr(&checked).contains("`diemtin export rebuild` mends that"));
    assert!(stderr(&diemtin(folder.path(), &["export", "verify"])).contains("`diemtin export rebuild`"));
    assert!(diemtin(folder.path(), &["export", "rebuild"]).status.success());
    assert!(diemtin(folder.path(), &["export", "verify"]).status.success());
    fs::write(export.join("ghi-chu.txt"), "x").expect("writable");
    let foreign = diemtin(folder.path(), &["export", "verify"]);
    assert_eq!(foreign.status.code(), Some(1));
    let said = stderr(&foreign);
    assert!(said.contains("move them elsewhere") && !said.contains("rebuild"), "{said}");
}

#[test]
fn a_wrong_configuration_is_said_whole_with_its_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let text =
        "[pol]\nevery = \"20m\"\n[[site]]\nid = \"a\"\nprovince = \"Hưng Yên\"\nkind = \"partty\"\nfeeds = [\"x\"]\n";
    fs::write(folder.path().join("config.toml"), text).expect("writable");
    for command in [&["check"][..], &["run"], &["once"]] {
        let checked = diemtin(folder.path(), command);
        assert_eq!(checked.status.code(), Some(78), "{command:?}");
        let said = stderr(&checked);
        for part in ["config.toml:1:2", "config.toml:6:8", "config.toml:7:10", "^", "name"] {
            assert!(said.contains(part), "{part} is not in:\n{said}");
        }
    }
}

#[test]
fn explain_says_what_is_kept_dropped_and_why() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &[]);
    let place = house.place("hungyen");
    let (path, ..) = place.pages().remove(0);
    let explained = diemtin(folder.path(), &["explain", &format!("{}{path}", place.base)]);
    let said = stdout(&explained);
    assert!(explained.status.success(), "{}", stderr(&explained));
    for part in ["site       hungyen", "KEPT", "DROPPED", "VERDICT", "dan-van", "method     layout"] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
    assert!(!folder.path().join("var").exists(), "explain stores nothing");
    assert!(said.contains("learned    not used: there is no store yet"), "{said}");
    // each line with its score
    let scored = said.lines().filter(|line| line.starts_with("  + ") || line.starts_with("  - "));
    assert!(scored.clone().count() > 20 && scored.clone().all(|line| line[4..].trim().contains('.')));
}

#[test]
fn explain_uses_what_the_store_has_learned_unless_a_daemon_holds_it() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &["longan"]);
    assert!(diemtin(folder.path(), &["once"]).status.success());
    let place = house.place("longan");
    let address = format!("{}{}", place.base, place.pages().remove(0).0);
    let said = stdout(&diemtin(folder.path(), &["explain", &address]));
    assert!(said.contains("pages of the site") && said.contains("STORE      kept"), "{said}");
    let held = diemtin::store::Store::open_again(&folder.path().join("var/store")).expect("it opens");
    let said = stdout(&diemtin(folder.path(), &["explain", &address]));
    assert!(said.contains("learned    not used: a running daemon holds the store"), "{said}");
    drop(held);
}

/// Whatever a site says, the page that `--html` writes runs nothing and loads nothing.
#[test]
fn explain_writes_a_safe_page_with_what_is_dropped_struck_out() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &[]);
    let sentence = "Sáng nay, xã mở buổi đối thoại với bà con ba thôn về con đường vào khu sản xuất, &lt;script&gt;alert(1)&lt;/script&gt; có hơn hai trăm người dự.";
    let file = folder.path().join("bai.html");
    let html = format!(
        "<title>&lt;img src=x onerror=alert(2)&gt;</title><ul><li><a href='javascript:alert(3)'>Trang &lt;b&gt;nhất</a></ul>\
         <h1>Đối thoại &lt;/title&gt;&lt;script&gt;</h1><div id='a&quot;&gt;&lt;script&gt;'><p>{sentence}</p><p>{sentence} Và thêm.</p>\
         <img src='https://a.vn/x.jpg?&quot;&gt;&lt;script&gt;' width=600></div>"
    );
    fs::write(&file, html).expect("writable");
    let explained = diemtin(folder.path(), &["explain", "--html", file.to_str().expect("UTF-8")]);
    assert!(explained.status.success(), "{}", stderr(&explained));
    let page = stdout(&explained);
    assert!(page.starts_with("<!doctype html>") && page.contains("default-src 'none'; style-src 'sha256-"), "{page}");
    assert!(page.contains("<del>Trang &lt;b&gt;nhất</del>") && page.contains("score "), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
    let tags = page
        .split('<')
        .skip(1)
        .map(|tag| tag.split(|c: char| !c.is_ascii_alphanumeric() && c != '/' && c != '!').next());
    let own = [
        "!doctype", "html", "head", "meta", "title", "/title", "style", "/style", "/head", "body", "h1", "/h1",
        "table", "tr", "th", "/th", "td", "/td", "/tr", "/table", "pre", "/pre", "section", "div", "/div", "small",
        "/small", "del", "/del", "/section", "/body", "/html",
    ];
    tags.for_each(|tag| assert!(own.contains(&tag.expect("a name")), "{tag:?}"));
    assert!(!page.contains("href") && !page.contains("src=\""), "it leads nowhere and loads nothing");
}

#[test]
fn explain_says_what_a_feed_or_a_list_page_gives_and_what_not() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &[]);
    let list = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sites/sonla/danh-sach.html");
    let page = fs::read_to_string(list).expect("a list page").replace("{{base}}", "https://sonla.example");
    fs::write(folder.path().join("list.html"), page).expect("writable");
    let explained = diemtin(folder.path(), &["explain", "--list", "list.html"]);
    let said = stdout(&explained);
    assert!(explained.status.success(), "{}", stderr(&explained));
    for part in ["list, found: links with the words", "ENTRIES, 6", "2024-03-14 09:05", "LEFT,", "in the navigation"] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
    let place = house.place("hungyen");
    let explained = diemtin(folder.path(), &["explain", "--json", &format!("{}{}", place.base, place.feed)]);
    let said: Value = serde_json::from_str(&stdout(&explained)).expect("JSON");
    assert_eq!((&said["format"], &said["site"]), (&json!("rss 2.0"), &json!("hungyen")));
    assert!(said["entries"][0]["link"].is_string(), "{said}");
}

#[test]
fn a_bad_line_is_answered_and_the_rest_go_on() {
    let answers = tried("select", "{\"id\":1}\nnot json\n{\"id\":3,\"title\":\"a\",\"text\":\"b\"}\n");
    assert_eq!(answers[0], json!({"id": 1, "ok": false, "error": "no text"}));
    assert_eq!((&answers[1]["ok"], &answers[1]["id"]), (&json!(false), &Value::Null));
    assert_eq!(
        (&answers[2]["ok"], &answers[2]["id"], &answers[2]["selected"]),
        (&json!(true), &json!(3), &json!(false))
    );
}

#[test]
fn copies_are_told_by_the_first_of_them() {
    let text = "Sáng nay, tại nhà văn hóa thôn Đông, Ban công tác mặt trận mời bà con đến bàn việc mở rộng đường làng, \
        mỗi nhà góp ba ngày công và nhường lại một mét đất dọc theo con mương cũ, việc ghi sổ do tổ giám sát làm.";
    let upper = text.to_uppercase();
    let input =
        [("a", text), ("b", "Chuyện khác hẳn về mùa gặt năm nay ở cánh đồng phía tây của huyện."), ("c", &upper)];
    let input: String = input.iter().map(|(id, text)| format!("{}\n", json!({"id": id, "text": text}))).collect();
    let answers = tried("dedup", &input);
    assert_eq!(answers[0]["kind"], "new");
    assert_eq!(answers[1]["kind"], "new");
    assert_eq!((&answers[2]["kind"], &answers[2]["cluster"]), (&json!("duplicate"), &json!("a")));
}

#[test]
fn a_digest_is_new_and_says_what_it_contains() {
    let table = include_str!("../twins.tsv").lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let mut digests = table.filter(|row| row.last() == Some(&"a digest that has all of it"));
    let digest = digests.next().expect("a row");
    let input = [("a", digest[0]), ("b", digest[1])]
        .map(|(id, text)| format!("{}\n", json!({"id": id, "text": text.replace(" / ", "\n")})));
    let answers = tried("dedup", &input.concat());
    assert_eq!((&answers[1]["kind"], &answers[1]["cluster"]), (&json!("new"), &json!("b")));
    assert_eq!(answers[1]["related"], json!({"to": "a", "relation": "contains"}));
    assert!(answers[0].get("related").is_none());
}

#[test]
fn what_a_shell_a_reader_and_a_program_need() {
    let folder = tempfile::tempdir().expect("a folder");
    for (arguments, part) in [
        (&["completions", "bash"][..], "_diemtin"),
        (&["man"], ".TH diemtin"),
        (&["schema"], "https://json-schema.org/draft/2020-12/schema"),
        (&["--help"], "explain"),
    ] {
        let output = diemtin(folder.path(), arguments);
        assert!(output.status.success() && stdout(&output).contains(part), "{arguments:?}: {}", stdout(&output));
    }
    assert_eq!(diemtin(folder.path(), &["nonsense"]).status.code(), Some(2));
}

#[test]
fn one_writer_at_a_time() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &["longan"]);
    let held = diemtin::store::Store::open(&folder.path().join("var/store")).expect("a new store opens");
    let second = diemtin(folder.path(), &["once"]);
    assert_eq!(second.status.code(), Some(69), "{}", stderr(&second));
    drop(held);
    assert!(diemtin(folder.path(), &["once"]).status.success());
}

#[test]
fn what_cannot_be_read_is_answered_in_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.txt"), "Tiêu đề\nChuyện mùa gặt năm nay.").expect("writable");
    let tried = diemtin(folder.path(), &["try", "select", "none.txt", "a.txt"]);
    assert_eq!(tried.status.code(), Some(65));
    let answers = lines(&stdout(&tried));
    assert_eq!((&answers[0]["id"], &answers[0]["ok"]), (&json!("none.txt"), &json!(false)));
    assert_eq!((&answers[1]["id"], &answers[1]["ok"]), (&json!("a.txt"), &json!(true)));
}

#[test]
fn a_reader_that_stops_is_no_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = json!({"id": 1, "title": "", "text": "chuyện mùa gặt ".repeat(200)}).to_string() + "\n";
    let mut child = command(folder.path(), &["try", "select", "--jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("piped");
    // It ends while there is more to read, so at some line the pipe is closed.
    while stdin.write_all(line.as_bytes()).is_ok() {}
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn looking_makes_no_store() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &["longan"]);
    for command in [&["sites"][..], &["export", "rebuild"]] {
        let looked = diemtin(folder.path(), command);
        assert_eq!(looked.status.code(), Some(1), "{command:?}");
        assert!(stderr(&looked).contains("there is no store at"), "{}", stderr(&looked));
    }
    assert!(!folder.path().join("var").exists());
}

#[test]
fn the_store_is_checked_backed_up_restored_and_compacted() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &[]);
    let absent = diemtin(folder.path(), &["store", "check"]);
    assert_eq!(absent.status.code(), Some(1), "{}", stderr(&absent));
    assert!(diemtin(folder.path(), &["once"]).status.success());
    let good = |arguments: &[&str]| {
        let output = diemtin(folder.path(), arguments);
        assert!(output.status.success(), "{arguments:?}: {}{}", stdout(&output), stderr(&output));
        lines(&stdout(&output)).remove(0)
    };
    assert_eq!(good(&["store", "check", "--json"])["problems"], json!([]));
    let before = good(&["store", "stats", "--json"]);
    assert!(before["articles"].as_u64().expect("a number") > 0);
    let files: usize = crate::tree(&folder.path().join("var/store")).values().map(Vec::len).sum();
    assert!(before["bytes_on_disk"].as_u64().is_some_and(|said| said.abs_diff(files as u64) < files as u64 / 4));
    good(&["store", "backup", "saved", "--json"]);
    good(&["store", "compact", "--json"]);
    assert_eq!(good(&["store", "stats", "--json"])["trees"], before["trees"]);
    fs::remove_dir_all(folder.path().join("var/store")).expect("removable");
    good(&["store", "restore", "saved", "--json"]);
    assert_eq!(good(&["store", "stats", "--json"])["trees"], before["trees"]);
    assert!(stdout(&diemtin(folder.path(), &["once"])).contains("nothing new"));
    fs::write(folder.path().join("saved/ids.records"), "x").expect("writable");
    fs::rename(folder.path().join("var/store"), folder.path().join("var/away")).expect("movable");
    let damaged = diemtin(folder.path(), &["store", "restore", "saved"]);
    assert_eq!(damaged.status.code(), Some(65), "{}", stderr(&damaged));
}

#[test]
fn a_backup_older_than_the_export_is_kept_and_takes_over_what_came_since() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &["longan"]);
    let good = |arguments: &[&str]| {
        let output = diemtin(folder.path(), arguments);
        assert!(output.status.success(), "{arguments:?}: {}{}", stdout(&output), stderr(&output));
        stdout(&output)
    };
    good(&["once"]);
    good(&["store", "backup", "saved"]);
    house.config(folder.path(), &[]);
    assert!(good(&["once"]).contains(" stored"));
    fs::remove_dir_all(folder.path().join("var/store")).expect("removable");
    good(&["store", "restore", "saved"]);
    let checked = good(&["store", "check"]);
    assert!(checked.contains("takes the changes after") && checked.contains(" 0 problems"), "{checked}");
    let again = good(&["once"]);
    assert!(again.contains("took over what it lacked") && !again.contains(" stored"), "{again}");
    let names =
        fs::read_dir(folder.path().join("var")).expect("readable").map(|item| item.expect("an entry").file_name());
    assert_eq!(names.filter(|name| name.to_string_lossy().starts_with("store")).count(), 1, "nothing is moved aside");
    good(&["export", "verify"]);
    assert!(!good(&["store", "check"]).contains("takes the changes after"));
}

/// The export's disk was not there when a new daemon began, and then was again.
#[test]
fn a_folder_that_is_ahead_of_a_new_store_is_not_swept() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &[]);
    assert!(diemtin(folder.path(), &["once"]).status.success());
    let (store, export) = (folder.path().join("var/store"), folder.path().join("var/export"));
    let away = folder.path().join("away");
    fs::rename(&export, &away).expect("movable");
    fs::remove_dir_all(&store).expect("removable");
    house.config(folder.path(), &["longan"]);
    assert!(diemtin(folder.path(), &["once"]).status.success());
    fs::remove_dir_all(&export).expect("removable");
    fs::rename(&away, &export).expect("movable");
    let before = crate::tree(&export);
    for (command, says) in [
        (&["once"][..], "move the store aside"),
        (&["export", "rebuild"], "move the store aside"),
        (&["store", "check"], "of two histories"),
    ] {
        let refused = diemtin(folder.path(), command);
        assert_eq!(refused.status.code(), Some(1), "{command:?}: {}", stdout(&refused));
        assert!(stderr(&refused).contains(says), "{command:?}: {}", stderr(&refused));
        assert!(crate::tree(&export) == before, "{command:?}");
    }
    fs::rename(&store, folder.path().join("var/away")).expect("movable");
    assert!(diemtin(folder.path(), &["once"]).status.success());
    let after = crate::tree(&export);
    assert!(before.keys().all(|name| after.contains_key(name)), "what the folder had it has still");
    fs::remove_dir_all(&store).expect("removable");
    fs::rename(folder.path().join("var/away"), &store).expect("movable");
    assert!(diemtin(folder.path(), &["export", "rebuild", "--force"]).status.success());
    assert!(crate::tree(&export).len() < before.len());
}

#[test]
fn a_lost_or_damaged_store_comes_back_by_itself_and_says_so() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &[]);
    assert!(diemtin(folder.path(), &["once"]).status.success());
    let (store, export) = (folder.path().join("var/store"), folder.path().join("var/export"));
    let articles = || {
        crate::tree(&export)
            .into_iter()
            .filter(|(name, _)| !name.starts_with("status") && name != "manifest.json")
            .collect::<Vec<_>>()
    };
    let before = articles();
    for damage in 0..2 {
        match damage {
            0 => fs::remove_dir_all(&store).expect("removable"),
            _ => fs::write(store.join("db"), vec![0xa5; 600_000]).expect("writable"),
        }
        let again = diemtin(folder.path(), &["once"]);
        assert!(again.status.success(), "{}", stderr(&again));
        let said = stdout(&again);
        assert!(said.contains("was made again from the export folder"), "{said}");
        assert!(!said.contains(" stored"), "nothing is told twice: {said}");
        assert!(!stderr(&again).contains("panicked"), "{}", stderr(&again));
        assert!(articles() == before);
        let rows = stdout(&diemtin(folder.path(), &["sites", "--json"]));
        assert!(rows.contains("was made again"), "{rows}");
        assert!(diemtin(folder.path(), &["export", "verify"]).status.success());
        assert!(diemtin(folder.path(), &["store", "check"]).status.success());
        assert!(!stdout(&diemtin(folder.path(), &["sites"])).contains("was made again"));
    }
}

#[test]
fn without_room_nothing_is_polled() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    let file = house.config(folder.path(), &[]);
    let text = fs::read_to_string(&file).expect("readable");
    fs::write(&file, format!("[store]\nmin_free = \"900 PiB\"\n{text}")).expect("writable");
    let once = diemtin(folder.path(), &["once"]);
    assert_eq!(once.status.code(), Some(1));
    assert!(stderr(&once).contains("polling pauses until there is room again"), "{}", stderr(&once));
    assert!(house.seen().is_empty());
    let rows = stdout(&diemtin(folder.path(), &["sites", "--json"]));
    assert!(rows.contains("polling pauses"), "{rows}");
    assert!(
        fs::read_to_string(folder.path().join("var/export/status/sites.json"))
            .expect("written")
            .contains("polling pauses")
    );
}

#[test]
fn what_a_program_asks_it_gets_as_json() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &["longan"]);
    assert_eq!(lines(&stdout(&diemtin(folder.path(), &["check", "--json"])))[0]["sites"], 1);
    let once = lines(&stdout(&diemtin(folder.path(), &["once", "--json"])));
    assert_eq!((&once[0]["site"], &once[0]["failed"]), (&json!("longan"), &Value::Null));
    assert!(once[0]["outcomes"]["stored"].as_u64().is_some_and(|stored| stored > 0), "{once:?}");
    assert_eq!(once[1], json!({"sites": 1, "failed": 0, "stopped": 0}));
    assert!(lines(&stdout(&diemtin(folder.path(), &["export", "rebuild", "--json"])))[0]["seq"].is_u64());
    fs::write(folder.path().join("config.toml"), "[pol]\n").expect("writable");
    let wrong = diemtin(folder.path(), &["check", "--json"]);
    assert_eq!(wrong.status.code(), Some(78));
    assert!(lines(&stdout(&wrong)).iter().all(|line| line["mistake"].is_string()));
}

#[test]
fn a_list_of_feeds_comes_back_as_the_same_sites() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &[]);
    let list = diemtin(folder.path(), &["opml", "export"]);
    assert!(list.status.success(), "{}", stderr(&list));
    fs::write(folder.path().join("list.opml"), stdout(&list)).expect("writable");
    let again = diemtin(folder.path(), &["opml", "import", "list.opml"]);
    assert_eq!(stdout(&again), "", "all of them are in the configuration already");

    let empty = tempfile::tempdir().expect("a folder");
    fs::copy(folder.path().join("list.opml"), empty.path().join("list.opml")).expect("writable");
    let imported = diemtin(empty.path(), &["opml", "import", "list.opml"]);
    assert!(imported.status.success(), "{}", stderr(&imported));
    let text = format!("[http]\nallow_private = true\n{}", stdout(&imported));
    fs::write(empty.path().join("config.toml"), text).expect("writable");
    let checked = diemtin(empty.path(), &["check"]);
    assert!(checked.status.success(), "{}{}", stderr(&checked), stdout(&imported));
    assert!(stdout(&checked).contains(&format!("sites {}", house.places.len())), "{}", stdout(&checked));
    assert_eq!(stdout(&diemtin(empty.path(), &["opml", "export"])), stdout(&list));
    fs::write(empty.path().join("none.opml"), "<html>").expect("writable");
    assert_eq!(diemtin(empty.path(), &["opml", "import", "none.opml"]).status.code(), Some(65));
}
