//! Lists that are read while they are sent.
//!
//! Owns how a list is read batch by batch, so that a long one never is in memory as a whole. It must not know where the
//! items come from, nor how they are sent.

use std::fmt;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;
use zato_sio::EncodeError;

use crate::{Batches, Error, Output};

/// A list of which one batch at a time is in memory.
///
/// A service that may reply with thousands of items answers with this instead of a `Vec`. Its channel sends the first
/// batch, then reads each further one when the caller has taken the one before it. Over HTTP/1.0, and for a service that
/// is invoked by another one, the list is read to its end first.
///
/// The call of the service, with its hooks and its processing time, ends with the first batch; samples of the call have
/// no more than that one. An error in a later batch can't become a reply, because one has begun already: it is logged,
/// and the connection is cut, so that no caller takes the part for the whole.
pub struct Items<I> {
    at_hand: Vec<I>,
    /// None if there is nothing left to read.
    rest: Option<Box<dyn Rest<I>>>,
}

impl<I: Send + 'static> Items<I> {
    /// Reads the first items of a list. `batch` reads those at a place of it and says where the next ones are; there are
    /// none if it says nothing. It is called again when a caller has taken what was read before.
    ///
    /// A place should be a property of the last item, such as its id: counted ones shift when an item is deleted. The
    /// crate's page shows a list that is read from a database.
    ///
    /// # Errors
    /// Those of `batch` for the first items.
    pub async fn read<P, F, B>(start: P, batch: F) -> Result<Self, Error>
    where
        P: Send + 'static,
        F: FnMut(P) -> B + Send + 'static,
        B: Future<Output = Result<(Vec<I>, Option<P>), Error>> + Send,
    {
        let mut reader = Reader { place: Some(start), batch };
        let at_hand = reader.read().await?;
        let rest = reader.place.is_some().then(|| Box::new(reader) as Box<dyn Rest<I>>);
        Ok(Self { at_hand, rest })
    }
}

/// A list that is whole.
impl<I> From<Vec<I>> for Items<I> {
    fn from(items: Vec<I>) -> Self {
        Self { at_hand: items, rest: None }
    }
}

impl<I> fmt::Debug for Items<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("at_hand", &self.at_hand.len())
            .field("is_whole", &self.rest.is_none())
            .finish()
    }
}

impl<I: Serialize + Send + 'static> Output for Items<I> {
    fn write_json(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        zato_sio::to_json(&self.at_hand, out)
    }

    fn write_xml(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        zato_sio::to_xml(&self.at_hand, out)
    }

    fn to_value(&self) -> Result<Value, Error> {
        Ok(serde_json::to_value(&self.at_hand)?)
    }

    fn batches(&mut self) -> Option<&mut dyn Batches> {
        self.rest.is_some().then_some(self)
    }
}

impl<I: Serialize + Send + 'static> Batches for Items<I> {
    fn next(&mut self) -> BoxFuture<'_, Result<bool, Error>> {
        Box::pin(async {
            // Dropped before the next ones are there, so that there never are two batches.
            self.at_hand = Vec::new();
            if let Some(rest) = &mut self.rest {
                self.at_hand = rest.read().await?;
                if rest.has_ended() {
                    self.rest = None;
                }
            }
            Ok(!self.at_hand.is_empty())
        })
    }

    fn complete(&mut self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async {
            while let Some(rest) = &mut self.rest {
                self.at_hand.append(&mut rest.read().await?);
                if rest.has_ended() {
                    self.rest = None;
                }
            }
            Ok(())
        })
    }

    fn write_json_items(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        for (position, item) in self.at_hand.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            zato_sio::to_json(item, out)?;
        }
        Ok(())
    }

    fn write_xml_items(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.at_hand.iter().try_for_each(|item| zato_sio::to_xml(item, out))
    }
}

/// What is left of a list, whatever places are in it.
trait Rest<I>: Send {
    /// The next items; none at all if the list has ended, or failed.
    fn read(&mut self) -> BoxFuture<'_, Result<Vec<I>, Error>>;

    /// Whether there is nothing left to read.
    fn has_ended(&self) -> bool;
}

struct Reader<P, F> {
    /// Where the next items are.
    place: Option<P>,
    batch: F,
}

impl<I, P, F, B> Rest<I> for Reader<P, F>
where
    I: Send,
    P: Send,
    F: FnMut(P) -> B + Send,
    B: Future<Output = Result<(Vec<I>, Option<P>), Error>> + Send,
{
    fn read(&mut self) -> BoxFuture<'_, Result<Vec<I>, Error>> {
        Box::pin(async {
            // A batch may be empty although others follow, when what was read for it is filtered.
            while let Some(place) = self.place.take() {
                let (items, next) = (self.batch)(place).await?;
                self.place = next;
                if !items.is_empty() {
                    return Ok(items);
                }
            }
            Ok(Vec::new())
        })
    }

    fn has_ended(&self) -> bool {
        self.place.is_none()
    }
}
