//! Short lines: text, though a label looks the same, or a label, though text does.

use super::{FIRST, SECOND, THIRD, clean, text, whole};
use crate::article::DateFrom;

fn body(inside: &str) -> String {
    format!("<h1>Đối thoại ở Bản Lầm</h1><div class=bai>{inside}</div><p>Về đầu trang</p>")
}

#[test]
fn the_last_lines_are_text_where_they_are_made_like_it() {
    for (tail, said) in [
        ("<p>Không khí thật vui!</p>", "Không khí thật vui!"),
        ("<p><em><b>PV: Xin cảm ơn đồng chí!</b></em></p>", "PV: Xin cảm ơn đồng chí!"),
        ("<h3>Ước mơ nhỏ</h3><p>Bà mong có cầu.</p>", "Ước mơ nhỏ\n\nBà mong có cầu."),
        ("<p>Giải Nhất: đội Bản Lầm</p><p>Giải Nhì: đội Nà Bó</p>", "Giải Nhất: đội Bản Lầm\n\nGiải Nhì: đội Nà Bó"),
        ("<p>8h00: Lễ dâng hương</p><p>9h30: Khai mạc</p>", "8h00: Lễ dâng hương\n\n9h30: Khai mạc"),
        (
            "<p>Địa chỉ: thôn Bản Lầm</p><p>Điện thoại: 0200 111 222</p>",
            "Địa chỉ: thôn Bản Lầm\n\nĐiện thoại: 0200 111 222",
        ),
        (
            "<p>Bản quyền bản đồ nguồn nước thuộc về bà con ba thôn.</p>",
            "Bản quyền bản đồ nguồn nước thuộc về bà con ba thôn.",
        ),
    ] {
        let html = body(&format!("<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p>{tail}"));
        assert_eq!(text(&html), format!("{}\n\n{said}", whole()), "{tail}");
    }
}

#[test]
fn the_last_lines_are_labels_where_they_are_made_otherwise() {
    for tail in [
        "<p>Lò Mai</p>",
        "<p>BAN BIÊN TẬP</p>",
        "<p style='text-align:right'>Ghi lại ở bản Lầm</p>",
        "<p>Theo Báo Bản Lầm</p>",
        "<p>© Bản quyền thuộc về xã Bản Lầm.</p>",
        "<div class=tienich>Cỡ chữ to nhỏ</div>",
        "<p><a href=/in>Bản để in</a></p>",
    ] {
        let html = body(&format!("<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p>{tail}"));
        assert_eq!(text(&html), whole(), "{tail}");
    }
}

#[test]
fn a_short_lead_is_the_lead_where_it_is_called_so() {
    for lead in ["<div class=hometext>Bản làng vui hội.</div>", "<h2 class=detail-sapo>Bản làng vui hội.</h2>"]
    {
        let html = format!("<h1>Đối thoại</h1>{lead}<div class=bodytext><p>{FIRST}</p><p>{SECOND}</p></div>");
        assert_eq!(text(&html), format!("Bản làng vui hội.\n\n{FIRST}\n\n{SECOND}"));
    }
    let html = format!("<h1>Đối thoại</h1><div class=intro>Vui.</div><div class=bodytext><p>{FIRST}</p></div>");
    assert_eq!(text(&html), FIRST);
}

#[test]
fn a_lead_that_begins_the_text_too_is_printed_twice_as_on_the_page() {
    let html = format!(
        "<h1>Đối thoại</h1><div class=hometext>{FIRST}</div><div class=bodytext><p>{FIRST} {SECOND}</p><p>{THIRD}</p></div>"
    );
    assert_eq!(text(&html), format!("{FIRST}\n\n{FIRST} {SECOND}\n\n{THIRD}"));
}

#[test]
fn a_list_of_short_lines_is_the_article_where_it_is_called_so() {
    let lines = "<p>Ngày 13/3:</p><p>8h00: Lễ dâng hương</p><p>9h30: Khai mạc</p>";
    let html = |body: &str| {
        format!(
            "<h1>Lễ hội Bản Lầm</h1><div class=hometext>{FIRST}</div><ul><li><a href=/in>In trang này</a></ul>{body}
            <div class=alert>Chú ý: Việc đăng lại bài viết trên ở website hoặc các phương tiện truyền thông khác mà không ghi rõ
            nguồn http://example.vn là vi phạm bản quyền</div>"
        )
    };
    let named = html(&format!("<div class=bodytext>{lines}</div>"));
    assert_eq!(text(&named), format!("{FIRST}\n\nNgày 13/3:\n\n8h00: Lễ dâng hương\n\n9h30: Khai mạc"));
    assert_eq!(text(&html(&format!("<div class=tienich>{lines}</div>"))), FIRST);
}

#[test]
fn teasers_do_not_outweigh_a_short_article() {
    let teaser = format!("<li><h4><a href=/1>Thôn Nà Bó sửa xong đập nước đầu làng</a></h4><p>{SECOND}</p></li>");
    let html =
        format!("<h1>Đối thoại</h1><div class=bai><p>{FIRST}</p></div><ul class=block>{}</ul>", teaser.repeat(5));
    assert_eq!(text(&html), FIRST);
    let two = format!("<h1>Đối thoại</h1><div class=bai><p>{FIRST}</p></div><ul class=block>{}</ul>", teaser.repeat(2));
    assert_ne!(text(&two), FIRST);
}

#[test]
fn a_sidebar_that_holds_the_headline_is_the_main_column() {
    let others = format!("<li><a href=/1>Thôn Nà Bó sửa xong đập nước đầu làng</a><p>{SECOND}</p></li>").repeat(6);
    let html = format!("<div class=sidebar-1><h1>Đối thoại</h1><p>{FIRST}</p><p>{THIRD}</p></div><ul>{others}</ul>");
    assert_eq!(text(&html), format!("{FIRST}\n\n{THIRD}"));
}

#[test]
fn a_letter_is_signed_with_place_office_and_name() {
    let html = body(&format!(
        "<p>{FIRST}</p><p>{SECOND}</p><p align=right><i>Bản Lầm, ngày 20 tháng 5 năm 2024</i></p>
        <p align=right><b>BÍ THƯ ĐẢNG ỦY</b></p><p align=right><b>Lò Thị Mai</b></p>"
    ));
    let clean = clean(&html);
    let said = crate::article::plain(&clean.blocks);
    assert!(said.ends_with("Bản Lầm, ngày 20 tháng 5 năm 2024\n\nBÍ THƯ ĐẢNG ỦY\n\nLò Thị Mai"), "{said}");
    assert_eq!(clean.authors, Vec::<String>::new());
}

#[test]
fn a_chapter_is_no_author() {
    let chapter = "<p style='text-align:center'><b>Chương II<br>TỔ CHỨC THỰC HIỆN</b></p>";
    let html = body(&format!("<p>{FIRST}</p><p>{SECOND}</p>{chapter}<p>{THIRD}</p>"));
    assert!(text(&html).contains("Chương II\nTỔ CHỨC THỰC HIỆN"));
    assert_eq!(clean(&html).authors, Vec::<String>::new());
}

#[test]
fn a_box_of_another_article_is_known_by_its_type() {
    let related = format!("<div type=RelatedOneNews><p>{SECOND}</p></div>");
    let own = format!("<div type=content><p>{SECOND}</p></div>");
    assert_eq!(text(&body(&format!("<p>{FIRST}</p>{related}<p>{THIRD}</p>"))), format!("{FIRST}\n\n{THIRD}"));
    assert_eq!(text(&body(&format!("<p>{FIRST}</p>{own}<p>{THIRD}</p>"))), whole());
}

#[test]
fn the_day_of_the_visit_is_not_the_date() {
    let html = |stamp: &str| {
        let clock = "<div><span class=current-time>Thứ bảy, 25/05/2024, 09:41</span></div>";
        format!("{clock}<h1>Đối thoại</h1><div class=row>{stamp}</div><div><p>{FIRST}</p><p>{SECOND}</p></div>")
    };
    let seen = clean(&html(""));
    assert_eq!((seen.published, seen.published_from), (None, DateFrom::Seen));
    // The icon of a clock is none, and the readers' number stands right behind the hour.
    let stamp = "<span><i class='fa fa-clock'></i>Thứ năm - 23/05/2024 15:27</span><span>1482</span><span>0</span>";
    let said = clean(&html(stamp)).published.map(|d| d.to_rfc3339());
    assert_eq!(said.as_deref(), Some("2024-05-23T15:27:00+07:00"));
}

#[test]
fn news_that_the_article_tells_itself_are_no_teasers() {
    let row = |n: usize| {
        format!("<li><h4><a href=/{n}>Thôn Nà Bó sửa xong đập nước đầu làng</a></h4><p>{SECOND} ({n})</p></li>")
    };
    let rows: String = (0..25).map(row).collect();
    let digest = body(&format!("<p>{FIRST}</p><ul>{rows}</ul><p>{THIRD}</p>"));
    let said = text(&digest);
    assert!((0..25).all(|n| said.contains(&format!("({n})"))), "{said}");
    let row = |n: usize| {
        format!("<div class=qa><p><a href=#q{n}>Hỏi: đường Bản Lầm bao giờ xong?</a></p><p>{SECOND} ({n})</p></div>")
    };
    let questions = format!("<h1>Hỏi đáp</h1><div class=bai>{}</div>", (0..30).map(row).collect::<String>());
    assert!((0..30).all(|n| text(&questions).contains(&format!("({n})"))));
}

#[test]
fn figures_of_the_article_count_no_visitors() {
    let html = body(&format!("<p>{FIRST}</p><p>Tất cả: 245/245</p><p>{THIRD}</p>"));
    assert!(text(&html).contains("245/245"));
}

#[test]
fn an_imprint_of_its_own_element_is_none_of_the_text_however_long() {
    let own = "Địa chỉ: số 1, thôn Bản Lầm, xã Bản Lầm, huyện Thuận Châu, tỉnh Sơn La - Điện thoại: 0200 111 222 - Fax: 0200 111 223.";
    let html = body(&format!("<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p><div class=thongtin>{own}</div>"));
    assert_eq!(text(&html), whole());
    let publisher =
        "<p>Cơ quan chủ quản: UBND xã Bản Lầm</p><p>Địa chỉ: thôn Bản Lầm</p><p>Điện thoại: 0200 111 222</p>";
    let html = body(&format!("<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p>{publisher}"));
    assert_eq!(text(&html), whole());
}

#[test]
fn a_signature_ends_where_the_site_goes_on() {
    let html = body(&format!(
        "<p>{FIRST}</p><p>{SECOND}</p><p align=right>TM. ỦY BAN NHÂN DÂN</p><p align=right>Lò Mai</p>
        <p>Cập nhật: 24/05/2024 10:30</p>"
    ));
    assert!(text(&html).ends_with("TM. ỦY BAN NHÂN DÂN\n\nLò Mai"), "{}", text(&html));
}

#[test]
fn offices_at_the_end_are_no_text() {
    for office in ["Ban Biên tập", "Văn phòng Huyện ủy", "Thu Trang – LĐLĐ tỉnh"] {
        let html = body(&format!("<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p><p>{office}</p>"));
        assert_eq!(text(&html), whole(), "{office}");
    }
}

#[test]
fn links_around_a_short_article_leave_it_whole() {
    let boxed = format!("<div class=box><a href=/t><h4>Trao 12 căn nhà cho hộ nghèo</h4><p>{SECOND}</p></a></div>");
    let html = body(&format!("<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p>{}", boxed.repeat(4)));
    assert_eq!(text(&html), whole());
}

#[test]
fn a_letter_has_its_head() {
    let html = body(&format!("<p>Số: 118/MTTQ-BTT</p><p>Kính gửi: Ủy ban các xã</p><p>{FIRST}</p><p>{SECOND}</p>"));
    assert!(text(&html).starts_with("Số: 118/MTTQ-BTT\n\nKính gửi: Ủy ban các xã\n\nSáng nay"), "{}", text(&html));
}

#[test]
fn a_round_up_keeps_its_linked_headings() {
    let told: String = ["Nà Bó", "Nà Hạ", "Huổi Kẹt"]
        .map(|thon| format!("<h3><a href=/{thon}>Thôn {thon} sửa xong đập nước đầu làng</a></h3><p>{SECOND}</p>"))
        .concat();
    let said = text(&body(&format!("<p>{FIRST}</p>{told}")));
    assert!(["Nà Bó", "Nà Hạ", "Huổi Kẹt"].iter().all(|thon| said.contains(&format!("Thôn {thon} sửa"))), "{said}");
}
