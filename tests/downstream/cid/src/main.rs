//! A program that uses `zato-cid` alone.

use zato_cid::{Cid, Form, SystemGenerator};

fn main() -> Result<(), zato_cid::ParseCidError> {
    let cid = SystemGenerator::new(Form::default()).generate();
    let parsed: Cid = cid.as_str().parse()?;
    assert_eq!(parsed, cid);
    println!("{cid}");
    Ok(())
}
