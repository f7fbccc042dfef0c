//! What handles and the server say to each other: a length in four bytes, then
//! a request or a reply as postcard encodes it. Keys and values are bytes to
//! the server.

use serde::{Deserialize, Serialize};

/// Bytes before a request or a reply.
pub(super) const HEADER: usize = 4;

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request<'a> {
    NewDict,
    NewList,
    Dict(u64, #[serde(borrow)] DictRequest<'a>),
    List(u64, #[serde(borrow)] ListRequest<'a>),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum DictRequest<'a> {
    Get(&'a [u8]),
    Contains(&'a [u8]),
    Insert(&'a [u8], &'a [u8]),
    Remove(&'a [u8]),
    /// Puts a value in if the old one is still what the asker believes it to
    /// be.
    Swap {
        key: &'a [u8],
        old: Option<&'a [u8]>,
        new: &'a [u8],
    },
    Len,
    Clear,
    Entries,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ListRequest<'a> {
    Get(u64),
    Set(u64, &'a [u8]),
    Swap { index: u64, old: &'a [u8], new: &'a [u8] },
    Push(&'a [u8]),
    Pop,
    Insert(u64, &'a [u8]),
    Remove(u64),
    Len,
    Clear,
    Items,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply<'a> {
    Done,
    Made(u64),
    Is(bool),
    Count(u64),
    #[serde(borrow)]
    Value(Option<&'a [u8]>),
    /// The swap was not made: this is the value now.
    Changed(Option<&'a [u8]>),
    #[serde(borrow)]
    Items(Vec<&'a [u8]>),
    #[serde(borrow)]
    Entries(Vec<(&'a [u8], &'a [u8])>),
    Refused(Refusal),
}

/// Why a request was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Refusal {
    NoSuchObject,
    OutOfRange { len: u64 },
    Malformed,
    TooLarge,
}
