//! The two languages of the pages.

use crate::text::VIETNAM;
use chrono::{DateTime, Datelike, NaiveDate, Utc};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lang {
    Vi,
    En,
}

impl Lang {
    pub const ALL: [Lang; 2] = [Lang::Vi, Lang::En];

    /// Before every path of the pages.
    pub fn prefix(self) -> &'static str {
        self.say("", "/en")
    }

    pub fn code(self) -> &'static str {
        self.say("vi", "en")
    }

    pub fn say(self, vi: &'static str, en: &'static str) -> &'static str {
        match self {
            Lang::Vi => vi,
            Lang::En => en,
        }
    }

    /// A path within the pages, from the root.
    pub fn at(self, path: &str) -> String {
        match (self, path) {
            (Lang::En, "/") => "/en".to_owned(),
            _ => format!("{}{path}", self.prefix()),
        }
    }

    /// Vietnam's time, to the minute.
    pub fn moment(self, at: DateTime<Utc>) -> String {
        at.with_timezone(&VIETNAM).format(self.say("%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M")).to_string()
    }

    /// `12.345` or `12,345`.
    pub fn number(self, number: impl TryInto<u64>) -> String {
        // what does not fit is no count
        let digits = number.try_into().unwrap_or(0).to_string();
        let mut out = String::new();
        for (n, digit) in digits.chars().enumerate() {
            if n > 0 && (digits.len() - n).is_multiple_of(3) {
                out.push_str(self.say(".", ","));
            }
            out.push(digit);
        }
        out
    }

    /// `12,5` or `12.5`.
    pub fn score(self, score: f64) -> String {
        // no minus before what is shown as nothing
        let shown = if score.abs() < 0.005 { 0.0 } else { score };
        format!("{shown:.2}").replace('.', self.say(",", "."))
    }

    /// A site's state, an extraction's, an outcome: what the program calls it, in the reader's words.
    pub fn word(self, label: &str) -> String {
        let words = match label {
            "ok" => ("tốt", "ok"),
            "failing" => ("lỗi", "failing"),
            "new" => ("mới", "new"),
            "quiet" => ("im lặng", "quiet"),
            "empty" => ("trống", "empty"),
            "degraded" => ("kém đi", "degraded"),
            "unknown" => ("chưa rõ", "unknown"),
            "stored" => ("đã lưu", "stored"),
            "duplicate" => ("bài trùng", "duplicate"),
            "revision" => ("bản sửa", "revision"),
            "unchanged" => ("không đổi", "unchanged"),
            "kept" => ("giữ bản cũ", "old text kept"),
            "off_topic" => ("ngoài chủ đề", "off topic"),
            "later" => ("sẽ thử lại", "tried again later"),
            "gave_up" => ("đã bỏ", "given up"),
            "party" => ("Đảng", "party"),
            "government" => ("chính quyền", "government"),
            "council" => ("Hội đồng nhân dân", "people's council"),
            "front" => ("Mặt trận, đoàn thể", "front"),
            "newspaper" => ("báo, đài", "newspaper"),
            "central" => ("Trung ương", "central"),
            "layout" => ("theo bố cục", "layout"),
            "learned" => ("theo các trang khác", "learned"),
            "generic" => ("tự tìm", "generic"),
            "feed" => ("từ nguồn tin", "feed"),
            "page" => ("từ trang", "page"),
            "url" => ("từ địa chỉ", "address"),
            "seen" => ("lúc thấy lần đầu", "first sight"),
            "title" => ("tiêu đề", "title"),
            "lead" => ("lời dẫn", "lead"),
            "body" => ("thân bài", "body"),
            other => return other.replace('_', " "),
        };
        self.say(words.0, words.1).to_owned()
    }
}

/// The day that it is in Vietnam.
pub fn day_of(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&VIETNAM).date_naive()
}

/// A number for a day, so that a row of the catalogue is small.
pub fn number_of(day: NaiveDate) -> i32 {
    day.num_days_from_ce()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_paths_and_times_are_the_readers() {
        assert_eq!(Lang::Vi.number(1_234_567_u64), "1.234.567");
        assert_eq!(Lang::En.number(100_u64), "100");
        assert_eq!(
            (Lang::En.at("/"), Lang::En.at("/sites"), Lang::Vi.at("/")),
            ("/en".into(), "/en/sites".into(), "/".into())
        );
        let at = "2026-03-10T20:30:00Z".parse().unwrap();
        assert_eq!((Lang::Vi.moment(at), day_of(at).day()), ("11/03/2026 03:30".to_owned(), 11));
        assert_eq!((Lang::Vi.score(-0.001), Lang::Vi.score(1.5)), ("0,00".to_owned(), "1,50".to_owned()));
        assert_eq!(Lang::Vi.word("off_topic"), "ngoài chủ đề");
        assert_eq!(Lang::Vi.word("something_else"), "something else");
    }
}
