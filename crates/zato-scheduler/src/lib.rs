#![doc = include_str!("../README.md")]

mod cron;
mod job;
mod runner;
mod schedule;
mod scheduler;
mod store;

pub use cron::{Cron, CronError};
pub use job::JobConfig;
pub use runner::Runner;
pub use schedule::{Progress, Schedule};
pub use scheduler::Scheduler;
pub use store::{Claim, Claimed, Store, StoreError};
