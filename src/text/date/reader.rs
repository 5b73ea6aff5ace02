//! The words and numbers of one date.

use super::{DateOrder, words};
use chrono::{Duration, FixedOffset, NaiveDate, NaiveTime};

/// A run of digits, a run of letters, or one other character.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Token<'a> {
    Number(u32, usize),
    Word(&'a str),
    Sign(char),
}

/// The tokens of a text, with the ones that are spoken for taken out of play.
pub struct Reader<'a> {
    tokens: Vec<Token<'a>>,
    /// Whether white space stood before the token.
    spaced: Vec<bool>,
    used: Vec<bool>,
    order: DateOrder,
}

impl<'a> Reader<'a> {
    pub fn new(clean: &'a str, order: DateOrder) -> Reader<'a> {
        let (mut tokens, mut spaced) = (Vec::new(), Vec::new());
        let mut rest = clean;
        while let Some(first) = rest.trim_start().chars().next() {
            let space = rest.starts_with(' ');
            rest = rest.trim_start();
            let end = token_end(rest, first);
            unpack(&rest[..end], first, &mut tokens);
            spaced.resize(tokens.len(), space);
            rest = &rest[end..];
        }
        let used = vec![false; tokens.len()];
        let mut reader = Reader { tokens, spaced, used, order };
        reader.drop_weekdays();
        reader
    }

    fn at(&self, i: usize) -> Option<Token<'a>> {
        self.tokens.get(i).copied().filter(|_| !self.used[i])
    }

    fn number(&self, i: usize) -> Option<(u32, usize)> {
        match self.at(i)? {
            Token::Number(value, digits) => Some((value, digits)),
            _ => None,
        }
    }

    fn word(&self, i: usize) -> Option<&'a str> {
        match self.at(i)? {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }

    fn sign(&self, i: usize, wanted: char) -> bool {
        self.at(i) == Some(Token::Sign(wanted))
    }

    fn take(&mut self, from: usize, to: usize) {
        self.used[from..to].fill(true);
    }

    /// *Thứ 2* and *thứ năm* hold a number and the word for year. *Thu* is an English Thursday and a given name, too.
    fn drop_weekdays(&mut self) {
        for i in 0..self.tokens.len() {
            let day = matches!(self.word(i), Some("thứ" | "thu")) && self.names_weekday(i + 1);
            let short = self.word(i) == Some("t") && matches!(self.number(i + 1), Some((2..=7, 1))) && i == 0;
            if day || short {
                self.take(i, i + 2);
            }
        }
    }

    /// What follows *thứ*, unless a date begins there: `Thu 4 Jan 2024`, `Minh Thu 4/1/2024`.
    fn names_weekday(&self, i: usize) -> bool {
        match self.at(i) {
            Some(Token::Number(2..=7, 1)) => {
                let month = self.word(i + 1).is_some_and(|word| words::month(word).is_some());
                let date = self.three_numbers(i).is_some() && matches!(self.number(i + 4), Some((_, 4)));
                !month && !date
            }
            Some(Token::Word(word)) => words::is_weekday(word),
            _ => false,
        }
    }

    /// The clock, and what it carries over (24:00, a leap second).
    pub fn time(&mut self) -> Option<(NaiveTime, Duration)> {
        (0..self.tokens.len()).find_map(|i| self.time_at(i))
    }

    /// A clock no clock shows (`25:99`): then the day beside it is not to be trusted either.
    pub fn impossible_time(&self) -> bool {
        let pair = |i: usize| self.number(i).is_some() && self.sign(i + 1, ':') && self.number(i + 2).is_some();
        (0..self.tokens.len()).any(|i| pair(i) && !self.after_zone_sign(i))
    }

    fn time_at(&mut self, i: usize) -> Option<(NaiveTime, Duration)> {
        let (hour, digits) = self.number(i)?;
        let within = i > 1 && self.sign(i - 1, ':') && matches!(self.number(i - 2), Some((_, 1..=2)));
        let offset = i > 1 && self.sign(i - 1, '-') && !self.spaced[i] && self.sign(i - 3.min(i), ':');
        if digits > 2 || hour > 24 || within || offset || self.after_zone_sign(i) {
            return None;
        }
        let (minute, second, mut end) = self.colon_time(i).or_else(|| self.hour_mark_time(i))?;
        if self.sign(end, '.') && self.number(end + 1).is_some() && self.number(end + 1)?.1 != 2 {
            end += 2;
        }
        let half = self.half_of_day(i, &mut end);
        let hour = match half {
            Some(true) if hour < 12 => hour + 12,
            Some(false) if hour == 12 => 0,
            _ => hour,
        };
        self.take(i, end);
        let carry = Duration::days(i64::from(hour == 24)) + Duration::seconds(i64::from(second == 60));
        Some((NaiveTime::from_hms_opt(hour % 24, minute, second.min(59))?, carry))
    }

    /// `+07:00`, `GMT-05:00`: not times of day.
    fn after_zone_sign(&self, i: usize) -> bool {
        let plus = i > 0 && self.sign(i - 1, '+');
        let minus =
            i > 1 && self.sign(i - 1, '-') && !self.spaced[i] && matches!(self.word(i - 2), Some("gmt" | "utc"));
        plus || minus
    }

    /// `17:06`, `17:06:45`; minute, second and where it ends.
    fn colon_time(&self, i: usize) -> Option<(u32, u32, usize)> {
        let pair = |at: usize| self.sign(at, ':').then(|| self.number(at + 1)).flatten().filter(|n| n.1 <= 2);
        let (minute, _) = pair(i + 1)?;
        let (second, end) = pair(i + 3).map_or((0, i + 3), |(second, _)| (second, i + 5));
        (minute < 60 && second <= 60).then_some((minute, second, end))
    }

    /// `17h06`, `17 giờ 06 phút`, `17h`.
    fn hour_mark_time(&self, i: usize) -> Option<(u32, u32, usize)> {
        if !matches!(self.word(i + 1)?, "h" | "g" | "giờ" | "gio") {
            return None;
        }
        match self.number(i + 2) {
            Some((minute, 1..=2)) if minute < 60 && !self.is_separator(i + 3) => {
                Some((minute, 0, i + 3 + usize::from(matches!(self.word(i + 3), Some("phút" | "phut" | "p" | "'")))))
            }
            _ => Some((0, 0, i + 2)),
        }
    }

    /// Afternoon or not, where the text says; before the time in Korean, after it elsewhere.
    fn half_of_day(&self, start: usize, end: &mut usize) -> Option<bool> {
        if start > 0 && matches!(self.word(start - 1), Some("오후" | "오전")) {
            return Some(self.word(start - 1) == Some("오후"));
        }
        if let (Some(letter @ ("a" | "p")), true, Some("m")) =
            (self.word(*end), self.sign(*end + 1, '.'), self.word(*end + 2))
        {
            *end += 3;
            return Some(letter == "p");
        }
        let late = match self.word(*end)? {
            "pm" | "ch" | "chiều" | "tối" => true,
            "am" | "sa" | "sáng" => false,
            _ => return None,
        };
        *end += 1;
        Some(late)
    }

    fn is_separator(&self, i: usize) -> bool {
        matches!(self.at(i), Some(Token::Sign('/' | '-' | '.')))
    }

    pub fn day(&mut self) -> Option<NaiveDate> {
        (0..self.tokens.len()).find_map(|i| {
            let (day, end) = self.year_first(i).or_else(|| self.numeric(i)).or_else(|| self.named_month(i))?;
            self.take(i, end);
            Some(day)
        })
    }

    /// `2024-01-24`, `2024/1/24`, `2024-Jan-24`, `2004년 05월 28일`, `20240124`, `20240124170645`.
    fn year_first(&self, i: usize) -> Option<(NaiveDate, usize)> {
        let (year, digits) = self.number(i)?;
        if digits == 8 {
            return Some((NaiveDate::from_ymd_opt((year / 10_000) as i32, year / 100 % 100, year % 100)?, i + 1));
        }
        if digits != 4 {
            return None;
        }
        let gap = |at: usize| self.is_separator(at) || matches!(self.word(at), Some("년" | "월" | "年" | "月"));
        let month = self.number(i + 2).map(|n| n.0).or_else(|| words::month(self.word(i + 2)?))?;
        let (day, digits) = self.number(i + 4)?;
        let whole = gap(i + 1) && gap(i + 3) && digits <= 2;
        whole.then(|| NaiveDate::from_ymd_opt(year as i32, month, day)).flatten().map(|d| (d, i + 5))
    }

    /// `24/01/2024`, `24-1-24`, `10.05.2018`, and `1/24/2024` where the order or the numbers say so.
    fn numeric(&self, i: usize) -> Option<(NaiveDate, usize)> {
        let (a, b, year) = self.three_numbers(i)?;
        let day_first = NaiveDate::from_ymd_opt(year, b, a);
        let month_first = NaiveDate::from_ymd_opt(year, a, b);
        let day = match self.order {
            DateOrder::DayFirst => day_first.or(month_first),
            DateOrder::MonthFirst => month_first.or(day_first),
        };
        day.map(|d| (d, i + 5))
    }

    fn three_numbers(&self, i: usize) -> Option<(u32, u32, i32)> {
        let ((a, la), (b, lb), (year, ly)) = (self.number(i)?, self.number(i + 2)?, self.number(i + 4)?);
        let same = self.is_separator(i + 1) && self.at(i + 1) == self.at(i + 3);
        let more = self.at(i + 5) == self.at(i + 1) && self.number(i + 6).is_some() && !self.spaced[i + 6];
        let before = i > 1 && self.at(i - 1) == self.at(i + 1) && self.number(i - 2).is_some() && !self.spaced[i];
        let sized = la <= 2 && lb <= 2 && matches!(ly, 2 | 4);
        (same && sized && !more && !before).then(|| (a, b, full_year(year, ly)))
    }

    /// The first date of three numbers that a day and a month could be, as written.
    pub fn numeric_day(&mut self) -> Option<(u32, u32, i32)> {
        self.time();
        (0..self.tokens.len()).find_map(|i| self.three_numbers(i).filter(|(a, b, _)| (*a).min(*b) <= 12))
    }

    /// `24 Jan 2024`, `Jan 24, 2024`, `ngày 24 tháng 01 năm 2024`, `Jan 24 17:06:45 ICT 2024`.
    fn named_month(&self, i: usize) -> Option<(NaiveDate, usize)> {
        let (day, month, at) = self.day_then_month(i).or_else(|| self.month_then_day(i))?;
        let at = self.skip_fill(at);
        let (year, end) = match self.number(at) {
            Some((year, digits @ (2 | 4))) => (full_year(year, digits), at + 1),
            _ => (self.year_later(at)?, at),
        };
        NaiveDate::from_ymd_opt(year, month, day).map(|d| (d, end))
    }

    fn day_then_month(&self, i: usize) -> Option<(u32, u32, usize)> {
        let (day, _) = self.number(i).filter(|n| n.1 <= 2)?;
        let (month, at) = self.month(self.skip_fill(i + 1))?;
        Some((day, month, at))
    }

    fn month_then_day(&self, i: usize) -> Option<(u32, u32, usize)> {
        let (month, at) = self.month(i)?;
        let at = self.skip_fill(at);
        let (day, _) = self.number(at).filter(|n| n.1 <= 2)?;
        Some((day, month, at + 1))
    }

    /// A month's name, or *tháng* with a number or the word for one.
    fn month(&self, i: usize) -> Option<(u32, usize)> {
        let word = self.word(i)?;
        if !matches!(word, "tháng" | "thang" | "thg" | "th") {
            return words::month(word).map(|m| (m, i + 1));
        }
        let at = if self.sign(i + 1, '.') { i + 2 } else { i + 1 };
        if let Some((month, 1..=2)) = self.number(at) {
            return (1..=12).contains(&month).then_some((month, at + 1));
        }
        words::vietnamese_month(self.word(at)?, self.word(at + 1)).map(|(month, words)| (month, at + words))
    }

    /// Past the small words and marks between day, month and year.
    fn skip_fill(&self, mut i: usize) -> usize {
        while matches!(self.at(i), Some(Token::Sign(',' | '.' | '-' | '/')))
            || matches!(self.word(i), Some("st" | "nd" | "rd" | "th" | "de" | "of" | "năm" | "nam" | "ngày"))
                && self.month(i).is_none()
        {
            i += 1;
        }
        i
    }

    /// asctime and Java put the year last, behind clock and zone. Behind other words it is no part of this date.
    fn year_later(&self, from: usize) -> Option<i32> {
        let at = (from..self.tokens.len()).find(|i| !self.clock_or_zone(*i))?;
        match self.number(at)? {
            (year @ 1900..=2999, 4) => Some(year as i32),
            _ => None,
        }
    }

    /// A clock was taken already.
    fn clock_or_zone(&self, i: usize) -> bool {
        self.used[i]
            || match self.tokens[i] {
                Token::Sign(_) => true,
                Token::Word(word) => words::zone(word).is_some(),
                Token::Number(..) => self.signed(i) || i > 1 && self.sign(i - 1, ':') && self.signed(i - 2),
            }
    }

    fn signed(&self, i: usize) -> bool {
        i > 0 && !self.spaced[i] && (self.sign(i - 1, '+') || self.sign(i - 1, '-'))
    }

    /// W3CDTF and ISO 8601 with parts left out, when nothing else is there: `2003`, `2003-12`, `-0312`, `-03-12`, `2003-335`.
    pub fn partial(&mut self) -> Option<NaiveDate> {
        let all = 0..self.tokens.len();
        let rest: Vec<Token> = all.clone().filter_map(|i| self.at(i)).collect();
        self.take(all.start, all.end);
        match rest[..] {
            [Token::Number(year, 4)] => NaiveDate::from_ymd_opt(year as i32, 1, 1),
            [Token::Number(year, 4), Token::Sign('-'), Token::Number(month, 2)] => {
                NaiveDate::from_ymd_opt(year as i32, month, 1)
            }
            [Token::Number(year, 4), Token::Sign('-'), Token::Number(day, 3)] => {
                NaiveDate::from_yo_opt(year as i32, day)
            }
            [Token::Sign('-'), Token::Number(both, 4)] => {
                NaiveDate::from_ymd_opt(full_year(both / 100, 2), both % 100, 1)
            }
            [Token::Sign('-'), Token::Number(year, 2), Token::Sign('-'), Token::Number(month, 2)] => {
                NaiveDate::from_ymd_opt(full_year(year, 2), month, 1)
            }
            _ => None,
        }
        .filter(|d| (1900..2100).contains(&chrono::Datelike::year(d)))
    }

    pub fn korean(&self) -> bool {
        self.tokens.iter().any(|t| matches!(t, Token::Word("년" | "오전" | "오후")))
    }

    /// `+0700`, `+07:00`, `+7`, `GMT+7`, `(UTC-05:00)`, `Z`, `ICT`, `EST`.
    pub fn offset(&self) -> Option<FixedOffset> {
        let signed = (0..self.tokens.len()).find_map(|i| self.signed_offset(i));
        signed.or_else(|| (0..self.tokens.len()).find_map(|i| self.named_offset(i)))
    }

    /// Right behind the clock or the date, or in brackets: elsewhere the same letters are a person's or an office's.
    fn named_offset(&self, i: usize) -> Option<FixedOffset> {
        let (word, before) = (self.word(i)?, i.checked_sub(1)?);
        let minutes = words::zone(word)?;
        let behind = self.used[before] || word == "z" && !self.spaced[i];
        let near = behind || self.sign(before, '(') || self.sign(before, '[');
        near.then(|| FixedOffset::east_opt(minutes * 60)).flatten()
    }

    fn signed_offset(&self, i: usize) -> Option<FixedOffset> {
        let sign = match self.at(i)? {
            Token::Sign('+') => 1,
            Token::Sign('-' | '\u{2212}' | '\u{2013}') if i > 0 => -1,
            _ => return None,
        };
        let (value, digits) = self.number(i + 1).filter(|_| !self.spaced[i + 1])?;
        let minutes = match digits {
            4 => value / 100 * 60 + value % 100,
            1 | 2 if self.sign(i + 2, ':') => value * 60 + self.number(i + 3).filter(|n| n.1 == 2)?.0,
            1 | 2 if !self.is_separator(i + 2) => value * 60,
            _ => return None,
        };
        (minutes <= 14 * 60).then(|| FixedOffset::east_opt(sign * minutes as i32 * 60)).flatten()
    }
}

fn token_end(rest: &str, first: char) -> usize {
    let same = |c: char| match first {
        f if f.is_ascii_digit() => c.is_ascii_digit(),
        f if f.is_alphabetic() => c.is_alphabetic() || is_mark(c),
        _ => false,
    };
    rest.char_indices().skip(1).find(|(_, c)| !same(*c)).map_or(rest.len(), |(i, _)| i)
}

/// Combining marks that NFC leaves standing belong to the letter before.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

fn token(text: &str, first: char) -> Token<'_> {
    if first.is_ascii_digit() {
        // Beyond nine digits it is no part of a date: the value is of no use, only the length.
        return Token::Number(text.parse().unwrap_or(u32::MAX), text.len());
    }
    if first.is_alphabetic() { Token::Word(text) } else { Token::Sign(first) }
}

/// One token, but day and clock apart where they are run together: `20240124170645`, `T170645`.
fn unpack<'a>(text: &'a str, first: char, tokens: &mut Vec<Token<'a>>) {
    let digits = if first.is_ascii_digit() { text.len() } else { 0 };
    let clock_from = match (digits, tokens.last()) {
        (14, _) => 8,
        (6, Some(Token::Word("t"))) => 0,
        _ => return tokens.push(token(text, first)),
    };
    if clock_from > 0 {
        tokens.push(token(&text[..clock_from], first));
    }
    for at in [clock_from, clock_from + 2, clock_from + 4] {
        tokens.extend((at > clock_from).then_some(Token::Sign(':')));
        tokens.push(token(&text[at..at + 2], first));
    }
}

/// RFC 2822 and POSIX: two digits below 70 are of this century.
fn full_year(year: u32, digits: usize) -> i32 {
    let year = year as i32;
    match digits {
        2 if year < 70 => 2000 + year,
        2 => 1900 + year,
        _ => year,
    }
}
