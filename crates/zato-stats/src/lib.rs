#![doc = include_str!("../README.md")]

mod aggregate;
mod exchange;
mod range;
mod recorder;
mod report;
mod slot;
mod stats;
mod summary;
mod times;

pub use aggregate::Aggregate;
pub use exchange::{Mask, Sample, SlowCall, sample_frequency};
pub use report::{Ranking, Report, ReportError};
pub use stats::{AllTime, Stats};
pub use summary::Period;

use range::Slice;
