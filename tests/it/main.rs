//! Black-box tests: the real `zato-server` binary, spoken to over HTTP as its users do.

#[cfg(test)]
mod api;
#[cfg(test)]
mod at_rest;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod channels;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod compression;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod cut_lists;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod durability;
#[cfg(test)]
mod example;
#[cfg(test)]
mod inactive;
#[cfg(test)]
mod kvdb;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod messaging;
#[cfg(test)]
mod outgoing;
#[cfg(test)]
mod outgoing_ftp;
#[cfg(test)]
mod outgoing_sql;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod routing;
#[cfg(test)]
mod scheduler;
#[cfg(test)]
mod security;
#[cfg(test)]
mod services;
#[cfg(test)]
mod start;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod traffic;
