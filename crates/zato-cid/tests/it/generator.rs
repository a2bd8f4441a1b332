//! The order of generated ids, on one thread and on many.

use std::collections::HashSet;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use zato_cid::{Cid, Form, Generator, SystemGenerator};

const FORMS: [Form; 3] = [Form::Decimal96, Form::Decimal128, Form::Base32];

/// 2023-11-14T22:13:20Z.
const NOW: u64 = 1_700_000_000_000;

/// The millisecond count at the front of an id.
fn milliseconds(cid: Cid) -> u64 {
    let digits = &cid.as_str()[1..];
    match cid.form() {
        Form::Decimal96 => (digits.parse::<u128>().unwrap() >> 48) as u64,
        Form::Decimal128 => (digits.parse::<u128>().unwrap() >> 80) as u64,
        // Ten characters after the padding hold the 48 bits of time, as in every ULID.
        form => {
            assert_eq!(form, Form::Base32);
            digits[1..11].bytes().fold(0, |sum, byte| {
                sum * 32
                    + b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".iter().position(|&digit| digit == byte).unwrap()
                        as u64
            })
        }
    }
}

#[track_caller]
fn check(form: Form, unix_milliseconds: u64, entropy: u128, expected: &str) {
    assert_eq!(Generator::new(form).next(unix_milliseconds, entropy).as_str(), expected);
}

#[test]
fn time_comes_first_and_entropy_after() {
    check(Form::Decimal96, 1, 0, "K00000000000000281474976710656");
    check(Form::Decimal96, 1, u128::MAX, "K00000000000000562949953421311");
    check(Form::Decimal128, 1, 0, "K000000000000001208925819614629174706176");
    check(Form::Decimal128, 1, u128::MAX, "K000000000000002417851639229258349412351");
    check(Form::Base32, 1, 0, "K000000000010000000000000000");
    check(Form::Base32, 1, u128::MAX, "K00000000001ZZZZZZZZZZZZZZZZ");
}

#[test]
fn the_time_is_that_of_the_call() {
    for form in FORMS {
        assert_eq!(milliseconds(Generator::new(form).next(NOW, 5)), NOW);
    }
}

#[test]
fn ids_of_one_millisecond_stay_in_it() {
    for form in FORMS {
        let generator = Generator::new(form);
        let ids: Vec<Cid> = (0..1_000).map(|n| generator.next(NOW, n)).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert!(ids.iter().all(|&id| milliseconds(id) == NOW));
    }
}

#[test]
fn an_overflow_of_the_count_moves_on_to_the_next_millisecond() {
    for form in FORMS {
        let generator = Generator::new(form);
        let last = generator.next(NOW, u128::MAX);
        let overflowed = generator.next(NOW, u128::MAX);
        assert!(overflowed > last);
        assert_eq!(milliseconds(overflowed), NOW + 1);
        assert!(generator.next(NOW + 1, 0) > overflowed, "the clock catches up with the overflow");
    }
}

#[test]
fn a_clock_that_goes_back_does_not_take_the_ids_along() {
    for form in FORMS {
        let generator = Generator::new(form);
        let before = generator.next(NOW, 0);
        let after = generator.next(NOW - 3_600_000, 0);
        assert!(after > before);
        assert_eq!(milliseconds(after), NOW);
    }
}

#[test]
fn times_past_the_last_one_still_give_ascending_ids() {
    for form in FORMS {
        let generator = Generator::new(form);
        let ids: Vec<Cid> = (0..200_000).map(|_| generator.next(u64::MAX, u128::MAX)).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
    }
}

#[test]
fn threads_never_get_the_same_id() {
    const THREADS: usize = 8;
    const EACH: usize = 20_000;
    for form in FORMS {
        let generator = Generator::new(form);
        let ids: Vec<Vec<Cid>> = thread::scope(|scope| {
            // All threads pass the same time and the same entropy: the worst case.
            let make = || (0..EACH).map(|_| generator.next(NOW, 0)).collect();
            let threads = [(); THREADS].map(|()| scope.spawn(make));
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|of_a_thread| of_a_thread.is_sorted_by(|a, b| a < b)));
        let distinct: HashSet<Cid> = ids.into_iter().flatten().collect();
        assert_eq!(distinct.len(), THREADS * EACH);
    }
}

#[test]
fn the_system_generator_uses_the_clock() {
    let unix_milliseconds = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    for form in FORMS {
        let generator = SystemGenerator::new(form);
        assert_eq!(generator.form(), form);
        let before = unix_milliseconds();
        let cid = generator.generate();
        assert!((before..=unix_milliseconds()).contains(&milliseconds(cid)));
        assert!(generator.generate() > cid);
    }
}

#[test]
fn two_system_generators_differ_in_their_random_part() {
    let (one, other) = (SystemGenerator::new(Form::Base32), SystemGenerator::new(Form::Base32));
    let random = |cid: Cid| cid.as_str()[15..].to_owned();
    let of_one: HashSet<String> = (0..1_000).map(|_| random(one.generate())).collect();
    assert!((0..1_000).all(|_| !of_one.contains(&random(other.generate()))));
}

proptest! {
    #[test]
    fn ids_ascend_whatever_clock_and_entropy_do(
        form in prop::sample::select(FORMS.as_slice()),
        calls in prop::collection::vec((any::<u64>(), any::<u128>()), 2..100),
    ) {
        let generator = Generator::new(form);
        let ids: Vec<Cid> = calls.into_iter().map(|(time, entropy)| generator.next(time, entropy)).collect();
        prop_assert!(ids.is_sorted_by(|a, b| a < b));
        prop_assert!(ids.is_sorted_by(|a, b| a.as_str() < b.as_str()));
    }

    #[test]
    fn generators_sort_by_time(
        form in prop::sample::select(FORMS.as_slice()),
        (early, late) in (0..1_u64 << 47, 0..1_u64 << 47).prop_filter("distinct", |(a, b)| a < b),
        (one, other) in any::<(u128, u128)>(),
    ) {
        prop_assert!(Generator::new(form).next(early, one) < Generator::new(form).next(late, other));
    }
}
