use clap::{ArgMatches, Args, Command, Error};
use std::any::Any;
use std::sync::Arc;

/// What was chosen by the options that only one lesson has.
pub(super) type Chosen = Arc<dyn Any + Send + Sync>;

/// The options that only one lesson has.
pub(super) struct Own {
    /// Adds them to the others.
    pub augment: fn(Command) -> Command,
    /// Takes what was chosen.
    pub choose: fn(&ArgMatches) -> Result<Chosen, Error>,
}

impl Own {
    pub fn none() -> Self {
        Self { augment: |command| command, choose: |_| Ok(Arc::new(())) }
    }

    pub fn of<O: Args + Send + Sync + 'static>() -> Self {
        Self {
            augment: |command| {
                let heading = "Options of this lesson";
                O::augment_args(command.next_help_heading(heading))
            },
            choose: |matches| Ok(Arc::new(O::from_arg_matches(matches)?)),
        }
    }
}

/// What was chosen, as the type that it has.
///
/// # Panics
/// When it has another one.
pub(super) fn chosen<O: 'static>(own: &Chosen) -> &O {
    let options = own.downcast_ref();
    options.expect("the lesson was made `with` these options")
}
