//! What a client is served at: by one coroutine, on one thread, in one process.

use crate::clients::PATIENCE;
use shared::Track;
use shared::process::Barrier;
use std::io::{self, ErrorKind::ConnectionAborted};
use std::process;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub struct Place {
    pub track: Arc<Track>,
    /// Where all threads meet in the middle of what they compute.
    pub together: Arc<Barrier>,
    /// How far a request that computes counts.
    pub limit: u32,
}

impl Place {
    /// One coroutine: one client after the other.
    pub async fn attend(
        self: Arc<Self>,
        door: Arc<TcpListener>,
    ) -> io::Result<()> {
        loop {
            match door.accept().await {
                // One that leaves gets no answer.
                Ok((client, _)) => _ = self.serve(client).await,
                // It has left already: accept(2).
                Err(error) if error.kind() == ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Says who serves, and answers each request, until the client leaves.
    async fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let (input, mut output) = client.split();
        let mut lines = BufReader::new(input).lines();
        let me = format!("{}\n", process::id());
        output.write_all(me.as_bytes()).await?;
        while let Some(request) = lines.next_line().await? {
            let (job, number) = request.split_once(' ').unwrap_or_default();
            if job == "compute" {
                self.track.span("computes", || self.compute());
            } else {
                let _waits = self.track.begin("waits");
                output.write_all(b"begun\n").await?;
                // Its thread does something else until there is a line.
                lines.next_line().await?.ok_or(io::ErrorKind::BrokenPipe)?;
            }
            self.track.record("answers", number);
            output.write_all(format!("{number}\n").as_bytes()).await?;
        }
        Ok(())
    }

    /// Counts primes, and never lets another coroutine run meanwhile.
    fn compute(&self) -> usize {
        let divisors = |n: u32| (2..).take_while(move |d| d * d <= n);
        let prime = |n: &u32| divisors(*n).all(|d| !n.is_multiple_of(d));
        let half = self.limit / 2;
        let below = (2..half).filter(prime).count();
        // All threads are in the middle of it, however busy the machine is. If
        // they cannot be, nobody waits for them any more.
        let _ = self.together.wait_timeout(PATIENCE / 2);
        below + (half..self.limit).filter(prime).count()
    }
}
