//! Did you mean ...?

/// Names longer than this are not compared.
const MAX_LENGTH: usize = 64;

/// The candidate nearest to `word`, if it is near enough to be a slip of the pen: at most one edit in three characters, where
/// an edit inserts, deletes, replaces a character or swaps two neighbours. Ties go to the earlier candidate.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length == 0 || length > MAX_LENGTH {
        return None;
    }
    let allowed = (length / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other = candidate.chars().count();
        if other > MAX_LENGTH || other.abs_diff(length) > allowed || candidate == word {
            continue;
        }
        let distance = edit_distance(&word.to_lowercase(), &candidate.to_lowercase());
        // A word of one or two letters must not be replaced wholesale.
        if distance <= allowed && distance < length && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Edit distance with transpositions of neighbours ("optimal string alignment").
fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let words = ["bhlm2019", "claim", "class", "test_set", "ln"];
        assert_eq!(did_you_mean("bhlm2017", words), Some("bhlm2019"));
        assert_eq!(did_you_mean("clami", words), Some("claim"));
        assert_eq!(did_you_mean("tset_set", words), Some("test_set"));
        assert_eq!(did_you_mean("Claim", words), Some("claim"));
        assert_eq!(did_you_mean("theorem", words), None);
        assert_eq!(did_you_mean("x", words), None);
        assert_eq!(did_you_mean("", words), None);
        assert_eq!(did_you_mean(&"a".repeat(1000), words), None);
    }

    #[test]
    fn distances_of_the_textbook() {
        for (a, b, distance) in [("kitten", "sitting", 3), ("", "abc", 3), ("ab", "ba", 1), ("same", "same", 0)] {
            assert_eq!(edit_distance(a, b), distance, "{a} {b}");
            assert_eq!(edit_distance(b, a), distance, "{b} {a}");
        }
    }
}
