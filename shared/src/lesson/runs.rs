//! A step that is run many times: which orders there are.

use super::order::{Order, Tally};
use super::show::Show;
use crate::Result;
use anstyle::Style;
use anyhow::{Context, bail};
use nix::unistd::dup2_stdout;
use std::fs::File;
use std::io::stdout;
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};

/// So many orders are told of a step.
const MOST: usize = 5;

/// Runs each of these steps so often, in silence, and tells in which orders
/// things happened, how often each was seen, and which claims held in all.
pub(super) fn repeat(
    show: &mut Show,
    steps: Range<usize>,
    runs: u32,
) -> Result {
    show.say_title();
    let mut broken = None;
    for step in steps {
        let voice = show.stage.voice;
        voice.write("\n");
        show.say_heading(step);
        show.say_sentence(step);
        let mut tally = Tally::default();
        let bar = show.stage.progress("runs", runs.into());
        for _ in 0..runs {
            let silence = Silence::begin()?;
            let ran = show.run_step(step);
            drop(silence);
            ran?;
            let trace = show.stage.trace()?;
            let order = Order::of(&trace, show.stage.lesson.name());
            let seed = show.stage.pace.seed;
            tally.add(seed, order, show.claims(step));
            show.stage.pace.seed =
                show.options.seed.unwrap_or(seed.wrapping_add(1));
            bar.advance(1);
        }
        drop(bar);
        tell(show, &tally);
        broken = broken.or_else(|| tally.broken().cloned());
    }
    if let Some((claim, seed)) = broken {
        bail!(
            "a claim did not hold in every run; --seed {seed} makes the choices of the first such run: {claim}"
        );
    }
    Ok(())
}

fn tell(show: &Show, tally: &Tally) {
    let voice = show.stage.voice;
    let (bold, plain) = (Style::new().bold(), Style::new());
    voice.write("\n");
    voice.tell(bold, "", &tally.headline());
    let (common, orders) = tally.most_frequent(MOST);
    if !common.is_empty() {
        voice.tell(plain, "  ", &format!("all begin with: {common}"));
    }
    let room = voice.terminal.width.saturating_sub(10);
    for (times, order) in orders {
        let order = textwrap::wrap(&order, room);
        let more = if order.len() > 1 { " ..." } else { "" };
        let first = order.first().map_or("", |line| line.trim_end());
        voice.write(&format!("{times:>6}  {first}{more}\n"));
    }
    let claims = tally.claims();
    if !claims.is_empty() {
        voice.tell(plain, "", "\nin all of them:");
    }
    for (held, text) in claims {
        voice.write(&voice.claimed(held, &text));
    }
}

/// As long as it lives, nothing reaches standard output, whoever writes there.
struct Silence(OwnedFd);

impl Silence {
    fn begin() -> Result<Self> {
        let nowhere = File::options().write(true).open("/dev/null");
        let nowhere = nowhere.context("cannot open /dev/null")?;
        let before = stdout().as_fd().try_clone_to_owned()?;
        dup2_stdout(nowhere)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // What was open before can be so again.
        let _ = dup2_stdout(&self.0);
    }
}
