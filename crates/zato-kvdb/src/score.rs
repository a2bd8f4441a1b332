//! Scores of sorted sets.
//!
//! Owns their order and their text. It must not know members.

/// A score; never NaN. Both zeros are one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Score(pub(crate) f64);

impl Score {
    /// The number that orders as the score does.
    pub(crate) fn to_ordered(self) -> u64 {
        let bits = (self.0 + 0.0).to_bits();
        if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
    }

    /// The score of such a number.
    pub(crate) fn from_ordered(ordered: u64) -> Self {
        Self(f64::from_bits(if ordered >> 63 == 1 { ordered & !(1 << 63) } else { !ordered }))
    }

    /// The text of a score: as short as it can be without becoming another number.
    pub(crate) fn to_text(self) -> Vec<u8> {
        let (score, size) = (self.0, self.0.abs());
        let text = if score.is_infinite() || score == 0.0 || (1e-5..1e17).contains(&size) {
            (score + 0.0).to_string()
        } else {
            let text = format!("{score:e}");
            if text.contains("e-") { text } else { text.replace('e', "e+") }
        };
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(score: f64, text: &str) {
        assert_eq!(String::from_utf8(Score(score).to_text()).unwrap(), text);
    }

    #[test]
    fn texts_are_short() {
        check(3.0, "3");
        check(-0.0, "0");
        check(0.1, "0.1");
        check(-1.5, "-1.5");
        check(1e16, "10000000000000000");
        check(1e100, "1e+100");
        check(-2.5e-9, "-2.5e-9");
        check(f64::INFINITY, "inf");
        check(f64::NEG_INFINITY, "-inf");
    }

    proptest! {
        #[test]
        fn order_and_text_are_kept(one in any::<f64>(), other in any::<f64>()) {
            prop_assume!(!one.is_nan() && !other.is_nan());
            let ordered = Score(one).to_ordered().cmp(&Score(other).to_ordered());
            prop_assert_eq!(Some(ordered), one.partial_cmp(&other));
            prop_assert_eq!(Score::from_ordered(Score(one).to_ordered()).0, one);
            let text = String::from_utf8(Score(one).to_text()).unwrap();
            prop_assert_eq!(text.parse::<f64>().unwrap(), one);
        }
    }
}
