//! A site over many pages: what they teach, a redesign, articles cut into pages. The site is written here, page by page.

use crate::house::{House, Reply};
use crate::{Office, noon, tree};
use chrono::TimeDelta;
use diemtin::article::{Article, Id, Method, Outcome, plain};
use diemtin::poll::Round;
use diemtin::status::{self, ExtractionHealth, SiteRow};
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use url::Url;

const SITE: &str = "xa";
/// Stands among the paragraphs of each page, and no word of it says that it is none.
const STANDING: &str =
    "Bộ phận một cửa của xã làm việc các ngày trong tuần, bà con đến nhớ mang theo giấy mời và sổ hộ khẩu cũ.";

const WORDS: &str = "ruộng lúa mương đồi chè rẫy suối làng bản thôn nhà sàn bếp lửa chợ phiên trâu bò gà vịt ao cá vườn \
    cam bưởi nhãn vải cầu đường đất đá cát sỏi tre nứa gỗ lim mái ngói sân kho trường lớp trạm xá đình chùa lễ hội hát \
    múa trống chiêng khăn áo váy thổ cẩm dệt thêu đan lát rèn đúc gốm sứ muối mắm nước mía mật ong rượu cần";

/// Sentences that no other number has.
fn paragraphs(n: usize) -> Vec<String> {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut state = 7 + n as u64 * 7919;
    let mut word = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        words[(state >> 33) as usize % words.len()]
    };
    (0..6).map(|_| format!("Bà con kể rằng {}.", (0..28).map(|_| word()).collect::<Vec<_>>().join(" "))).collect()
}

fn title(n: usize) -> String {
    format!("Chuyện kể ở thôn số {n}, bên con đường mới")
}

fn path(n: usize) -> String {
    format!("/tin/bai-{n}.html")
}

fn text(paragraphs: &[String]) -> String {
    paragraphs.iter().map(|p| format!("<p>{p}</p>\n")).collect()
}

/// A page in the site's design, with a list of other articles that is another one on each page.
fn page(n: usize, body: &str) -> String {
    let others: String =
        (1..5).map(|k| format!("<li><a href='/tin/{}'>{}</a></li>", n * 7 + k, title(n * 7 + k))).collect();
    format!(
        "<html><head><meta charset=utf-8><title>{0}</title></head><body><div class=menu><a href='/'>Trang nhất</a> \
         <a href='/tin'>Tin xã</a></div><h1>{0}</h1>{body}<div class=khac><ul>{others}</ul></div>\
         <div class=chan>Lượt xem: {{{{hits}}}}</div></body></html>",
        title(n)
    )
}

fn old(n: usize) -> String {
    page(n, &format!("<div id=noi-dung>{}<p>{STANDING}</p></div>", text(&paragraphs(n))))
}

/// What the feed shows.
fn feed(shown: &[usize]) -> String {
    let item = |n: &usize| format!("<item><title>{}</title><link>{{{{base}}}}{}</link></item>", title(*n), path(*n));
    let items: String = shown.iter().map(item).collect();
    format!("<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>Xã</title>{items}</channel></rss>")
}

/// A site of these pages; its feed shows nothing yet but the first.
fn site(layout: &str, pages: &[(String, String)]) -> (House, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join(SITE);
    fs::create_dir(&place).expect("a writable folder");
    let mut toml = format!(
        "host = \"127.0.0.31\"\n[site]\nid = \"{SITE}\"\nname = \"Xã\"\nprovince = \"Sơn La\"\nkind = \"party\"\n\
         select = false\n{layout}\n[feed]\npath = \"/rss\"\nfile = \"feed.xml\"\ntype = \"text/xml\"\n"
    );
    let put = |name: &str, text: &str| fs::write(place.join(name), text).expect("a writable file");
    put("feed.xml", &feed(&[1]));
    for (n, (path, html)) in pages.iter().enumerate() {
        toml += &format!("[[page]]\npath = \"{path}\"\nfile = \"{n}.html\"\ntype = \"text/html; charset=utf-8\"\n");
        put(&format!("{n}.html"), html);
    }
    put("site.toml", &toml);
    (House::open_in(folder.path()), folder)
}

fn show(office: &Office, shown: &[usize]) {
    office.house.replace(SITE, "/rss", feed(shown).as_bytes());
}

fn article(office: &Office, n: usize) -> Article {
    let url: Url = format!("{}{}", office.house.place(SITE).base, path(n)).parse().expect("an address");
    office.pipeline.store.article(&Id::of(&url)).expect("the store works").unwrap_or_else(|| panic!("no article {n}"))
}

fn row(office: &Office) -> SiteRow {
    status::rows(&office.pipeline.config, &office.pipeline.store, None).expect("the store works").remove(0)
}

fn ends(round: &Round) -> Vec<&'static str> {
    round.settled.iter().map(|settled| settled.outcome.label()).collect()
}

fn checked(folder: &Path) {
    let check = crate::diemtin(folder, &["store", "check"]);
    assert!(check.status.success(), "{}{}", crate::stdout(&check), crate::stderr(&check));
}

#[tokio::test]
async fn the_third_page_teaches_what_is_chrome_and_the_first_two_are_extracted_again() {
    let pages: Vec<_> = (1..8).map(|n| (path(n), old(n))).collect();
    let (house, _site) = site("", &pages);
    let office = Office::of(house, &[], "");
    show(&office, &[1, 2]);
    assert_eq!(ends(&office.poll(SITE, noon()).await), ["stored"; 2]);
    let first = article(&office, 1);
    assert!(plain(&first.blocks).ends_with(STANDING), "{}", plain(&first.blocks));
    assert_eq!(first.extraction.method, Method::Generic);

    show(&office, &[1, 2, 3]);
    let round = office.poll(SITE, noon() + TimeDelta::days(1)).await;
    assert_eq!(ends(&round), ["stored", "revision", "revision"]);
    for n in 1..4 {
        let article = article(&office, n);
        assert_eq!(plain(&article.blocks), paragraphs(n).join("\n\n"));
        assert_eq!((article.extraction.method, article.rev), (Method::Learned, if n == 3 { 1 } else { 2 }));
        assert!(n == 3 || article.history[0].why.starts_with("extracted again"), "{:?}", article.history);
    }
    let seq = office.pipeline.store.seq();
    show(&office, &[1, 2, 3, 4, 5, 6, 7]);
    let round = office.poll(SITE, noon() + TimeDelta::days(2)).await;
    assert_eq!(ends(&round), ["stored"; 4], "what does not change is not written");
    assert_eq!(office.pipeline.store.seq(), seq + 4);
    assert_eq!(plain(&article(&office, 7).blocks), paragraphs(7).join("\n\n"));

    office.export();
    let (folder, pipeline) = (office.folder, office.pipeline);
    drop(pipeline);
    checked(folder.path());
    let tree = stats(folder.path());
    assert_eq!(tree["trees"]["learned"]["records"].as_u64().map(|n| n > 0), Some(true), "{tree}");
}

fn stats(folder: &Path) -> serde_json::Value {
    let said = crate::stdout(&crate::diemtin(folder, &["store", "stats", "--json"]));
    serde_json::from_str(&said).expect("JSON")
}

#[tokio::test]
async fn without_kept_pages_the_first_two_stay_as_they_were() {
    let pages: Vec<_> = (1..4).map(|n| (path(n), old(n))).collect();
    let (house, _site) = site("", &pages);
    let office = Office::of(house, &[], "[store]\nraw_pages = \"0\"\n");
    show(&office, &[1, 2]);
    assert_eq!(ends(&office.poll(SITE, noon()).await), ["stored"; 2]);
    show(&office, &[1, 2, 3]);
    assert_eq!(ends(&office.poll(SITE, noon() + TimeDelta::days(1)).await), ["stored"]);
    assert!(plain(&article(&office, 1).blocks).ends_with(STANDING));
    assert_eq!(plain(&article(&office, 3).blocks), paragraphs(3).join("\n\n"));
}

/// In mid-run the site gets another design: in `new` of pages 7 to 9, its layout matches nothing or only a part.
async fn redesigned(new: fn(usize) -> String) -> (Office, TempDir) {
    let pages: Vec<_> = (1..13).map(|n| (path(n), if (7..=9).contains(&n) { new(n) } else { old(n) })).collect();
    let (house, folder) = site("layout = \"cu\"", &pages);
    let office = Office::of(house, &[], "[layout.cu]\nbody = \"#noi-dung\"\n");
    show(&office, &[1, 2, 3, 4, 5, 6]);
    assert_eq!(
        ends(&office.poll(SITE, noon()).await),
        ["stored", "stored", "stored", "stored", "stored", "stored", "revision", "revision"]
    );
    assert_eq!(row(&office).extraction, ExtractionHealth::Ok);
    show(&office, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    office.poll(SITE, noon() + TimeDelta::days(1)).await;
    (office, folder)
}

async fn noticed_whole_and_marked(office: &Office, reason: &str) {
    let row = row(office);
    assert_eq!(row.extraction, ExtractionHealth::Degraded);
    assert_eq!(row.extraction_since, Some(noon() + TimeDelta::days(1)));
    assert!(row.extraction_reason.as_ref().is_some_and(|why| why.contains(reason)), "{row:?}");
    for n in 1..10 {
        let article = article(office, n);
        let whole = paragraphs(n).iter().all(|p| plain(&article.blocks).contains(p));
        assert!(whole, "{n}: {}", plain(&article.blocks));
        assert_eq!(article.extraction.degraded.is_some(), n >= 7, "{n}: {:?}", article.extraction);
    }
    let files = tree(&office.export());
    let marked = |(name, bytes): (&String, &Vec<u8>)| {
        name.starts_with("articles/")
            && name.ends_with(".json")
            && String::from_utf8_lossy(bytes).contains("\"degraded\"")
    };
    assert_eq!(files.iter().filter(|file| marked(*file)).count(), 3);
    let status = String::from_utf8_lossy(&files["status/sites.json"]).into_owned();
    assert!(status.contains("\"extraction\":\"degraded\"") && status.contains(reason), "{status}");
    // the old design is back
    show(office, &[10, 11, 12]);
    office.poll(SITE, noon() + TimeDelta::days(2)).await;
    assert_eq!(self::row(office).extraction, ExtractionHealth::Ok);
    assert_eq!(article(office, 12).extraction.degraded, None);
}

#[tokio::test]
async fn a_redesign_that_the_layout_misses_is_noticed_within_three_pages() {
    let new = |n| page(n, &format!("<section class=than-bai>{}</section>", text(&paragraphs(n))));
    let (office, _site) = redesigned(new).await;
    noticed_whole_and_marked(&office, "the body of [layout.cu] matched nothing").await;
}

#[tokio::test]
async fn a_redesign_that_leaves_the_layout_a_part_shortens_nothing() {
    let new = |n| {
        let all = paragraphs(n);
        page(n, &format!("<div class=bai><div id=noi-dung>{}</div>{}</div>", text(&all[..1]), text(&all[1..])))
    };
    let (office, _site) = redesigned(new).await;
    noticed_whole_and_marked(&office, "characters of text were kept").await;
}

/// The `k`th of three pages; its lead and its closing line stand on each.
fn third(k: usize, next: &str) -> String {
    let all = paragraphs(1);
    let body = format!("<p>{}</p>{}<p>{}</p><div class=trang>{next}</div>", all[0], text(&all[k..k + 1]), all[5]);
    page(1, &format!("<div id=noi-dung>{body}</div>"))
}

fn in_three() -> Vec<(String, String)> {
    let link = |k: usize| format!("<a href='/tin/bai-1-trang-{k}.html'>{k}</a>");
    let pager = |next: usize| {
        format!(
            "<a href='/tin/bai-1.html'>1</a> {} {} <a href='/tin/bai-1-trang-{next}.html'>Trang sau »</a>",
            link(2),
            link(3)
        )
    };
    vec![
        (path(1), third(1, &pager(2))),
        ("/tin/bai-1-trang-2.html".to_owned(), third(2, &pager(3))),
        // the last one leads in a circle
        ("/tin/bai-1-trang-3.html".to_owned(), third(3, &pager(2))),
    ]
}

fn whole() -> String {
    let all = paragraphs(1);
    [&all[0], &all[1], &all[2], &all[3], &all[5]].map(String::as_str).join("\n\n")
}

#[tokio::test]
async fn an_article_cut_into_pages_is_one() {
    let (house, _site) = site("", &in_three());
    let office = Office::of(house, &[], "");
    assert_eq!(ends(&office.poll(SITE, noon()).await), ["stored"]);
    assert_eq!(plain(&article(&office, 1).blocks), whole());
    assert_eq!(article(&office, 1).extraction.degraded, None);
    let asked: Vec<String> = office.house.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(asked, ["/rss", "/robots.txt", "/tin/bai-1.html", "/tin/bai-1-trang-2.html", "/tin/bai-1-trang-3.html"]);
}

#[tokio::test]
async fn a_page_that_fails_makes_the_article_wait_and_one_that_is_gone_is_said() {
    let (house, _site) = site("", &in_three());
    let office = Office::of(house, &[], "");
    let second = "/tin/bai-1-trang-2.html";
    office.house.script(SITE, second, &[Reply::Status(500, "")]);
    let first = office.poll(SITE, noon()).await;
    assert!(matches!(&first.settled[0].outcome, Outcome::Later { why } if why.contains("500")), "{first:?}");
    office.house.script(SITE, second, &[Reply::Status(404, "")]);
    assert_eq!(ends(&office.poll(SITE, noon() + TimeDelta::hours(1)).await), ["stored"]);
    let cut = article(&office, 1).extraction.degraded;
    assert!(cut.as_ref().is_some_and(|why| why.contains(second) && why.contains("404")), "{cut:?}");
}

/// For a page that could not be read stands what its feed said, which may be about nothing. Once the site's pages are
/// read again, that page is asked for once more.
#[tokio::test]
async fn what_was_dropped_while_pages_could_not_be_read_is_asked_for_again() {
    // what stands on every page would be taken for chrome
    let work = |n: usize| format!("Công tác dân vận, dân vận khéo: {}", paragraphs(n + 40)[0]);
    let body = |n: usize| format!("<div><p>{}</p>{}</div>", work(n), text(&paragraphs(n)));
    let pages: Vec<(String, String)> = (1..8).map(|n| (path(n), page(n, &body(n)))).collect();
    let (_, folder) = site("", &pages);
    let toml = folder.path().join(SITE).join("site.toml");
    let selecting = fs::read_to_string(&toml).expect("readable").replace("select = false\n", "");
    fs::write(&toml, selecting).expect("writable");
    let office = Office::of(House::open_in(folder.path()), &[], "");
    let shell = Reply::Bytes("text/html", b"<html><body><script>load()</script></body></html>".to_vec());
    (1..5).for_each(|n| office.house.script(SITE, &path(n), &vec![shell.clone(); 8]));
    let said =
        "</link><description>Mùa này chè ra búp muộn, giá bán ở chợ phiên vẫn như năm ngoái.</description></item>";
    office.house.replace(SITE, "/rss", feed(&[1, 2, 3, 4]).replace("</link></item>", said).as_bytes());
    let (mut now, mut last) = (noon(), Vec::new());
    for nth in 0..8 {
        last = ends(&office.poll(SITE, now).await);
        now += TimeDelta::minutes(15) * 2_i32.pow(nth);
    }
    assert_eq!(last, ["off_topic"; 4]);

    show(&office, &[5, 6, 7]);
    assert_eq!(ends(&office.poll(SITE, now + TimeDelta::days(1)).await), ["stored"; 3]);
    assert_eq!(ends(&office.poll(SITE, now + TimeDelta::days(2)).await), ["stored"; 4]);
    assert!(ends(&office.poll(SITE, now + TimeDelta::days(3)).await).is_empty(), "once");
}
