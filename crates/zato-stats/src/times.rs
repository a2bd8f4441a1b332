//! Processing times of single calls, as they are stored and as they are reduced to four figures.
//!
//! Owns the text of a list's elements and the arithmetic on them. It must not know where lists are stored.

/// A list with up to so many times more is written one time an element, as the original does. Beyond, equal times share
/// one element, so that the cost of a busy service's list grows with how many different times it took.
const SINGLE: u64 = 64;

/// Times in milliseconds, each with how often it was measured. In no particular order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times(Vec<(u64, u64)>);

/// What times come to. All zero if there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Reduced {
    pub(crate) minimum: u64,
    pub(crate) maximum: u64,
    /// The mean of the times that are not above the percentile asked for.
    pub(crate) mean: f64,
    pub(crate) count: u64,
    /// The sum of all times.
    pub(crate) total: u64,
}

impl Times {
    pub(crate) fn push(&mut self, milliseconds: u64, count: u64) {
        self.0.push((milliseconds, count));
    }

    /// The elements of a list: a time, or a time and how often it was measured, `12*345`.
    pub(crate) fn elements(&self) -> Vec<Vec<u8>> {
        let count = self.count();
        let element = |(milliseconds, times): &(u64, u64)| {
            if count <= SINGLE {
                vec![milliseconds.to_string().into_bytes(); usize::try_from(*times).unwrap_or(0)]
            } else {
                vec![format!("{milliseconds}*{times}").into_bytes()]
            }
        };
        self.0.iter().flat_map(element).collect()
    }

    /// Reads the elements of a list. What is no time is left out.
    pub(crate) fn parse(elements: &[Vec<u8>]) -> Self {
        let parsed = elements.iter().filter_map(|element| {
            let text = std::str::from_utf8(element).ok()?;
            match text.split_once('*') {
                Some((milliseconds, count)) => Some((milliseconds.parse().ok()?, count.parse().ok()?)),
                None => Some((text.parse().ok()?, 1)),
            }
        });
        Self(parsed.collect())
    }

    fn count(&self) -> u64 {
        self.0.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// The figures. With a percentile, from 0 to 100, times above it are left out of the mean.
    pub(crate) fn reduce(&self, percentile: f64) -> Reduced {
        let mut sorted: Vec<(u64, u64)> = self.0.iter().copied().filter(|(_, count)| *count > 0).collect();
        sorted.sort_unstable();
        let (Some((minimum, _)), Some((maximum, _))) = (sorted.first().copied(), sorted.last().copied())
        else {
            return Reduced::default();
        };
        let limit = cut(&sorted, percentile);
        let sum = |limit: u64| {
            let kept = sorted.iter().take_while(|(milliseconds, _)| *milliseconds <= limit);
            kept.fold((0_u64, 0_u64), |(total, count), (milliseconds, times)| {
                (total.saturating_add(milliseconds.saturating_mul(*times)), count.saturating_add(*times))
            })
        };
        let ((kept, kept_count), (total, count)) = (sum(limit), sum(u64::MAX));
        Reduced { minimum, maximum, mean: kept as f64 / kept_count.max(1) as f64, count, total }
    }
}

/// The percentile of sorted times, by linear interpolation, cut to a whole number.
fn cut(sorted: &[(u64, u64)], percentile: f64) -> u64 {
    let count: u64 = sorted.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count));
    let rank = percentile.clamp(0.0, 100.0) / 100.0 * (count.saturating_sub(1)) as f64;
    let at = |rank: u64| {
        let mut seen = 0_u64;
        let found = sorted.iter().find(|(_, count)| {
            seen = seen.saturating_add(*count);
            seen > rank
        });
        found.or_else(|| sorted.last()).map_or(0, |(milliseconds, _)| *milliseconds)
    };
    let (below, above) = (at(rank.floor() as u64), at(rank.ceil() as u64));
    (below as f64 + (above - below) as f64 * rank.fract()) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn times(milliseconds: &[u64]) -> Times {
        Times(milliseconds.iter().map(|time| (*time, 1)).collect())
    }

    #[test]
    fn the_mean_is_a_mean_unless_a_percentile_trims_it() {
        let reduced = times(&[4, 1, 2, 93]).reduce(100.0);
        assert_eq!((reduced.minimum, reduced.maximum, reduced.count, reduced.total), (1, 93, 4, 100));
        assert_eq!(reduced.mean, 25.0);
        assert_eq!(times(&[4, 1, 2, 93]).reduce(0.0).mean, 1.0);
        // The median is 3: only 1 and 2 are not above it.
        assert_eq!(times(&[4, 1, 2, 93]).reduce(50.0).mean, 1.5);
        assert_eq!(Times::default().reduce(100.0), Reduced::default());
    }

    #[test]
    fn few_times_are_written_one_by_one() {
        assert_eq!(Times(vec![(7, 2), (9, 1)]).elements(), [b"7".to_vec(), b"7".to_vec(), b"9".to_vec()]);
        assert_eq!(Times(vec![(7, 900), (9, 1)]).elements(), [b"7*900".to_vec(), b"9*1".to_vec()]);
        let elements = [b"7".to_vec(), b"x".to_vec(), b"9*3".to_vec(), b"-1".to_vec(), vec![0xff]];
        assert_eq!(Times::parse(&elements), Times(vec![(7, 1), (9, 3)]));
    }

    proptest! {
        #[test]
        fn figures_are_those_of_the_single_times(
            list in prop::collection::vec((0_u64..100_000, 1_u64..40), 1..20),
        ) {
            let written = Times(list.clone()).elements();
            let reduced = Times::parse(&written).reduce(100.0);
            let single: Vec<u64> = list.iter().flat_map(|(time, count)| vec![*time; *count as usize]).collect();
            let total: u64 = single.iter().sum();
            prop_assert_eq!(reduced.count, single.len() as u64);
            prop_assert_eq!(reduced.total, total);
            prop_assert_eq!(Some(reduced.minimum), single.iter().min().copied());
            prop_assert_eq!(Some(reduced.maximum), single.iter().max().copied());
            prop_assert!((reduced.mean - total as f64 / single.len() as f64).abs() < 1e-6);
        }

        #[test]
        fn any_elements_and_percentiles_are_taken(elements: Vec<Vec<u8>>, counts: Vec<(u64, u64)>, percentile: f64) {
            Times::parse(&elements).reduce(percentile);
            Times(counts).reduce(percentile);
        }
    }
}
