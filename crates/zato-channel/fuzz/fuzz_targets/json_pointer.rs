//! A JSON Pointer hides what RFC 6901 says that it points to, and nothing else.
//!
//! An input is a pointer in the first line, and a document in all others.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use zato_channel::JsonPointer;

const HIDDEN: &str = "***";

fuzz_target!(|data: &str| {
    let Some((text, message)) = data.split_once('\n') else { return };
    let steps = steps(text);
    let Ok(pointer) = text.parse::<JsonPointer>() else {
        assert!(steps.is_none(), "{text} is a pointer");
        return;
    };
    let steps = steps.expect("a pointer");
    let Ok(document) = serde_json::from_str::<Value>(message) else { return };
    let mut hidden = document.clone();
    pointer.hide(&mut hidden, HIDDEN);
    let mut expected = document;
    if let Some(place) = steps.iter().try_fold(&mut expected, |value, step| step_into(value, step)) {
        *place = Value::from(HIDDEN);
    }
    assert_eq!(hidden, expected, "{text}");
});

/// The names and numbers that a pointer is made of, if it is one.
fn steps(text: &str) -> Option<Vec<String>> {
    let mut parts = text.split('/');
    if parts.next() != Some("") {
        return None;
    }
    let unescaped = |part: &str| {
        let mut step = String::new();
        let mut letters = part.chars();
        while let Some(letter) = letters.next() {
            step.push(match letter {
                '~' => match letters.next()? {
                    '0' => '~',
                    '1' => '/',
                    _ => return None,
                },
                other => other,
            });
        }
        Some(step)
    };
    parts.map(unescaped).collect()
}

fn step_into<'a>(value: &'a mut Value, step: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(members) => members.get_mut(step),
        Value::Array(items) => {
            // RFC 6901, section 4: digits without leading zeros.
            let is_number = step.bytes().all(|byte| byte.is_ascii_digit());
            let is_index = is_number && (step == "0" || !step.starts_with('0'));
            items.get_mut(step.parse::<usize>().ok().filter(|_| is_index)?)
        }
        _ => None,
    }
}
