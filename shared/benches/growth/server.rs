//! Servers that send back what they get, each in another way.

use crate::reading::ends_with_parent;
use anyhow::{Context, Result};
use may::go;
use nix::sys::epoll::{
    Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout,
};
use shared::process::Process;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd};
use std::thread;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Threads that carry coroutines, or tasks.
const WORKERS: usize = 2;
const BUFFER: usize = 4096;

/// Sends back what comes, until the client leaves.
fn echo(mut client: impl Read + Write) -> std::io::Result<()> {
    let mut buffer = [0; BUFFER];
    loop {
        let length = client.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        client.write_all(&buffer[..length])?;
    }
}

/// A process for each client.
pub fn processes(listener: TcpListener) -> Result<()> {
    loop {
        let (client, _) = listener.accept()?;
        client.set_nodelay(true)?;
        // Not joined: it ends with its client, and at the latest with us.
        Process::spawn(|| {
            ends_with_parent();
            echo(&client)
        })?;
    }
}

/// A thread for each client.
pub fn threads(listener: TcpListener) -> Result<()> {
    loop {
        let (client, _) = listener.accept()?;
        client.set_nodelay(true)?;
        thread::Builder::new().spawn(move || echo(&client))?;
    }
}

/// A coroutine of may for each client.
#[expect(unsafe_code, reason = "may takes a listener by its descriptor only")]
pub fn coroutines(listener: TcpListener) -> Result<()> {
    may::config().set_workers(WORKERS).set_worker_pin(false);
    // SAFETY: `into_raw_fd` gives the descriptor away: nobody else has it.
    let listener =
        unsafe { may::net::TcpListener::from_raw_fd(listener.into_raw_fd()) };
    let accepts = go!(move || -> Result<()> {
        loop {
            let (client, _) = listener.accept()?;
            client.set_nodelay(true)?;
            go!(move || echo(client));
        }
    });
    accepts.join().map_err(|_| anyhow::anyhow!("may panicked"))?
}

/// A task of tokio for each client.
pub fn tasks(listener: TcpListener) -> Result<()> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(WORKERS).enable_io().build()?;
    listener.set_nonblocking(true)?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let (mut client, _) = listener.accept().await?;
            client.set_nodelay(true)?;
            tokio::spawn(async move {
                let mut buffer = [0; BUFFER];
                loop {
                    let length = client.read(&mut buffer).await?;
                    if length == 0 {
                        return std::io::Result::Ok(());
                    }
                    client.write_all(&buffer[..length]).await?;
                }
            });
        }
    })
}

/// One thread that asks the system who has said something: no more is needed.
/// What it sends is little, and fits into what the system keeps for a client.
pub fn epoll(listener: TcpListener) -> Result<()> {
    const DOOR: u64 = u64::MAX;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let readable = |data| EpollEvent::new(EpollFlags::EPOLLIN, data);
    epoll.add(&listener, readable(DOOR))?;
    let mut clients: HashMap<u64, TcpStream> = HashMap::new();
    let (mut events, mut buffer) = ([EpollEvent::empty(); 256], [0; BUFFER]);
    loop {
        let ready = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in &events[..ready] {
            let who = event.data();
            if who == DOOR {
                let (client, _) = listener.accept()?;
                client.set_nodelay(true)?;
                let who = client.as_raw_fd() as u64;
                epoll.add(&client, readable(who))?;
                clients.insert(who, client);
                continue;
            }
            let client = clients.get_mut(&who).context("a client unknown")?;
            let length = client.read(&mut buffer).unwrap_or(0);
            if length == 0 || client.write_all(&buffer[..length]).is_err() {
                clients.remove(&who);
            }
        }
    }
}
