//! Echo with coroutines: one for each client.
//!
//! A thousand clients are here, and hardly one of them says a word. How many
//! threads does a server need for them?

mod answer;
mod crowd;
mod deaf;
mod descriptors;
mod floods;
mod hall;
mod listen;
mod odd;
mod price;
mod service;
mod slow;
mod tasks;

use answer::in_upper_case;
use hall::Hall;
use listen::Options;
use may::net::TcpStream;
use may::{coroutine, go};
use shared::lines::{LONGEST, TOO_LONG};
use shared::{Stage, lesson};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Threads that carry coroutines, or tasks.
const WORKERS: usize = 2;

fn main() -> ExitCode {
    lesson![
        a_coroutine_each,
        tasks::a_task_each,
        slow::silent_and_slow,
        odd::odd_lines,
        odd::odd_ends,
        deaf::many_deaf,
        floods::many_floods,
        price::a_request,
        price::a_client;
        crowd, hall, service,
    ]
    .with::<Options>()
    .instead(Options::listens, listen::until_control_c)
    .run()
}

/// A thousand clients connect, and all of them stay (`--clients N`). Each is
/// served by a coroutine of its own. How many threads has the server?
///
/// - [ ] a thousand, one for each client
/// - [x] a handful, however many clients there are
/// - [ ] one
fn a_coroutine_each(stage: &Stage) -> shared::Result {
    crowd::all_at_once(stage, serve)
}

/// Serves whoever comes, each by a coroutine.
fn serve(listener: TcpListener, hall: Arc<Hall>) -> shared::Result {
    may::config().set_workers(WORKERS).set_stack_size(STACK);
    may::config().set_worker_pin(false); // any core will do
    let listener = service::yielding(listener);
    let accepts = go!(move || {
        loop {
            match listener.accept() {
                Ok((client, _)) => {
                    let hall = Arc::clone(&hall);
                    go!(move || attend(client, &hall));
                }
                // The client stays at the door until somebody leaves.
                Err(_) => coroutine::sleep(Duration::from_millis(50)),
            }
        }
    });
    accepts.join().map_err(|_| anyhow::anyhow!("nobody accepts any more"))
}

fn attend(client: TcpStream, hall: &Hall) {
    let _guest = hall.enter();
    if let Err(error) = echo(client, hall.patience) {
        hall.drops(&error);
    }
}

/// Answers each line in upper case, until the client says no more.
fn echo(client: TcpStream, patience: Duration) -> io::Result<()> {
    client.set_write_timeout(Some(patience))?;
    client.set_nodelay(true)?; // an answer does not wait for the next one
    let mut client = BufReader::new(client);
    for turn in 1_u64.. {
        let mut line = Vec::new();
        let mut most = client.by_ref().take(LONGEST as u64);
        most.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            break;
        }
        let answer = in_upper_case(&line);
        let text = answer.as_deref().unwrap_or(TOO_LONG);
        client.get_mut().write_all(text.as_bytes())?;
        if answer.is_none() {
            return Err(io::Error::other("its line has no end"));
        }
        // While more and more comes, nothing else makes it yield.
        if turn.is_multiple_of(TURN) {
            coroutine::sleep(Duration::from_micros(1));
        }
    }
    Ok(())
}

/// How deep the calls of a coroutine may go, in words of 8 bytes.
const STACK: usize = 0x2000;
/// So many lines are answered before it is the turn of others.
const TURN: u64 = 100;
