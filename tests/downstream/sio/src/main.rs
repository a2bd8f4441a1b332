//! A program that uses `zato-sio` alone: it decodes leniently and encodes exactly.

use std::collections::BTreeMap;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let decoded: BTreeMap<String, bool> = zato_sio::from_json(br#"{"is_active": "yes", "is_internal": 0}"#)?;
    let mut json = Vec::new();
    zato_sio::to_json(&decoded, &mut json)?;
    assert_eq!(json, br#"{"is_active":true,"is_internal":false}"#);
    println!("{}", String::from_utf8(json)?);
    Ok(())
}
