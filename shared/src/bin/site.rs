//! The local site for a browser, for curl, and for the programs in Python.

use anyhow::{Context, Result};
use clap::Parser;
use shared::site::{Fault, Plan, serve};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

/// Serves pages, pictures and look-ups on this machine until Ctrl-C.
#[derive(Parser)]
#[command(name = "site", disable_version_flag = true)]
#[command(after_help = "Every address also takes ?ms=300 and ?fault=KIND.\n\
    KIND is one of 404, 429, 500, silent, closed, cut, length, drip, garbled,\n\
    html, bare, redirect, huge.")]
struct Options {
    /// Where to listen; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
    /// How long every answer takes, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "0", allow_hyphen_values = true, value_parser = seconds)]
    latency: Duration,
    /// What an answer 429 tells in Retry-After
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    retry_after: u64,
    /// Answers to PATH fail so; `429x2@/pages/1` the first two times
    #[arg(long = "fault", value_name = "KIND@PATH", value_parser = fault)]
    faults: Vec<(String, Fault, u64)>,
    /// Also ends when its standard input does
    #[arg(long)]
    until_eof: bool,
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even that cannot be written the status must do.
            let _ = writeln!(io::stderr(), "site: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<()> {
    let plan =
        Plan::new().latency(options.latency).retry_after(options.retry_after);
    let plan =
        options.faults.into_iter().fold(plan, |plan, (path, fault, times)| {
            plan.fault_times(&path, fault, times)
        });
    let listen = options.listen;
    let listener = TcpListener::bind(listen).with_context(|| {
        format!("cannot listen at {listen}; choose another by --listen")
    })?;
    let address = listener.local_addr()?;
    writeln!(io::stdout(), "http://{address}")?;
    if options.until_eof {
        thread::spawn(|| {
            let _ = io::copy(&mut io::stdin().lock().by_ref(), &mut io::sink());
            process::exit(0);
        });
    }
    serve(listener, plan).context("the site cannot be served")
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok();
    let time = seconds.and_then(|s| Duration::try_from_secs_f64(s).ok());
    time.ok_or_else(|| "give a number of seconds, as in 0.3".to_owned())
}

fn fault(text: &str) -> Result<(String, Fault, u64), String> {
    let (fault, path) = text
        .split_once('@')
        .filter(|(_, path)| path.starts_with('/'))
        .ok_or("give KIND@PATH, as in 404@/pages/3")?;
    let (kind, times) = match fault.split_once('x') {
        Some((kind, times)) => (
            kind,
            times.parse().map_err(|_| format!("`{times}` is no number"))?,
        ),
        None => (fault, u64::MAX),
    };
    Ok((path.to_owned(), kind.parse()?, times))
}
