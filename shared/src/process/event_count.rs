//! Sleeping until somebody changed something, without losing a wake-up.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use super::sys::futex;
use super::sys::shareable::shareable;

/// The lowest bit of the word: somebody may be asleep.
const SLEEPERS: u32 = 1;

shareable! {
    /// An event count: a sleeper says that it is about to look, looks, and
    /// sleeps only if nobody notified in between.
    ///
    /// ```text
    /// sleeper                          notifier
    /// ticket = prepare()               change what the sleeper looks at
    /// look; enough? then go on         notify()
    /// wait(ticket); look again
    /// ```
    ///
    /// Flag and counter are one word, so that a notifier cannot clear the
    /// flag of a sleeper that has yet to fall asleep without being noticed. A
    /// notifier pays for a system call only when somebody may be asleep. A
    /// sleeper that is killed costs one notifier one needless call, a
    /// notifier that is killed before it wakes costs the sleepers the rest of
    /// their nap.
    pub(crate) struct EventCount {
        word: AtomicU32,
    }
}

/// The state of an [`EventCount`] before a look.
#[derive(Clone, Copy)]
pub(crate) struct Ticket(u32);

impl EventCount {
    /// To be called before the look that decides whether to sleep.
    pub fn prepare(&self) -> Ticket {
        Ticket(self.word.fetch_or(SLEEPERS, SeqCst) | SLEEPERS)
    }

    /// Sleeps until a notification after `prepare`, at most for `at_most`.
    pub fn wait(&self, ticket: Ticket, at_most: Duration) {
        futex::wait(&self.word, ticket.0, at_most);
    }

    /// Wakes all who sleep; to be called after the change. The change must
    /// have been made by a read-modify-write in the order `SeqCst`, or be
    /// followed by a fence.
    #[inline]
    pub fn notify(&self) {
        let word = self.word.load(SeqCst);
        if word & SLEEPERS != 0 {
            self.wake(word);
        }
    }

    #[cold]
    fn wake(&self, word: u32) {
        let counted = word.wrapping_add(2) & !SLEEPERS;
        // Whoever was faster also came after our change, and wakes.
        if self.word.compare_exchange(word, counted, SeqCst, SeqCst).is_ok() {
            futex::wake_all(&self.word);
        }
    }
}
