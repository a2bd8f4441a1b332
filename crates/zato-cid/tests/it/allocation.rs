//! No id costs a heap allocation: not its making, its text, its copy or its parsing.

use std::hint::black_box;

use allocation_counter::measure;
use zato_cid::{Cid, Form, SystemGenerator};

#[track_caller]
fn check(form: Form) {
    let generator = SystemGenerator::new(form);
    let information = measure(|| {
        for _ in 0..1_000 {
            let cid = black_box(generator.generate());
            let parsed: Cid = black_box(cid.as_str()).parse().unwrap();
            assert_eq!(black_box(parsed), cid);
        }
    });
    assert_eq!(information.count_total, 0, "{form:?}");
}

#[test]
fn making_and_parsing_an_id_allocates_nothing() {
    check(Form::Decimal96);
    check(Form::Decimal128);
    check(Form::Base32);
}

#[test]
fn the_counter_sees_an_allocation() {
    let generator = SystemGenerator::new(Form::default());
    assert_eq!(measure(|| drop(black_box(generator.generate().to_string()))).count_total, 1);
}
