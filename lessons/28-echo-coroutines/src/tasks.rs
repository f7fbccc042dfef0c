//! The twin: a task of tokio for each client.

use crate::answer::in_upper_case;
use crate::hall::Hall;
use crate::{WORKERS, crowd};
use shared::Stage;
use shared::lines::{LONGEST, TOO_LONG};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

/// The same by tasks of tokio, which have no stack. How many threads has the
/// server now?
///
/// - [x] a handful again
/// - [ ] a thousand: a task needs a stack, and a thread has one
/// - [ ] one: tasks are never carried by more
pub fn a_task_each(stage: &Stage) -> shared::Result {
    crowd::all_at_once(stage, serve)
}

/// Serves whoever comes, each by a task.
pub fn serve(
    listener: std::net::TcpListener,
    hall: Arc<Hall>,
) -> shared::Result {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(WORKERS).enable_all().build()?;
    listener.set_nonblocking(true)?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            match listener.accept().await {
                Ok((client, _)) => {
                    let hall = Arc::clone(&hall);
                    tokio::spawn(async move { attend(client, &hall).await });
                }
                // The client stays at the door until somebody leaves.
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
    })
}

async fn attend(client: TcpStream, hall: &Hall) {
    let _guest = hall.enter();
    if let Err(error) = echo(client, hall.patience).await {
        hall.drops(&error);
    }
}

/// Answers each line in upper case, until the client says no more.
async fn echo(client: TcpStream, patience: Duration) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = BufReader::new(client);
    loop {
        let mut line = Vec::new();
        let mut most = (&mut client).take(LONGEST as u64);
        most.read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Ok(());
        }
        let answer = in_upper_case(&line);
        let text = answer.as_deref().unwrap_or(TOO_LONG);
        let write = client.get_mut().write_all(text.as_bytes());
        timeout(patience, write).await??;
        if answer.is_none() {
            return Err(io::Error::other("its line has no end"));
        }
    }
}
