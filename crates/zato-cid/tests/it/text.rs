//! An id as text: round trips, formatting, ordering, serde.

use proptest::prelude::*;
use zato_cid::{Cid, Form, Generator};

fn cids() -> impl Strategy<Value = Cid> {
    let forms = vec![Form::Decimal96, Form::Decimal128, Form::Base32];
    (prop::sample::select(forms), any::<u64>(), any::<u128>())
        .prop_map(|(form, time, entropy)| Generator::new(form).next(time, entropy))
}

fn sample() -> Cid {
    "K21353002988419985838198535608".parse().unwrap()
}

#[test]
fn display_is_the_text_and_honours_a_width() {
    assert_eq!(sample().to_string(), "K21353002988419985838198535608");
    assert_eq!(format!("[{:>32}]", sample()), "[  K21353002988419985838198535608]");
    assert_eq!(format!("{:?}", sample()), r#"Cid("K21353002988419985838198535608")"#);
    assert_eq!(AsRef::<str>::as_ref(&sample()), "K21353002988419985838198535608");
}

#[test]
fn serde_refuses_what_does_not_parse() {
    let error = serde_json::from_str::<Cid>("\"K1\"").unwrap_err().to_string();
    assert!(error.starts_with("expected 28, 30 or 40 characters, found 2"), "{error}");
    let error = serde_json::from_str::<Cid>("1").unwrap_err().to_string();
    assert!(error.starts_with("invalid type: integer `1`, expected a correlation id"), "{error}");
}

proptest! {
    #[test]
    fn text_round_trips(cid in cids()) {
        prop_assert_eq!(cid.to_string().parse::<Cid>(), Ok(cid));
        prop_assert_eq!(cid.as_str().len(), cid.form().len());
    }

    #[test]
    fn serde_round_trips_as_a_string(cid in cids()) {
        let json = serde_json::to_string(&cid).unwrap();
        prop_assert_eq!(&json, &format!("\"{cid}\""));
        prop_assert_eq!(serde_json::from_str::<Cid>(&json).unwrap(), cid);
    }

    #[test]
    fn ids_compare_as_their_texts_do(one in cids(), other in cids()) {
        prop_assert_eq!(one.cmp(&other), one.as_str().cmp(other.as_str()));
        prop_assert_eq!(one == other, one.as_str() == other.as_str());
    }
}
