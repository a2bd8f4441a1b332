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

fn missed(is_missed: bool) -> &'static str {
    if is_missed { ", MISSED" } else { "" }
}

/// The middle one of some measurements.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
