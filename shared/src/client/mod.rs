//! Asking a web site, with an end to every wait.
//!
//! A server may be silent, slow, or send more than anybody wants. A [`Client`]
//! has limits for all of that, and a [`Failure`] says in a few words what was
//! wrong, for a table or an error. `AsyncClient` (a feature of its own,
//! `async-client`) is the same for coroutines. [`service`] and [`Discreet`]
//! take an address as an option of a program.

mod address;
#[cfg(feature = "async-client")]
mod async_client;
#[expect(
    clippy::module_inception,
    reason = "one noun a file, and this one has the module's name"
)]
mod client;
mod failure;

pub use address::{Discreet, check_address, nothing, service};
#[cfg(feature = "async-client")]
pub use async_client::AsyncClient;
pub use client::{Client, Limits, Reply};
pub use failure::Failure;
