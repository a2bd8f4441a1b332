//! How much memory the bodies of all calls may take up together, those of requests and those of replies.
//!
//! Owns the account, what is counted, and when there is little left. It must not know what the bodies mean, nor what a caller is answered for whom there is no
//! memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use bytes::Bytes;

/// The largest body, in bytes, that does not count: the number of connections bounds them.
const UNCOUNTED: usize = 16 * 1024;

/// An amount of bytes that all calls share. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Account>);

#[derive(Debug)]
struct Account {
    size: i64,
    /// Below zero if there are more bytes of replies than there was room for.
    left: AtomicI64,
}

/// There is not enough left.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Account { size: signed(bytes), left: AtomicI64::new(signed(bytes)) }))
    }

    /// Whether more than half is taken.
    pub(crate) fn is_short(&self) -> bool {
        self.0.left.load(Relaxed) < self.0.size / 2
    }

    /// Whether nothing may be begun that could need memory, because replies take up more than there is.
    pub(crate) fn is_overdrawn(&self) -> bool {
        self.0.left.load(Relaxed) < 0
    }

    /// Counts a reply until its last byte has been handed to the system or is of no interest to anybody any more. A reply is never
    /// refused, since its service has run: if there was too little left, the account is overdrawn.
    pub(crate) fn hold(&self, reply: Bytes) -> Bytes {
        if reply.len() <= UNCOUNTED {
            return reply;
        }
        let (account, bytes) = (Arc::clone(&self.0), signed(reply.len()));
        account.left.fetch_sub(bytes, Relaxed);
        Bytes::from_owner(Held { reply, _memory: Memory { account, bytes } })
    }

    /// Counts a document in the same way, which nothing is lost by refusing: the last half of the memory is for calls. One that
    /// others hold as well is in memory anyway, and does not count.
    pub(crate) fn hold_unless_short(&self, document: Bytes) -> Result<Bytes, Exhausted> {
        if document.len() <= UNCOUNTED || !document.is_unique() {
            return Ok(document);
        }
        if self.is_short() { Err(Exhausted) } else { Ok(self.hold(document)) }
    }

    /// Takes some for what can be done without, unless memory is short: the last half of it is for calls.
    pub(crate) fn take(&self, bytes: usize) -> Option<Memory> {
        if self.is_short() {
            return None;
        }
        let (account, bytes) = (Arc::clone(&self.0), signed(bytes));
        account.take(bytes).ok()?;
        Some(Memory { account, bytes })
    }

    /// A part of the budget, empty at first.
    pub(crate) fn share(&self) -> Share<'_> {
        Share { account: &self.0, bytes: 0 }
    }
}

fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

impl Account {
    fn take(&self, bytes: i64) -> Result<(), Exhausted> {
        let room = |left: i64| (left >= bytes).then(|| left - bytes);
        self.left.fetch_update(Relaxed, Relaxed, room).map(drop).map_err(|_| Exhausted)
    }
}

/// Memory that counts as taken until this is dropped.
#[derive(Debug)]
pub struct Memory {
    account: Arc<Account>,
    bytes: i64,
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.account.left.fetch_add(self.bytes, Relaxed);
    }
}

/// A reply that counts.
struct Held {
    reply: Bytes,
    _memory: Memory,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.reply
    }
}

/// What the request of one call takes up. It is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Share<'a> {
    account: &'a Account,
    bytes: i64,
}

impl Share<'_> {
    /// Whether a body of `length` could be counted now. It is not counted before it is there: anybody could announce one.
    pub(crate) fn has_room(&self, length: usize) -> bool {
        length <= UNCOUNTED || signed(length) - self.bytes <= self.account.left.load(Relaxed)
    }

    /// Makes the share as large as a body of `length`, if it is smaller and the body counts.
    pub(crate) fn grow_to(&mut self, length: usize) -> Result<(), Exhausted> {
        let bytes = signed(length);
        let more = bytes - self.bytes;
        if length <= UNCOUNTED || more <= 0 {
            return Ok(());
        }
        self.account.take(more)?;
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.account.left.fetch_add(self.bytes, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many bytes as ten times the largest body that does not count.
    fn tens(count: usize) -> usize {
        count * 10 * UNCOUNTED
    }

    #[test]
    fn shares_add_up_and_are_given_back() {
        let budget = Budget::new(tens(10));
        let (mut first, mut second) = (budget.share(), budget.share());
        assert_eq!(first.grow_to(tens(6)), Ok(()));
        assert_eq!(first.grow_to(tens(3)), Ok(()));
        assert_eq!(second.grow_to(tens(5)), Err(Exhausted));
        assert_eq!(second.grow_to(tens(4)), Ok(()));
        assert_eq!(first.grow_to(tens(7)), Err(Exhausted));
        assert_eq!(budget.share().grow_to(UNCOUNTED), Ok(()));
        drop(second);
        assert_eq!(first.grow_to(tens(10)), Ok(()));
        drop(first);
        assert_eq!(budget.share().grow_to(tens(10)), Ok(()));
    }

    #[test]
    fn replies_count_until_nobody_has_them() {
        let budget = Budget::new(tens(2));
        let short = budget.hold(vec![0; UNCOUNTED].into());
        let first = budget.hold(vec![1; tens(2)].into());
        assert_eq!(first, vec![1; tens(2)]);
        assert!(!budget.is_overdrawn());
        assert_eq!(budget.share().grow_to(tens(1)), Err(Exhausted));
        let second = budget.hold(vec![2; tens(1)].into());
        assert!(budget.is_overdrawn());
        let part = first.slice(tens(1)..);
        drop(first);
        assert!(budget.is_overdrawn(), "a part of the first reply is still there");
        drop(part);
        assert!(!budget.is_overdrawn());
        assert_eq!(budget.share().grow_to(tens(1)), Ok(()));
        drop((short, second));
        assert_eq!(budget.share().grow_to(tens(2)), Ok(()));
    }

    #[test]
    fn memory_is_short_when_less_than_half_is_left() {
        let budget = Budget::new(tens(4));
        let first = budget.take(tens(2)).unwrap();
        assert!(!budget.is_short());
        let second = budget.take(1).unwrap();
        assert!(budget.is_short());
        assert!(budget.take(1).is_none());
        drop(first);
        assert!(!budget.is_short());
        drop((budget.take(tens(3)).unwrap(), second));
        assert_eq!(budget.share().grow_to(tens(4)), Ok(()));
    }
}
