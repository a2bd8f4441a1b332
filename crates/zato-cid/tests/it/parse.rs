//! What parses, and the exact error for what doesn't.

use proptest::prelude::*;
use zato_cid::{Cid, Expected, Form, ParseCidError};

#[track_caller]
fn accepts(text: &str, form: Form) {
    let cid: Cid = text.parse().unwrap();
    assert_eq!((cid.as_str(), cid.form()), (text, form));
}

#[track_caller]
fn refuses(text: &str, error: ParseCidError, message: &str) {
    assert_eq!(error.to_string(), message);
    assert_eq!(text.parse::<Cid>(), Err(error));
}

#[test]
fn samples_of_the_public_documents_parse() {
    accepts("K294883017331181958264688131768546402685", Form::Decimal128);
    for text in [
        "K21353002988419985838198535608",
        "K37683756065213515208747449888",
        "K68938864847262437323255781583",
        "K28185890067723564136752725554",
        "K68438211212681798524426103126",
        "K47568862487942557263894250839",
    ] {
        accepts(text, Form::Decimal96);
    }
}

#[test]
fn base32_ids_parse_with_and_without_the_top_bit() {
    accepts("K07ZZZZZZZZZZZZZZZZZZZZZZZZZ", Form::Base32);
    accepts("K04Y6RRFB2W01MTQCNKPAS9X3GHD", Form::Base32);
    accepts("K001HF7YAT00000000000000001A", Form::Base32);
}

#[test]
fn a_length_of_no_form_is_refused() {
    for (text, found) in [("", 0), ("K", 1), ("K2135300298841998583819853560", 29), ("é", 1)] {
        let message = format!("expected 28, 30 or 40 characters, found {found}");
        refuses(text, ParseCidError::Length { found }, &message);
    }
    refuses(
        &"K".repeat(41),
        ParseCidError::Length { found: 41 },
        "expected 28, 30 or 40 characters, found 41",
    );
}

#[test]
fn a_wrong_character_is_named_with_its_position() {
    let character = |expected, position, found| ParseCidError::Character { expected, position, found };
    refuses(
        "k21353002988419985838198535608",
        character(Expected::Prefix, 0, 'k'),
        "expected the letter 'K' at position 0, found 'k'",
    );
    refuses(
        "K2135300298841998583819853560 ",
        character(Expected::DecimalDigit, 29, ' '),
        "expected a digit at position 29, found ' '",
    );
    refuses(
        "K29488301733118195826468813176854640268X",
        character(Expected::DecimalDigit, 39, 'X'),
        "expected a digit at position 39, found 'X'",
    );
    refuses(
        "K04Y6RRFB2W01MTQCNKPAS9X3GHU",
        character(Expected::Base32Digit, 27, 'U'),
        "expected a Crockford base 32 digit at position 27, found 'U'",
    );
    refuses(
        "K04y6RRFB2W01MTQCNKPAS9X3GHD",
        character(Expected::Base32Digit, 3, 'y'),
        "expected a Crockford base 32 digit at position 3, found 'y'",
    );
    // Two bytes each: thirty bytes, but a character that no form has. The last one is outside of Latin-1.
    refuses(
        "Ké135300298841998583819853560",
        character(Expected::DecimalDigit, 1, 'é'),
        "expected a digit at position 1, found 'é'",
    );
    refuses(
        "Kż135300298841998583819853560",
        character(Expected::DecimalDigit, 1, 'ż'),
        "expected a digit at position 1, found 'ż'",
    );
}

#[test]
fn a_number_with_too_many_bits_is_refused() {
    let too_large =
        |form: &'static str, position, found| ParseCidError::TooLarge { largest: form, position, found };
    let (decimal96, decimal128, base32) = (
        "K79228162514264337593543950335",
        "K340282366920938463463374607431768211455",
        "K07ZZZZZZZZZZZZZZZZZZZZZZZZZ",
    );
    refuses(
        "K79228162514264337593543950336",
        too_large(decimal96, 29, '6'),
        "expected at most K79228162514264337593543950335, found '6' at position 29",
    );
    refuses(
        "K80000000000000000000000000000",
        too_large(decimal96, 1, '8'),
        "expected at most K79228162514264337593543950335, found '8' at position 1",
    );
    refuses(
        "K340282366920938463463374607431768211456",
        too_large(decimal128, 39, '6'),
        "expected at most K340282366920938463463374607431768211455, found '6' at position 39",
    );
    refuses(
        "K080000000000000000000000000",
        too_large(base32, 2, '8'),
        "expected at most K07ZZZZZZZZZZZZZZZZZZZZZZZZZ, found '8' at position 2",
    );
    refuses(
        "K100000000000000000000000000",
        too_large(base32, 1, '1'),
        "expected at most K07ZZZZZZZZZZZZZZZZZZZZZZZZZ, found '1' at position 1",
    );
}

proptest! {
    #[test]
    fn any_text_parses_to_itself_or_to_an_error(text in "[K0-9A-Zé]{0,45}|K[0-9]{29}|K[0-9]{39}|K[0-9A-HJKMNP-TV-Z]{27}") {
        if let Ok(cid) = text.parse::<Cid>() {
            prop_assert_eq!(cid.as_str(), text.as_str());
        }
    }

    #[test]
    fn every_96_bit_number_is_a_decimal96_id(number in 0..1_u128 << 96) {
        let text = format!("K{number:029}");
        prop_assert_eq!(text.parse::<Cid>().unwrap().form(), Form::Decimal96);
    }

    #[test]
    fn every_128_bit_number_is_a_decimal128_id(number: u128) {
        let text = format!("K{number:039}");
        prop_assert_eq!(text.parse::<Cid>().unwrap().form(), Form::Decimal128);
    }
}
