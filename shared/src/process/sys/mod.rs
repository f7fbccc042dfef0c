//! What speaks to the system; the only place with `unsafe`.
#![expect(unsafe_code, reason = "here it is confined")]

pub(crate) mod fork;
pub(crate) mod memfd;
pub(crate) mod pidfd;
pub(crate) mod poll;
