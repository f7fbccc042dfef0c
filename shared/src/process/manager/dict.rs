//! A dict that a manager keeps.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::client::{Address, decode, encode, unexpected};
use super::error::ManagerError;
use super::protocol::{DictRequest, Reply, Request};

/// A dict that a [`Manager`](super::Manager) keeps: a handle to it, for as many
/// processes as like.
///
/// Every call is one request to the manager and fails with [`ManagerError`]
/// when that has ended or does not answer. What one call does is done at once;
/// between two calls others may change the dict: to change a value depending on
/// what it was, say [`update`](Self::update).
///
/// A key is found by its encoded bytes, so its type should have one encoding
/// for equal values (a `HashMap` as a key has not).
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Dict<K, V> {
    address: Address,
    id: u64,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K, V> Dict<K, V>
where
    K: Serialize + DeserializeOwned,
    V: Serialize + DeserializeOwned,
{
    pub(super) fn new(address: Address, id: u64) -> Self {
        Self { address, id, types: PhantomData }
    }

    /// The value of a key.
    ///
    /// # Errors
    /// [`ManagerError`].
    pub fn get<Q: Serialize + ?Sized>(
        &self,
        key: &Q,
    ) -> Result<Option<V>, ManagerError>
    where
        K: Borrow<Q>,
    {
        self.value(DictRequest::Get(&encode(key)?))
    }

    /// Whether there is such a key.
    ///
    /// # Errors
    /// [`ManagerError`].
    pub fn contains_key<Q: Serialize + ?Sized>(
        &self,
        key: &Q,
    ) -> Result<bool, ManagerError>
    where
        K: Borrow<Q>,
    {
        self.call(DictRequest::Contains(&encode(key)?), |reply| match reply {
            Reply::Is(is) => Ok(is),
            other => unexpected(other),
        })
    }

    /// Puts a value in; returns the one that was there.
    ///
    /// # Errors
    /// [`ManagerError`].
    pub fn insert<Q: Serialize + ?Sized>(
        &self,
        key: &Q,
        value: &V,
    ) -> Result<Option<V>, ManagerError>
    where
        K: Borrow<Q>,
    {
        self.value(DictRequest::Insert(&encode(key)?, &encode(value)?))
    }

    /// Takes a value out; returns it.
    ///
    /// # Errors
    /// [`ManagerError`].
    pub fn remove<Q: Serialize + ?Sized>(
        &self,
        key: &Q,
    ) -> Result<Option<V>, ManagerError>
    where
        K: Borrow<Q>,
    {
        self.value(DictRequest::Remove(&encode(key)?))
    }

    /// Changes a value depending on what it was, and returns the new one. No
    /// change of another process gets lost: if there was one meanwhile,
    /// `change` is called again with the value that it left.
    ///
    /// # Errors
    /// [`ManagerError`].
    pub fn update<Q: Serialize + ?Sized>(
        &self,
        key: &Q,
        mut change: impl FnMut(Option<V>) -> V,
    ) -> Result<V, ManagerError>
    where
        K: Borrow<Q>,
    {
        let key = encode(key)?;
        let keep = |value: Option<&[u8]>| value.map(<[u8]>::to_vec);
        let mut old =
            self.call(DictRequest::Get(&key), |reply| match reply {
                Reply::Value(value) => Ok(keep(value)),
                other => unexpected(other),
            })?;
        loop {
            let value = change(old.as_deref().map(decode).transpose()?);
            let new = encode(&value)?;
            let swap =
                DictRequest::Swap { key: &key, old: old.as_deref(), new: &new };
            let changed = self.call(swap, |reply| match reply {
                Reply::Done => Ok(None),
                Reply::Changed(now) => Ok(Some(keep(now))),
                other => unexpected(other),
            })?;
            match changed {
                None => return Ok(value),
                Some(now) => old = now,
            }
        }
    }

    /// How many keys there are.
    ///
    /// # Errors
    /// [`ManagerError`].
    pub fn len(&self) -> Result<usize, ManagerError> {
        self.call(DictRequest::Len, |reply| match reply {
            Reply::Count(count) => Ok(count as usize),
            other => unexpected(other),
        })
    }

    /// Whether there is no key.
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
        self.call(DictRequest::Clear, |reply| match reply {
            Reply::Done => Ok(()),
            other => unexpected(other),
        })
    }

    /// All keys and values as they are at this moment, in no particular order.
    ///
    /// # Errors
    /// [`ManagerError`].
    pub fn entries(&self) -> Result<Vec<(K, V)>, ManagerError> {
        self.call(DictRequest::Entries, |reply| match reply {
            Reply::Entries(entries) => entries
                .into_iter()
                .map(|(key, value)| Ok((decode(key)?, decode(value)?)))
                .collect(),
            other => unexpected(other),
        })
    }

    /// All of it as it is at this moment, in this process's own memory.
    ///
    /// # Errors
    /// [`ManagerError`].
    pub fn to_map(&self) -> Result<HashMap<K, V>, ManagerError>
    where
        K: Eq + Hash,
    {
        Ok(self.entries()?.into_iter().collect())
    }

    fn value(
        &self,
        request: DictRequest<'_>,
    ) -> Result<Option<V>, ManagerError> {
        self.call(request, |reply| match reply {
            Reply::Value(value) => value.map(decode).transpose(),
            other => unexpected(other),
        })
    }

    fn call<T>(
        &self,
        request: DictRequest<'_>,
        read: impl FnOnce(Reply<'_>) -> Result<T, ManagerError>,
    ) -> Result<T, ManagerError> {
        self.address.call(&Request::Dict(self.id, request), read)
    }
}

impl<K, V> Clone for Dict<K, V> {
    fn clone(&self) -> Self {
        Self { address: self.address.clone(), id: self.id, types: PhantomData }
    }
}

impl<K, V> fmt::Debug for Dict<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dict")
            .field("id", &self.id)
            .field("manager", &self.address.path)
            .finish()
    }
}
