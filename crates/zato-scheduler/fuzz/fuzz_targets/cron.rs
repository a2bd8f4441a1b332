//! Any text is refused, or is an expression whose times are to come.
#![no_main]

use libfuzzer_sys::fuzz_target;
use time::OffsetDateTime;
use zato_scheduler::Cron;

fuzz_target!(|input: (&str, u32)| {
    let (text, seconds) = input;
    let Ok(cron) = Cron::parse(text) else { return };
    assert_eq!(Cron::parse(cron.as_str()).as_ref(), Ok(&cron));
    let from = OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(seconds.into());
    if let Some(next) = cron.next_from(from) {
        assert!(next >= from && next.nanosecond() == 0, "{next}");
        assert_eq!(cron.next_from(next), Some(next));
    }
});
