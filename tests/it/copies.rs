//! One article on several sites. The sites are written here.

use crate::house::{House, Reply};
use crate::{Office, noon, tree};
use chrono::TimeDelta;
use diemtin::article::{Article, Id, Outcome, plain};
use diemtin::dedup::Relation;
use diemtin::poll::Round;
use diemtin::store::Limits;
use serde_json::Value;
use std::fs;
use std::time::Duration;
use tempfile::TempDir;
use url::Url;

const TITLE: &str = "Xóm Đồi mở đường nhờ bà con góp đất";

/// Of one story; a site may tell the first few.
const STORY: [&str; 8] = [
    "Sáng thứ bảy, gần hai trăm người của xóm Đồi cùng ra mở con đường nối xuống bến, việc mà ba năm nay chưa ai nghĩ \
     sẽ làm được.",
    "Ông Tạ Văn Sửu, tổ trưởng, kể rằng ngày đầu đi từng nhà thì mười nhà có bảy nhà lắc đầu, vì vườn chè sát lối cũ là \
     chỗ thu nhập chính.",
    "Các cụ trong ban cao niên bèn họp ở sân đình, ai lo điều gì nói ra điều ấy, rồi ghi lên bảng để cả xóm cùng tính \
     cách gỡ.",
    "Nhà nào mất nhiều chè được chia thêm một khoảnh ở gò sau, nhà neo người thì thanh niên sang làm giúp hàng rào ngay \
     trong tuần.",
    "Đến buổi thứ tư, tất cả các nhà đều ký, tổng cộng bốn nghìn hai trăm mét đất, không nhà nào hỏi đến tiền đền bù.",
    "Máy xúc do hai người con của xóm làm ăn xa gửi về, dầu máy thì hội phụ nữ quyên từ quỹ nuôi lợn đất hai năm liền.",
    "Bà Chu Thị Mận, nhà ở cuối bến, bảo từ nay chè hái buổi sáng kịp lên xe trước trưa, giá hơn hẳn ngày phải gánh bộ.",
    "Xóm định cuối năm trồng hai hàng cây bên lối mới, mỗi nhà nhận một gốc, gắn biển tên người trồng cho con cháu nhớ.",
];

fn page(paragraphs: &[&str]) -> String {
    let body: String = paragraphs.iter().map(|p| format!("<p>{p}</p>\n")).collect();
    format!(
        "<html><head><meta charset=utf-8><title>{TITLE}</title></head><body><div class=menu><a href='/'>Trang nhất</a>\
         </div><h1>{TITLE}</h1><div id=noi-dung>{body}</div><div class=chan>Lượt xem: {{{{hits}}}}</div></body></html>"
    )
}

/// A site for each of these pages, which its feed shows: `a`, `b`, …
fn sites(pages: &[String]) -> (House, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, page) in ('a'..).zip(pages) {
        let place = folder.path().join(name.to_string());
        fs::create_dir(&place).expect("a writable folder");
        let put = |file: &str, text: &str| fs::write(place.join(file), text).expect("a writable file");
        put(
            "site.toml",
            &format!(
                "host = \"127.0.0.32\"\n[site]\nid = \"{name}\"\nname = \"Xã\"\nprovince = \"Sơn La\"\nkind = \"party\"\n\
                 select = false\n[feed]\npath = \"/rss\"\nfile = \"feed.xml\"\ntype = \"text/xml\"\n[[page]]\n\
                 path = \"/tin.html\"\nfile = \"tin.html\"\ntype = \"text/html; charset=utf-8\"\n"
            ),
        );
        put("feed.xml", &feed(TITLE));
        put("tin.html", page);
    }
    (House::open_in(folder.path()), folder)
}

/// The whole story on so many sites, without any select.
pub fn told_by(count: usize) -> (House, TempDir) {
    sites(&vec![page(&STORY); count])
}

fn feed(title: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>Xã</title><item><title>{title}</title>\
         <link>{{{{base}}}}/tin.html</link></item></channel></rss>"
    )
}

fn id(office: &Office, site: &str) -> Id {
    Id::of(&format!("{}/tin.html", office.house.place(site).base).parse::<Url>().expect("an address"))
}

fn article(office: &Office, site: &str) -> Option<Article> {
    office.pipeline.store.article(&id(office, site)).expect("the store works")
}

fn outcome(round: &Round) -> &Outcome {
    &round.settled.first().expect("one entry").outcome
}

/// The article, and what the export folder says of it.
fn kept(office: &Office, site: &str) -> (Article, Value) {
    let files = tree(&office.export());
    let article = article(office, site).expect("it is kept");
    let name = format!("{}.json", article.id);
    let (_, json) = files.iter().find(|(path, _)| path.ends_with(&name)).expect("it is exported");
    (article, serde_json::from_slice(json).expect("JSON"))
}

#[tokio::test]
async fn a_fuller_text_is_taken_and_its_source_named() {
    let (house, _folder) = sites(&[page(&STORY[..4]), page(&STORY), page(&STORY[..5])]);
    let office = Office::of(house, &[], "");
    assert_eq!(outcome(&office.poll("a", noon()).await), &Outcome::Stored);
    let of_a = Outcome::Duplicate { of: id(&office, "a") };

    assert_eq!(outcome(&office.poll("b", noon() + TimeDelta::hours(1)).await), &of_a);
    let (fuller, exported) = kept(&office, "a");
    assert_eq!(plain(&fuller.blocks), STORY.join("\n\n"));
    assert_eq!((fuller.rev, fuller.site.id.as_str(), article(&office, "b")), (2, "a", None));
    assert_eq!(fuller.copies[0].relation, Some(Relation::Extended));
    let source = fuller.copies[0].url.as_str();
    assert!(source.ends_with("/tin.html") && source.starts_with(&office.house.place("b").base), "{source}");
    assert_eq!(exported["history"][0]["why"], format!("extended: the fuller text of {source}"));
    assert_eq!(exported["copies"][0]["relation"], "extended");
    assert!(exported["content_text"].as_str().is_some_and(|text| text.contains("gắn biển tên người trồng")));

    // a shorter copy that comes later is a row and no more
    assert_eq!(outcome(&office.poll("c", noon() + TimeDelta::hours(2)).await), &of_a);
    let (after, _) = kept(&office, "a");
    assert_eq!((after.rev, after.copies.len(), &after.blocks), (3, 2, &fuller.blocks));

    // each tells its own text again: nothing is lost, nothing is written
    for (nth, site) in ["a", "b", "c"].into_iter().enumerate() {
        office.house.replace(site, "/rss", feed(&format!("{TITLE}!")).as_bytes());
        let later = noon() + TimeDelta::days(1) + TimeDelta::hours(nth as i64);
        let round = office.poll(site, later).await;
        match outcome(&round) {
            Outcome::Kept { why } if site == "a" => assert!(why.contains(source), "{why}"),
            other => assert_eq!((site != "a", other), (true, &of_a)),
        }
        assert_eq!(article(&office, "a").as_ref(), Some(&after), "{site}");
    }
    let check = crate::diemtin(office.folder.path(), &["export", "verify"]);
    assert!(check.status.success(), "{}", crate::stderr(&check));
}

#[tokio::test]
async fn a_page_is_a_copy_of_a_kept_article_though_one_that_was_let_go_is_nearer() {
    let (house, _folder) = sites(&[page(&STORY[..5]), page(&STORY[5..]), page(&STORY)]);
    let office = Office::of(house, &[], "");
    let (first, second) = (noon(), noon() + TimeDelta::days(2));
    assert_eq!(outcome(&office.poll("a", first).await), &Outcome::Stored);
    assert_eq!(outcome(&office.poll("b", second).await), &Outcome::Stored);
    let limits = Limits { max_age: Some(Duration::from_secs(24 * 3600)), ..Limits::default() };
    let gone = office.pipeline.store.retain(&limits, second, 10).expect("the store works");
    assert_eq!((gone.len(), article(&office, "a")), (1, None), "let go");

    let copied = office.poll("c", second + TimeDelta::hours(1)).await;
    assert_eq!(outcome(&copied), &Outcome::Duplicate { of: id(&office, "b") });
    assert_eq!(plain(&article(&office, "b").expect("kept").blocks), STORY.join("\n\n"));
}

/// Some systems give an article a new address when it is published anew.
#[tokio::test]
async fn what_a_site_tells_anew_at_another_address_is_a_revision() {
    let (house, _folder) = sites(&[page(&STORY)]);
    let office = Office::of(house, &[], "");
    assert_eq!(outcome(&office.poll("a", noon()).await), &Outcome::Stored);
    let corrected: Vec<&str> = STORY
        .iter()
        .map(|line| if line.starts_with("Đến buổi") { "Đến buổi thứ năm, cả xóm đều ký." } else { line })
        .collect();
    let anew = Reply::Bytes("text/html; charset=utf-8", page(&corrected).into_bytes());
    office.house.script("a", "/tin-moi.html", &[anew.clone(), anew]);
    office.house.replace("a", "/rss", feed(TITLE).replace("/tin.html", "/tin-moi.html").as_bytes());
    let later = office.poll("a", noon() + TimeDelta::days(1)).await;
    assert_eq!(outcome(&later), &Outcome::Duplicate { of: id(&office, "a") });
    let (revised, exported) = kept(&office, "a");
    assert_eq!((revised.rev, plain(&revised.blocks)), (2, corrected.join("\n\n")));
    assert!(exported["history"][0]["why"].as_str().is_some_and(|why| why.contains("/tin-moi.html")), "{exported}");
    assert_eq!(revised.copies[0].relation, Some(Relation::Revision));

    // its first address still has the old text
    office.house.replace("a", "/rss", feed(&format!("{TITLE}?")).as_bytes());
    let old = office.poll("a", noon() + TimeDelta::hours(30)).await;
    assert!(matches!(outcome(&old), Outcome::Kept { why } if why.contains("/tin-moi.html")), "{old:?}");
    office.house.replace("a", "/rss", feed(&format!("{TITLE}!")).replace("/tin.html", "/tin-moi.html").as_bytes());
    office.poll("a", noon() + TimeDelta::days(2)).await;
    assert_eq!(article(&office, "a").as_ref(), Some(&revised), "once");
}
