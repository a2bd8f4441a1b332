//! How figures are printed.

/// A figure that has a target: at least, or at most.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
    None,
}

impl Target {
    /// `0.91  (target: at least 0.85)`, with a mark when it is missed.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::AtLeast(limit) => {
                format!("{value:>6.2}  (target: at least {limit:.2}{})", missed(value < limit))
            }
            Self::AtMost(limit) => {
                format!("{value:>6.2}  (target: at most {limit:.2}{})", missed(value > limit))
            }
            Self::None => format!("{value:>6.2}"),
        }
    }
}

/// The middle one of some ratios, and between which two the middle half of them lies.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    median: f64,
    low: f64,
    high: f64,
}

impl Spread {
    pub(crate) fn of(mut ratios: Vec<f64>) -> Self {
        let median = median(&mut ratios);
        let at = |quarter: usize| ratios.get(ratios.len() * quarter / 4).copied().unwrap_or(f64::NAN);
        Self { median, low: at(1), high: at(3) }
    }

    /// `0.91  (0.89 to 0.93; target: at least 0.85)`; the mark when it is missed is about the median.
    pub(crate) fn show(self, target: Target) -> String {
        let Self { median, low, high } = self;
        let target = match target {
            Target::AtLeast(limit) => format!("; target: at least {limit:.2}{}", missed(median < limit)),
            Target::AtMost(limit) => format!("; target: at most {limit:.2}{}", missed(median > limit)),
            Target::None => String::new(),
        };
        format!("{median:>6.2}  ({low:.2} to {high:.2}{target})")
    }
}

fn missed(is_missed: bool) -> &'static str {
    if is_missed { ", MISSED" } else { "" }
}

/// The middle one of some measurements.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
