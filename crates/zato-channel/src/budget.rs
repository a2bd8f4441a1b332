//! How much memory the bodies of all calls may take up together.
//!
//! Owns the account. It must not know what is kept in the memory, nor what a caller is answered for whom there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// An amount of bytes that all calls share. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Account>);

#[derive(Debug)]
struct Account {
    left: AtomicUsize,
}

/// There is not enough left.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Account { left: AtomicUsize::new(bytes) }))
    }

    /// A part of the budget, empty at first.
    pub(crate) fn share(&self) -> Share<'_> {
        Share { account: &self.0, bytes: 0 }
    }
}

/// What one call takes up. It is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Share<'a> {
    account: &'a Account,
    bytes: usize,
}

impl Share<'_> {
    /// Makes the share as large as `bytes`, if it is smaller.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let Some(more) = bytes.checked_sub(self.bytes) else { return Ok(()) };
        let taken = self.account.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(more));
        taken.map_err(|_| Exhausted)?;
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

    #[test]
    fn shares_add_up_and_are_given_back() {
        let budget = Budget::new(10);
        let (mut first, mut second) = (budget.share(), budget.share());
        assert_eq!(first.grow_to(6), Ok(()));
        assert_eq!(first.grow_to(3), Ok(()));
        assert_eq!(second.grow_to(5), Err(Exhausted));
        assert_eq!(second.grow_to(4), Ok(()));
        assert_eq!(first.grow_to(7), Err(Exhausted));
        drop(second);
        assert_eq!(first.grow_to(10), Ok(()));
        drop(first);
        assert_eq!(budget.share().grow_to(10), Ok(()));
    }
}
