//! Outgoing calls to programs which this project did not write, and to sockets which misbehave.

#[cfg(test)]
mod aws;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod http2;
#[cfg(test)]
mod httpbin;
#[cfg(test)]
mod nginx;
#[cfg(test)]
mod oauth;
#[cfg(test)]
mod phases;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod soap;
#[cfg(test)]
mod socks;
#[cfg(test)]
mod support;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod zstd;
