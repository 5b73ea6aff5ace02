//! The provinces, before and since July 2025.

use super::near;
use crate::text::{fold, slug, syllables};

/// What a central site has for a province.
pub const CENTRAL: &str = "Trung ương";

#[derive(Clone, PartialEq, Debug)]
pub struct Province {
    pub name: String,
    /// As it is called since July 2025.
    pub now: String,
    folded: String,
}

pub fn all() -> Vec<Province> {
    let rows = include_str!("provinces.tsv").lines().filter(|line| !line.starts_with('#'));
    let pairs = rows.filter_map(|line| line.split_once('\t'));
    pairs.map(|(name, now)| Province { name: name.into(), now: now.into(), folded: fold(name) }).collect()
}

/// What people write before the name, folded.
const RANKS: [&str; 4] = ["tỉnh ", "thành phố ", "tp. ", "tp "];

/// By its name, in any case, spelling of tones or normal form, with or without its rank; else what to say.
pub fn find<'a>(provinces: &'a [Province], typed: &str) -> Result<&'a Province, String> {
    if let Some(same) = provinces.iter().find(|p| p.name == typed) {
        return Ok(same);
    }
    let folded = fold(typed);
    let folded = RANKS.iter().find_map(|rank| folded.strip_prefix(rank)).unwrap_or(&folded);
    provinces.iter().find(|p| p.folded == *folded).ok_or_else(|| {
        let hint = nearest(provinces, folded).map(|p| format!(", did you mean `{}`?", p.name)).unwrap_or_default();
        format!("`{typed}` is no province, neither of the 34 nor of the 63 before July 2025{hint}")
    })
}

/// The one whose name stands within what was typed (`tỉnh Hưng Yên`), else the one of the fewest letters' difference.
fn nearest<'a>(provinces: &'a [Province], folded: &str) -> Option<&'a Province> {
    let within = provinces.iter().filter(|p| folded.contains(&p.folded)).max_by_key(|p| p.folded.len());
    let bearable = (folded.chars().count() / 3).max(2);
    let close = provinces.iter().map(|p| (near::distance(folded, &p.folded), p)).filter(|c| c.0 <= bearable);
    within.or_else(|| close.min_by_key(|c| c.0).map(|c| c.1))
}

/// Where a province may be named: in a text, in the name of a host.
pub struct ProvinceNames(Vec<Province>);

impl ProvinceNames {
    #[expect(clippy::new_without_default, reason = "one way to make it is enough")]
    pub fn new() -> ProvinceNames {
        ProvinceNames(all())
    }

    /// The province that a text is the name of.
    pub fn find(&self, text: &str) -> Option<String> {
        find(&self.0, text).ok().map(|province| province.name.clone())
    }

    /// The province that is named in a text, the longest name first.
    pub fn within(&self, text: &str) -> Option<String> {
        let words = |text: &str| format!(" {} ", syllables(text).collect::<Vec<_>>().join(" "));
        let text = words(&fold(text));
        let named = self.0.iter().filter(|province| text.contains(&words(&province.folded)));
        named.max_by_key(|province| province.folded.len()).map(|province| province.name.clone())
    }

    /// The province whose letters stand in a host's name: `baohungyen.vn`.
    pub fn of_host(&self, host: &str) -> Option<String> {
        let letters = |province: &&Province| slug(&province.name).replace('-', "");
        let named = self.0.iter().filter(|province| host.contains(&letters(province)));
        named.max_by_key(|province| province.folded.len()).map(|province| province.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::{all, find};
    use std::collections::HashSet;

    #[test]
    fn there_were_63_and_are_34() {
        let provinces = all();
        let now: HashSet<&str> = provinces.iter().map(|p| p.now.as_str()).collect();
        assert_eq!((provinces.len(), now.len()), (63, 34));
        assert!(now.iter().all(|now| find(&provinces, now).is_ok_and(|p| p.now == *now)));
    }

    #[test]
    fn a_province_is_found_however_it_is_spelled() {
        let provinces = all();
        assert_eq!(find(&provinces, "Hoà Bình").unwrap().now, "Phú Thọ");
        assert_eq!(find(&provinces, "TP. Hồ Chí Minh").unwrap().name, "Hồ Chí Minh");
        assert!(find(&provinces, "Hung Yen").unwrap_err().ends_with("did you mean `Hưng Yên`?"));
        assert!(find(&provinces, "Thừa Thiên Huế").unwrap_err().ends_with("did you mean `Huế`?"));
        assert!(find(&provinces, "Atlantis").unwrap_err().ends_with("July 2025"));
    }
}
