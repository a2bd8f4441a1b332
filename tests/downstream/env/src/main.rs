//! A program that uses `zato-env` alone: it writes a reply and reads it back.

use std::error::Error;

use zato_env::{JsonFrame, Outcome, ZatoEnv, read_json};

fn main() -> Result<(), Box<dyn Error>> {
    let frame = JsonFrame::new(Some("zato_get_foo_response"));
    let mut out = Vec::new();
    frame.write(&mut out, &ZatoEnv::ok("K68938864847262437323255781583"), |out| {
        out.extend_from_slice(br#"{"id":1}"#);
        Ok::<(), std::convert::Infallible>(())
    })?;
    let reply = read_json(&out)?;
    let env = reply.env().ok_or("no zato_env")?;
    assert_eq!(env.result, Outcome::Ok);
    println!("{}", env.cid);
    Ok(())
}
