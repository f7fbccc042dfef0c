//! The chapters as a book to be read in a browser, with their pictures, their
//! sources and a search.
//!
//! mdBook is called as a library: so its version stands in Cargo.lock, nothing
//! has to be installed, and what would be its SUMMARY.md, the list of all
//! chapters, follows from the folders and cannot grow old.

mod book;
mod pages;

use anyhow::Result;
use clap::Parser;
use shared::catalogue::Catalogue;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Makes a book of the chapters below target/, and checks that no link or
/// picture in it leads nowhere.
#[derive(Parser)]
#[command(disable_version_flag = true)]
struct Options {
    /// Only check the book in this folder
    #[arg(long, value_name = "FOLDER")]
    check: Option<PathBuf>,
}

fn main() -> ExitCode {
    run(Options::parse()).unwrap_or_else(|error| {
        // Where even that cannot be written the status must do.
        let _ = writeln!(io::stderr(), "book: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(options: Options) -> Result<ExitCode> {
    let folder = match options.check {
        Some(folder) => folder,
        None => book::build(&Catalogue::read()?)?,
    };
    let (pages, faults) = pages::faults(&folder)?;
    for fault in &faults {
        writeln!(io::stderr(), "{fault}")?;
    }
    let index = folder.join("index.html");
    let (index, count) = (index.display(), faults.len());
    writeln!(io::stdout(), "{index}: {pages} pages, {count} faults")?;
    Ok(ExitCode::from(u8::from(count > 0)))
}
