//! Coroutines that switch to each other by hand.
//!
//! `generator` has coroutines with a stack of their own that give control back
//! to whoever resumed them. A hub makes symmetric ones of them: each says who
//! goes on. They know each other by number, so that one can name another
//! before it exists.

use generator::{Gn, LocalGenerator, Scope};

/// A stack of 64 Ki words, much more than a verse needs: `generator` counts in
/// words. Behind its end is a page that nobody may touch: a coroutine that
/// needs more panics there, and overwrites nothing.
const STACK: usize = 0x1_0000;

/// No coroutine's number: whoever started them.
const PARENT: usize = usize::MAX;

/// Coroutines, by number in the order in which they were added.
#[derive(Default)]
pub struct Hub<'a>(Vec<LocalGenerator<'a, (), usize>>);

/// A coroutine's own handle.
pub struct Me<'a, 'g>(Scope<'a, 'g, (), usize>);

impl<'a> Hub<'a> {
    /// Adds a coroutine; it starts when somebody switches to it.
    pub fn add(&mut self, body: impl FnOnce(&mut Me) + 'a) {
        let coroutine = Gn::new_scoped_opt_local(STACK, |scope| {
            body(&mut Me(scope));
            PARENT
        });
        self.0.push(coroutine);
    }

    /// Switches to one of them; from there on each says who is next. Returns
    /// to the parent when one of them has ended, also if it had before.
    ///
    /// # Panics
    /// With the panic of the coroutine that panicked.
    pub fn switch(&mut self, mut next: usize) {
        while let Some(coroutine) = self.0.get_mut(next) {
            // None: it had ended before.
            next = coroutine.resume().unwrap_or(PARENT);
        }
    }
}

impl Me<'_, '_> {
    /// Stops here and lets `next` go on. Returns when somebody switches back.
    pub fn switch(&mut self, next: usize) {
        self.0.yield_with(next);
    }
}
