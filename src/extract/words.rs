//! What chrome says. All folded (`text::fold`). Words are evidence only together with place and shape.

use regex::Regex;
use std::sync::LazyLock;

/// A label that begins a list of other articles.
const RELATED: &[&str] = &[
    "tin liên quan",
    "bài viết liên quan",
    "bài liên quan",
    "tin bài liên quan",
    "các tin liên quan",
    "bài viết khác",
    "các bài viết khác",
    "tin khác",
    "các tin khác",
    "tin tức khác",
    "các tin bài khác",
    "tin cùng chuyên mục",
    "cùng chuyên mục",
    "bài cùng chuyên mục",
    "bài viết cùng chuyên mục",
    "các bài viết cùng chuyên mục",
    "tin bài cùng chuyên mục",
    "các bài mới nhất",
    "bài mới nhất",
    "tin mới nhất",
    "tin mới hơn",
    "tin cũ hơn",
    "những tin mới hơn",
    "những tin cũ hơn",
    "các tin mới hơn",
    "các tin cũ hơn",
    "các tin đã đưa",
    "tin đã đưa",
    "tin mới",
    "tin nóng",
    "tin đọc nhiều",
    "đọc nhiều",
    "đọc nhiều nhất",
    "xem nhiều",
    "xem nhiều nhất",
    "có thể bạn quan tâm",
    "bạn có thể quan tâm",
    "tham khảo thêm",
    "xem thêm",
    "đọc thêm",
    "theo dòng sự kiện",
    "mời bạn đọc",
    "tin bài cùng chủ đề",
    "related",
    "related articles",
    "related article",
    "related stories",
    "related posts",
    "related news",
    "related content",
    "related topics",
    "related links",
    "read more",
    "read also",
    "also read",
    "read next",
    "more stories",
    "more from",
    "more news",
    "most read",
    "most popular",
    "trending",
    "trending now",
    "recommended",
    "recommended for you",
    "you may also like",
    "you might also like",
    "see also",
    "don't miss",
    "further reading",
    "latest news",
    "popular posts",
    "recent posts",
    "mehr zum thema",
    "lesen sie auch",
    "weitere artikel",
    "auch interessant",
    "das könnte sie auch interessieren",
    "ähnliche beiträge",
    "verwandte artikel",
    "lire aussi",
    "à lire aussi",
    "sur le même sujet",
    "lee también",
    "te puede interesar",
    "noticias relacionadas",
    "leggi anche",
    "leia também",
    "lees ook",
    "les også",
    "læs også",
    "läs också",
    "czytaj także",
    "zobacz także",
    "читайте также",
    "lue myös",
];

/// A label of other boxes: all that follows in its box goes with it.
const BOXES: &[&str] = &[
    "bình luận",
    "ý kiến bạn đọc",
    "ý kiến của bạn",
    "gửi bình luận",
    "chia sẻ bài viết",
    "chia sẻ",
    "từ khóa",
    "tags",
    "tag",
    "thẻ",
    "comments",
    "leave a comment",
    "leave a reply",
    "share this",
    "share this article",
    "share",
    "kommentare",
    "kommentar schreiben",
    "schreibe einen kommentar",
    "teilen",
    "diskussion",
    "commentaires",
    "comentarios",
    "about the author",
    "newsletter",
    "file đính kèm",
    "tệp đính kèm",
    "tập tin đính kèm",
    "quảng cáo",
    "thống kê truy cập",
    "lượt truy cập",
];

/// A line that begins so belongs to the site.
const SITE_STARTS: &[&str] = &[
    "chú ý: việc đăng lại",
    "việc đăng lại bài viết",
    "ghi rõ nguồn",
    "vui lòng ghi rõ nguồn",
    "đề nghị ghi rõ nguồn",
    "tổng số điểm của bài viết",
    "xếp hạng:",
    "click để đánh giá",
    "số lần đọc",
    "số lượt đọc",
    "lượt xem",
    "số lượt xem",
    "lượt đọc",
    "đã xem",
    "lượt truy cập",
    "đang truy cập",
    "số lượt truy cập",
    "tổng lượt truy cập",
    "tổng số truy cập",
    "bạn còn ",
    "bạn vui lòng",
    "bản in",
    "in bài viết",
    "in trang",
    "in bài",
    "gửi email",
    "gửi bài viết",
    "gửi cho bạn bè",
    "quay lại",
    "về trang trước",
    "về đầu trang",
    "trở về đầu trang",
    "lên đầu trang",
    "mời bạn tải",
    "bạn cần đăng nhập",
    "số người đã xem",
    "lượt người xem",
    "chia sẻ bài viết",
    "tệp đính kèm",
    "đang xem:",
    "khách online",
    "ip của bạn",
    "số người xem",
    "từ khóa:",
    "từ khoá:",
    "tags:",
    "tag:",
    "chia sẻ:",
    "copy link",
    "sign up",
    "subscribe",
    "follow us",
    "follow me",
    "click here to",
    "share on ",
    "share this",
    "advertisement",
    "sponsored",
    "posted in",
    "filed under",
    "filed in",
    "all rights reserved",
    "copyright ©",
    "© ",
    "photo:",
    "photograph:",
    "image:",
    "image credit",
    "read more",
    "read also",
    "also read",
    "see also:",
    "related:",
    "más información:",
    "lesen sie auch",
    "mehr zum thema",
    "lire aussi",
    "à lire aussi",
    "leggi anche",
    "leia também",
    "lees ook",
    "lee también",
    "les også",
    "xem thêm:",
    "đọc thêm:",
    "tin liên quan:",
];

/// Labels of an imprint; two of them side by side make one.
const IMPRINT: &[&str] = &[
    "giấy phép",
    "địa chỉ:",
    "điện thoại:",
    "fax:",
    "email:",
    "e-mail:",
    "website:",
    "bản quyền",
    "chịu trách nhiệm",
    "trưởng ban biên tập",
    "tổng biên tập",
    "cơ quan chủ quản",
    "thiết kế bởi",
    "copyright",
    "all rights reserved",
    "mã nguồn",
    "ghi rõ nguồn",
];

/// Labels of a visitor counter.
const COUNTER: &[&str] = &[
    "hôm nay",
    "hôm qua",
    "tuần này",
    "tuần trước",
    "tháng này",
    "tháng trước",
    "tháng hiện tại",
    "tất cả",
    "đang truy cập",
    "đang online",
    "tổng lượt truy cập",
    "khách viếng thăm",
    "máy chủ tìm kiếm",
    "thành viên online",
    "lượt truy cập",
    "tổng số truy cập",
];

/// Of these, what counts visitors and nothing else: all of a class, or what was done this month, has figures too.
const COUNTED: &[&str] = &[
    "hôm nay",
    "đang truy cập",
    "đang online",
    "tổng lượt truy cập",
    "tổng số truy cập",
    "khách viếng thăm",
    "máy chủ tìm kiếm",
    "thành viên online",
    "lượt truy cập",
];

/// How a paragraph under the text begins: credits of agencies, invitations, notes on the text's origin.
const CLOSING_STARTS: &[&str] = &[
    "reporting by",
    "editing by",
    "writing by",
    "additional reporting",
    "with reporting by",
    "with inputs from",
    "associated press writer",
    "have a tip",
    "got a tip",
    "sign up",
    "subscribe",
    "get the latest",
    "join our",
    "read more",
    "click here",
    "aus dem englischen von",
    "die autorin ",
    "der autor ",
    "hat ihnen dieser artikel",
    "mehr zum thema",
    "folgen sie uns",
    "abonnieren sie",
    "mời bạn đọc",
    "mời quý vị",
    "quý độc giả",
];

/// What such a paragraph holds somewhere.
const CLOSING: &[&str] = &[
    "contributed to this report",
    "contributed reporting",
    "contributed to this article",
    "contributed to this story",
    "appeared first on",
    "newsletter",
    "your inbox",
    "follow us",
    "follow him",
    "follow her",
    "follow me on",
    "whatsapp channel",
    "whatsapp-kanal",
    "google news",
    "be reached at",
    "is a freelance",
    "is a staff writer",
    "is a reporter",
    "is a writer",
    "is a journalist",
    "is a senior writer",
    "is the author of",
    "is an author",
    "is the editor",
    "is an editor",
    "is editor",
    "is a columnist",
    "is a correspondent",
    "is a contributor",
    "is a contributing",
    "is a professor",
    "is an associate professor",
    "is an assistant professor",
    "ist redakteur",
    "ist autor",
    "ist freie",
    "ist journalist",
];

/// Where a site asks to be followed.
const CHANNELS: &[&str] = &["google news", "facebook", "zalo", "youtube", "tiktok", "chúng tôi", "fanpage"];

/// Whether a paragraph under the text is of the site or of its staff; without the marks before its first word.
pub fn is_closing(folded: &str) -> bool {
    let follow = folded.starts_with("theo dõi ") && CHANNELS.iter().any(|c| folded.contains(c));
    follow || CLOSING_STARTS.iter().any(|s| folded.starts_with(s)) || ANY_CLOSING.is_match(folded)
}

/// Many words are looked for at once.
static ANY_CLOSING: LazyLock<Regex> = LazyLock::new(|| any_of(CLOSING));
static ANY_IMPRINT: LazyLock<Regex> = LazyLock::new(|| any_of(IMPRINT));
static ANY_COUNTER: LazyLock<Regex> = LazyLock::new(|| any_of(COUNTER));

/// Finds any of these texts.
pub fn any_of(words: &[&str]) -> Regex {
    let words: Vec<String> = words.iter().map(|word| regex::escape(word)).collect();
    Regex::new(&words.join("|")).expect("each is plain text")
}

/// How a site speaks of itself.
const SELF: &[&str] = &[
    "trang thông tin",
    "cổng thông tin",
    "cổng dịch vụ",
    "website",
    "trang web",
    "trang chủ",
    "trang tin điện tử",
    "báo điện tử",
    "official site",
    "the latest news",
    "tin tức mới nhất",
    "tin tức, sự kiện",
    "cập nhật tin",
];

/// What stands at the end of a text that a feed cut.
const CUT: &[&str] =
    &["read more", "continue reading", "đọc tiếp", "xem tiếp", "xem thêm", "chi tiết", "weiterlesen", "lire la suite"];

/// A description of a site, not of an article.
pub fn is_self_description(folded: &str) -> bool {
    folded.chars().count() < 200
        && SELF.iter().any(|s| folded.starts_with(s) || (folded.len() < 90 && folded.contains(s)))
}

/// The words that invite to read on, if the text ends so.
pub fn invitation(folded: &str) -> Option<&'static str> {
    let end = folded.trim_end_matches(|c: char| !c.is_alphanumeric());
    CUT.iter().copied().find(|c| end.ends_with(c))
}

/// Without the marks that labels end in.
fn label(folded: &str) -> &str {
    folded.trim_matches(|c: char| !c.is_alphanumeric())
}

pub fn is_related_label(folded: &str) -> bool {
    let label = label(folded);
    RELATED.contains(&label) || (label.len() < 40 && RELATED.iter().any(|r| r.len() > 12 && label.starts_with(r)))
}

pub fn is_box_label(folded: &str) -> bool {
    let label = label(folded);
    let label = label.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ' || c == '(');
    BOXES.contains(&label)
}

pub fn is_advert_label(folded: &str) -> bool {
    matches!(label(folded), "quảng cáo" | "advertisement" | "sponsored")
}

/// A whole line that a site says and an article doesn't. Short lines only: a sentence may begin like them.
pub fn is_site_line(folded: &str) -> bool {
    let counted = || folded.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ' '));
    let viewed = || folded.len() < 40 && ["lượt xem", "lượt đọc", "lượt truy cập"].contains(&counted());
    folded.chars().count() < 160 && SITE_STARTS.iter().any(|s| folded.starts_with(s)) && !is_sentence(folded)
        || viewed()
        || folded.starts_with("chú ý: việc đăng lại")
}

/// NukeViet's note under each article, as it is written: it may be longer than a short article.
pub fn is_repost_notice(text: &str) -> bool {
    text.starts_with("Chú ý: Việc đăng lại bài viết")
}

fn is_sentence(folded: &str) -> bool {
    folded.chars().count() > 90 && folded.ends_with('.')
}

pub fn is_imprint(folded: &str) -> bool {
    ANY_IMPRINT.is_match(folded) && holds_imprint(folded)
}

fn holds_imprint(folded: &str) -> bool {
    folded.chars().count() < 400 && IMPRINT.iter().filter(|s| folded.contains(*s)).count() >= 2
        || (folded.chars().count() < 160 && IMPRINT.iter().any(|s| folded.starts_with(s)))
}

/// What an article seldom says in passing, wherever it stands.
const LEGAL: &[&str] = &[
    "©",
    "giấy phép số",
    "copyright",
    "all rights reserved",
    "ghi rõ nguồn",
    "mã nguồn",
    "thiết kế bởi",
    "cơ quan chủ quản:",
    "chịu trách nhiệm:",
    "chịu trách nhiệm chính:",
    "chịu trách nhiệm nội dung:",
];

/// An imprint by its words alone.
pub fn is_legal_notice(folded: &str) -> bool {
    LEGAL.iter().any(|s| folded.contains(s))
}

/// `Image 3 of 5`, and code that was meant for the browser.
pub fn is_machine_text(folded: &str) -> bool {
    let counted = ["image ", "photo ", "slide ", "bild ", "ảnh "].iter().find_map(|s| folded.strip_prefix(s));
    let counted = counted.is_some_and(|rest| {
        !rest.is_empty()
            && rest
                .split(' ')
                .all(|w| matches!(w, "of" | "von" | "/") || w.chars().all(|c| c.is_ascii_digit() || c == '/'))
    });
    counted || (folded.starts_with('<') && folded.ends_with('>') && folded.contains('='))
}

/// How the signature of a document begins: on behalf of a body or of its head.
const SIGNATURE: &[&str] = &["tm.", "t/m", "kt.", "tl.", "tuq.", "q."];

/// Who may sign a document for himself.
const OFFICES: &[&str] = &[
    "bí thư",
    "phó bí thư",
    "chủ tịch",
    "phó chủ tịch",
    "giám đốc",
    "phó giám đốc",
    "trưởng ",
    "phó trưởng ",
    "chánh ",
    "hiệu trưởng",
    "chỉ huy trưởng",
    "thủ trưởng",
    "cục trưởng",
    "chi cục trưởng",
    "bộ trưởng",
    "thủ tướng",
];

/// `Kính gửi: …`, `Số: 118/BDV`: how a letter begins.
pub fn is_letter_head(folded: &str) -> bool {
    ["kính gửi", "số:", "v/v"].iter().any(|s| folded.starts_with(s))
}

/// `BÍ THƯ HUYỆN ỦY`.
pub fn is_office(folded: &str) -> bool {
    OFFICES.iter().any(|s| folded.starts_with(s))
}

/// `TM. ỦY BAN NHÂN DÂN`, `(Đã ký)`.
pub fn is_signature(folded: &str) -> bool {
    folded.chars().count() < 160
        && (SIGNATURE.iter().any(|s| folded.strip_prefix(s).is_some_and(|rest| rest.starts_with(' ')))
            || folded.contains("(đã ký)"))
}

/// Two labels of a counter and figures, or one and nothing but its figures.
pub fn is_counter(folded: &str) -> bool {
    let figures = |rest: &str| rest.contains(|c: char| c.is_ascii_digit()) && !rest.contains(char::is_alphabetic);
    if COUNTED.iter().filter_map(|label| folded.strip_prefix(label)).any(figures) {
        return true;
    }
    folded.contains(|c: char| c.is_ascii_digit())
        && folded.chars().count() < 300
        && ANY_COUNTER.is_match(folded)
        && COUNTER.iter().filter(|s| folded.contains(*s)).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::{is_counter, is_imprint, is_related_label, is_site_line};

    #[test]
    fn labels_are_known_with_their_marks() {
        for label in ["tin liên quan:", "các bài mới nhất", "» read more", "những tin cũ hơn"] {
            assert!(is_related_label(label), "{label}");
        }
        assert!(!is_related_label("tin mới về vụ lúa hè thu"));
    }

    #[test]
    fn a_sentence_may_begin_like_a_label() {
        assert!(is_site_line("số lần đọc: 310"));
        assert!(!is_site_line(
            "hôm nay, ban chỉ đạo xã họp với các trưởng thôn để bàn việc góp đất mở đường, có sự tham dự của đại diện các đoàn thể."
        ));
    }

    #[test]
    fn counters_and_imprints() {
        assert!(is_counter("hôm nay12 hôm qua340 tuần này1,880"));
        assert!(is_counter("máy chủ tìm kiếm3"));
        assert!(!is_counter("khách viếng thăm 24 hộ nghèo"));
        assert!(!is_counter("tất cả: 245/245"));
        assert!(is_site_line("341 lượt xem"));
        assert!(is_counter("hôm nay: 1,652"));
        assert!(!is_counter("hôm nay và hôm qua"));
        assert!(!is_site_line("hôm nay, 5/2, cầu chính thức thông xe."));
        assert!(is_imprint("địa chỉ: số 1 đường lê lợi - điện thoại: 0200"));
    }
}
