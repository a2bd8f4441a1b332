//! Correlation ids beside version 4 UUIDs, both generated and made readable as text.

use std::hint::black_box;
use std::time::Instant;

use zato_cid::{Form, SystemGenerator};

use crate::Error;
use crate::table::{Target, median};

const COUNT: u32 = 1_000_000;

pub(crate) fn run() -> Result<(), Error> {
    let generator = SystemGenerator::new(Form::default());
    let mut cids = Vec::new();
    let mut uuids = Vec::new();
    for _ in 0..7 {
        cids.push(nanoseconds(|| {
            black_box(generator.generate().as_str());
        }));
        uuids.push(nanoseconds(|| {
            let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
            black_box(uuid::Uuid::new_v4().hyphenated().encode_lower(&mut text));
        }));
    }
    let (cid, uuid) = (median(&mut cids), median(&mut uuids));
    println!("correlation id {cid:.0} ns, uuid v4 as text {uuid:.0} ns");
    println!("  ratio {}\n", Target::AtMost(1.0).show(cid / uuid));
    Ok(())
}

fn nanoseconds(mut work: impl FnMut()) -> f64 {
    let begun = Instant::now();
    for _ in 0..COUNT {
        work();
    }
    begun.elapsed().as_nanos() as f64 / f64::from(COUNT)
}
