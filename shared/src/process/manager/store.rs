//! What a manager keeps, and what requests do to it. Plain code: no sockets, no
//! processes.

use std::collections::HashMap;

use super::protocol::{DictRequest, ListRequest, Refusal, Reply, Request};

type Bytes = Box<[u8]>;

/// The dicts and lists of a manager, by number.
#[derive(Default)]
pub(super) struct Store {
    dicts: HashMap<u64, HashMap<Bytes, Bytes>>,
    lists: HashMap<u64, Vec<Bytes>>,
    made: u64,
    /// What was taken out and is shown in the reply.
    shown: Option<Bytes>,
}

impl Store {
    /// Carries a request out.
    pub fn apply(&mut self, request: Request<'_>) -> Reply<'_> {
        match request {
            Request::NewDict => {
                self.made += 1;
                self.dicts.insert(self.made, HashMap::new());
                Reply::Made(self.made)
            }
            Request::NewList => {
                self.made += 1;
                self.lists.insert(self.made, Vec::new());
                Reply::Made(self.made)
            }
            Request::Dict(id, request) => match self.dicts.get_mut(&id) {
                Some(dict) => apply_dict(dict, request, &mut self.shown),
                None => Reply::Refused(Refusal::NoSuchObject),
            },
            Request::List(id, request) => match self.lists.get_mut(&id) {
                Some(list) => apply_list(list, request, &mut self.shown),
                None => Reply::Refused(Refusal::NoSuchObject),
            },
        }
    }
}

fn apply_dict<'s>(
    dict: &'s mut HashMap<Bytes, Bytes>,
    request: DictRequest<'_>,
    shown: &'s mut Option<Bytes>,
) -> Reply<'s> {
    match request {
        DictRequest::Get(key) => {
            Reply::Value(dict.get(key).map(|value| &**value))
        }
        DictRequest::Contains(key) => Reply::Is(dict.contains_key(key)),
        DictRequest::Insert(key, value) => {
            *shown = match dict.get_mut(key) {
                Some(old) => Some(std::mem::replace(old, value.into())),
                None => dict.insert(key.into(), value.into()),
            };
            Reply::Value(shown.as_deref())
        }
        DictRequest::Remove(key) => {
            *shown = dict.remove(key);
            Reply::Value(shown.as_deref())
        }
        DictRequest::Swap { key, old, new } => {
            if dict.get(key).map(|value| &**value) != old {
                return Reply::Changed(dict.get(key).map(|value| &**value));
            }
            dict.insert(key.into(), new.into());
            Reply::Done
        }
        DictRequest::Len => Reply::Count(dict.len() as u64),
        DictRequest::Clear => {
            dict.clear();
            Reply::Done
        }
        DictRequest::Entries => Reply::Entries(
            dict.iter().map(|(key, value)| (&**key, &**value)).collect(),
        ),
    }
}

fn apply_list<'s>(
    list: &'s mut Vec<Bytes>,
    request: ListRequest<'_>,
    shown: &'s mut Option<Bytes>,
) -> Reply<'s> {
    let len = list.len() as u64;
    let at = |index: u64, end: u64| match usize::try_from(index) {
        Ok(place) if index < end => Ok(place),
        _ => Err(Reply::Refused(Refusal::OutOfRange { len })),
    };
    let result = match request {
        ListRequest::Get(index) => {
            return Reply::Value(
                usize::try_from(index)
                    .ok()
                    .and_then(|place| list.get(place))
                    .map(|item| &**item),
            );
        }
        ListRequest::Set(index, value) => at(index, len).map(|place| {
            *shown = Some(std::mem::replace(&mut list[place], value.into()));
            Reply::Value(shown.as_deref())
        }),
        ListRequest::Swap { index, old, new } => match at(index, len) {
            Err(refused) => Err(refused),
            Ok(place) if &*list[place] != old => {
                return Reply::Changed(Some(&*list[place]));
            }
            Ok(place) => {
                list[place] = new.into();
                Ok(Reply::Done)
            }
        },
        ListRequest::Push(value) => {
            list.push(value.into());
            Ok(Reply::Done)
        }
        ListRequest::Pop => {
            *shown = list.pop();
            Ok(Reply::Value(shown.as_deref()))
        }
        ListRequest::Insert(index, value) => at(index, len + 1).map(|place| {
            list.insert(place, value.into());
            Reply::Done
        }),
        ListRequest::Remove(index) => at(index, len).map(|place| {
            *shown = Some(list.remove(place));
            Reply::Value(shown.as_deref())
        }),
        ListRequest::Len => Ok(Reply::Count(len)),
        ListRequest::Clear => {
            list.clear();
            Ok(Reply::Done)
        }
        ListRequest::Items => {
            Ok(Reply::Items(list.iter().map(|item| &**item).collect()))
        }
    };
    result.unwrap_or_else(|refused| refused)
}
