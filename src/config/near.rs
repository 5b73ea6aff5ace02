//! "Did you mean": the nearest of the known names.

/// `, did you mean `poll`?`, or nothing where no name is near.
pub fn hint<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(typed, known).map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}

/// At most a third of the letters may differ, and at least two may.
fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let bearable = (typed.chars().count() / 3).max(2);
    let close = known.map(|name| (distance(typed, name), name)).filter(|(d, name)| *d <= bearable && *d < name.len());
    close.min_by_key(|c| c.0).map(|c| c.1)
}

/// How many letters must be put in, taken out or replaced (Levenshtein 1966).
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, hint};

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(hint("pols", ["store", "poll"].into_iter()), ", did you mean `poll`?");
        assert_eq!(hint("weather", ["store", "poll"].into_iter()), "");
        assert_eq!(hint("xy", ["id"].into_iter()), "");
    }
}
