//! A message with an element of every type, shared by the targets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zato_sio::{Csv, Utc};

#[derive(Serialize, Deserialize, Debug, PartialEq)]
pub struct Message {
    pub id: Option<i64>,
    pub port: Option<u16>,
    pub name: Option<String>,
    pub ratio: Option<f64>,
    pub is_active: bool,
    pub created: Option<Utc>,
    pub words: Option<Csv>,
    pub numbers: Option<Vec<i64>>,
    pub rows: Option<Vec<Message>>,
    pub inner: Option<Box<Message>>,
    pub dict: Option<BTreeMap<String, String>>,
    pub dicts: Option<Vec<BTreeMap<String, String>>>,
}
