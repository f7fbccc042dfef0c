//! A list that a manager keeps.

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::client::{Address, decode, encode, unexpected};
use super::error::ManagerError;
use super::protocol::{ListRequest, Reply, Request};

/// A list that a [`Manager`](super::Manager) keeps: a handle to it, for as many
/// processes as like.
///
/// Every call is one request to the manager and fails with [`ManagerError`]
/// when that has ended or does not answer. What one call does is done at once;
/// between two calls others may change the list: to change an item depending on
/// what it was, say [`update`](Self::update).
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct List<T> {
    address: Address,
    id: u64,
    types: PhantomData<fn(T) -> T>,
}

impl<T: Serialize + DeserializeOwned> List<T> {
    pub(super) fn new(address: Address, id: u64) -> Self {
        Self { address, id, types: PhantomData }
    }

    /// The item at a place, from 0; `None` behind the end.
    ///
    /// # Errors
    /// [`ManagerError`].
    pub fn get(&self, index: usize) -> Result<Option<T>, ManagerError> {
        self.value(ListRequest::Get(index as u64))
    }

    /// Replaces the item at a place; returns the one that was there.
    ///
    /// # Errors
    /// [`ManagerError`]; [`OutOfRange`](ManagerError::OutOfRange) behind the
    /// end.
    pub fn set(&self, index: usize, item: &T) -> Result<T, ManagerError> {
        self.value(ListRequest::Set(index as u64, &encode(item)?))?
            .ok_or(ManagerError::Answer)
    }

    /// Puts an item at the end.
    ///
    /// # Errors
    /// [`ManagerError`].
    pub fn push(&self, item: &T) -> Result<(), ManagerError> {
        self.done(ListRequest::Push(&encode(item)?))
    }

    /// Takes the last item; `None` if there is none.
    ///
    /// # Errors
    /// [`ManagerError`].
    pub fn pop(&self) -> Result<Option<T>, ManagerError> {
        self.value(ListRequest::Pop)
    }

    /// Puts an item at a place; those from there on move one up.
    ///
    /// # Errors
    /// [`ManagerError`]; [`OutOfRange`](ManagerError::OutOfRange) behind the
    /// end.
    pub fn insert(&self, index: usize, item: &T) -> Result<(), ManagerError> {
        self.done(ListRequest::Insert(index as u64, &encode(item)?))
    }

    /// Takes the item at a place; those behind it move one down.
    ///
    /// # Errors
    /// [`ManagerError`]; [`OutOfRange`](ManagerError::OutOfRange) behind the
    /// end.
    pub fn remove(&self, index: usize) -> Result<T, ManagerError> {
        self.value(ListRequest::Remove(index as u64))?
            .ok_or(ManagerError::Answer)
    }

    /// Changes an item depending on what it was, and returns the new one. No
    /// change of another process gets lost: if there was one meanwhile,
    /// `change` is called again with the item that it left.
    ///
    /// # Errors
    /// [`ManagerError`]; [`OutOfRange`](ManagerError::OutOfRange) behind the
    /// end.
    pub fn update(
        &self,
        index: usize,
        mut change: impl FnMut(T) -> T,
    ) -> Result<T, ManagerError> {
        let keep = |value: Option<&[u8]>| value.map(<[u8]>::to_vec);
        let mut old =
            self.call(ListRequest::Get(index as u64), |reply| match reply {
                Reply::Value(value) => Ok(keep(value)),
                other => unexpected(other),
            })?;
        loop {
            let Some(bytes) = old else {
                return Err(ManagerError::OutOfRange {
                    index,
                    len: self.len()?,
                });
            };
            let item = change(decode(&bytes)?);
            let new = encode(&item)?;
            let swap = ListRequest::Swap {
                index: index as u64,
                old: &bytes,
                new: &new,
            };
            let changed = self.call(swap, |reply| match reply {
                Reply::Done => Ok(None),
                Reply::Changed(now) => Ok(Some(keep(now))),
                other => unexpected(other),
            })?;
            match changed {
                None => return Ok(item),
                Some(now) => old = now,
            }
        }
    }

    /// How many items there are.
    ///
    /// # Errors
    /// [`ManagerError`].
    pub fn len(&self) -> Result<usize, ManagerError> {
        self.call(ListRequest::Len, |reply| match reply {
            Reply::Count(count) => Ok(count as usize),
            other => unexpected(other),
        })
    }

    /// Whether there is no item.
    ///
    /// # Errors
    /// [`ManagerError`].
    pub fn is_empty(&self) -> Result<bool, ManagerError> {
        self.len().map(|len| len == 0)
    }

    /// Takes all out.
    ///
    /// # Errors
    /// [`ManagerError`].
    pub fn clear(&self) -> Result<(), ManagerError> {
        self.done(ListRequest::Clear)
    }

    /// All of it as it is at this moment, in this process's own memory.
    ///
    /// # Errors
    /// [`ManagerError`].
    pub fn to_vec(&self) -> Result<Vec<T>, ManagerError> {
        self.call(ListRequest::Items, |reply| match reply {
            Reply::Items(items) => items.into_iter().map(decode).collect(),
            other => unexpected(other),
        })
    }

    fn value(
        &self,
        request: ListRequest<'_>,
    ) -> Result<Option<T>, ManagerError> {
        self.call(request, |reply| match reply {
            Reply::Value(value) => value.map(decode).transpose(),
            other => unexpected(other),
        })
    }

    fn done(&self, request: ListRequest<'_>) -> Result<(), ManagerError> {
        self.call(request, |reply| match reply {
            Reply::Done => Ok(()),
            other => unexpected(other),
        })
    }

    fn call<R>(
        &self,
        request: ListRequest<'_>,
        read: impl FnOnce(Reply<'_>) -> Result<R, ManagerError>,
    ) -> Result<R, ManagerError> {
        self.address.call(&Request::List(self.id, request), read)
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        Self { address: self.address.clone(), id: self.id, types: PhantomData }
    }
}

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List")
            .field("id", &self.id)
            .field("manager", &self.address.path)
            .finish()
    }
}
