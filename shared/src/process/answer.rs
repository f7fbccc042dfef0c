//! What a closure gives back, from another process.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::error::Error;
use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a process or a job may return: a value that serde can carry, or a
/// `Result` with one.
///
/// As with the return type of `main` (`std::process::Termination`), an `Err`
/// counts as a failure: its text and that of its causes reach whoever joins the
/// process or gets the job's result. Implement it for a type of your own by
/// returning `Ok(self)`.
///
/// A closure that never returns (`|| loop {}`) needs a type that it would
/// return: `|| -> () { loop {} }`.
pub trait Answer {
    /// What arrives on the other side.
    type Value: Serialize + DeserializeOwned;

    /// The value, or why there is none.
    ///
    /// # Errors
    /// Whatever the closure failed with.
    fn answer(self) -> Result<Self::Value, Box<dyn Error + Send + Sync>>;
}

impl<T, E> Answer for Result<T, E>
where
    T: Serialize + DeserializeOwned,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Value = T;

    fn answer(self) -> Result<T, Box<dyn Error + Send + Sync>> {
        self.map_err(Into::into)
    }
}

macro_rules! values {
    ($($(@[$($parameter:ident),+])? $value:ty $(where [$($bound:tt)+])?;)+) => {$(
        impl $(<$($parameter),+>)? Answer for $value
        where
            Self: Serialize + DeserializeOwned,
            $($($bound)+)?
        {
            type Value = Self;

            fn answer(self) -> Result<Self, Box<dyn Error + Send + Sync>> {
                Ok(self)
            }
        }
    )+};
}

values! {
    (); bool; char; String;
    u8; u16; u32; u64; u128; usize;
    i8; i16; i32; i64; i128; isize;
    f32; f64;
    std::time::Duration; std::path::PathBuf; Box<str>;
    @[T] Option<T>; @[T] Box<T>; @[T] Vec<T>; @[T] VecDeque<T>;
    @[T] BTreeSet<T> where [T: Ord]; @[T] HashSet<T> where [T: Eq + Hash];
    @[K, V] BTreeMap<K, V> where [K: Ord]; @[K, V] HashMap<K, V> where [K: Eq + Hash];
    @[A, B] (A, B);
    @[A, B, C] (A, B, C); @[A, B, C, D] (A, B, C, D);
}

/// The text of an error and of its causes, `outer: inner: innermost`; a cause
/// that the text before ends with already is not said twice.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// The text of a panic.
pub(crate) fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic with a payload that is no text".to_owned()
    }
}
