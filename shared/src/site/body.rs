//! The body of an answer, in whichever way it comes.

use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How many bytes a dripping body sends at a time, and how often.
const DROP: usize = 16;
const DRIP: Duration = Duration::from_millis(100);

/// The size of a huge body, and of the pieces in which it comes.
const HUGE: u64 = 1 << 30;
const PIECE: usize = 64 << 10;

pub(super) enum Body {
    /// As it should be.
    Whole(Bytes),
    /// The first half; then, when that is on its way, an end.
    Cut(Option<Bytes>, bool),
    /// All of it; but the header promised more, and nothing more comes.
    Stalled(Option<Bytes>),
    /// A few bytes at a time.
    Dripping(Bytes, Interval),
    /// So many bytes are left.
    Huge(u64),
}

impl Body {
    pub fn cut(bytes: Bytes) -> Self {
        let half = bytes.len() / 2;
        Self::Cut(Some(bytes.slice(..half)), false)
    }

    pub fn stalled(bytes: Bytes) -> Self {
        Self::Stalled(Some(bytes))
    }

    pub fn dripping(bytes: Bytes) -> Self {
        let mut clock = interval(DRIP);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self::Dripping(bytes, clock)
    }

    pub fn huge() -> Self {
        Self::Huge(HUGE)
    }
}

type Polled = Poll<Option<io::Result<Frame<Bytes>>>>;

fn piece(bytes: Bytes) -> Polled {
    Poll::Ready(Some(Ok(Frame::data(bytes))))
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => piece(std::mem::take(bytes)),
            Self::Cut(half, sent) => match half.take() {
                Some(half) => piece(half),
                // hyper sends what it has when it has to wait for more.
                None if !*sent => {
                    *sent = true;
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                // hyper closes the connection.
                None => Poll::Ready(Some(Err(io::ErrorKind::Other.into()))),
            },
            Self::Stalled(bytes) => match bytes.take() {
                Some(bytes) => piece(bytes),
                // Nobody wakes this; the client may leave.
                None => Poll::Pending,
            },
            Self::Dripping(bytes, _) if bytes.is_empty() => Poll::Ready(None),
            Self::Dripping(bytes, clock) => {
                ready!(clock.poll_tick(cx));
                piece(bytes.split_to(DROP.min(bytes.len())))
            }
            Self::Huge(0) => Poll::Ready(None),
            Self::Huge(left) => {
                let size = left.min(&mut (PIECE as u64)).to_owned();
                *left -= size;
                piece(Bytes::from(vec![b' '; size as usize]))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
