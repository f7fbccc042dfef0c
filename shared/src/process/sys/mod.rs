//! What speaks to the system; the only place with `unsafe`.
#![expect(unsafe_code, reason = "here it is confined")]

pub(crate) mod fork;
pub(crate) mod futex;
pub(crate) mod mapping;
pub(crate) mod memfd;
pub(crate) mod mutex;
pub(crate) mod pid;
pub(crate) mod pidfd;
pub(crate) mod plain;
pub(crate) mod poll;
pub(crate) mod shareable;
pub(crate) mod signal;
pub(crate) mod socket;
