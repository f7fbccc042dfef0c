//! The addresses that are looked up.

use crate::options::Options;
use crate::row::Row;
use anyhow::{Context, ensure};
use shared::Stage;
use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::OnceLock;

/// More at once than a thread each is good for, and a file larger than that
/// many need.
const MOST: usize = 200;
const LARGEST: u64 = 1 << 16;

/// The root servers of the domain name system, and public resolvers: there is
/// nobody at home whom a look-up could tell of.
#[rustfmt::skip]
const KNOWN: [[u8; 4]; 24] = [
    [1, 1, 1, 1], [8, 8, 8, 8], [9, 9, 9, 9],
    [76, 76, 2, 0], [77, 88, 8, 8], [94, 140, 14, 14],
    [114, 114, 114, 114], [119, 29, 29, 29], [170, 247, 170, 2],
    [185, 228, 168, 9], [192, 5, 5, 241], [192, 33, 4, 12],
    [192, 36, 148, 17], [192, 58, 128, 30], [192, 112, 36, 4],
    [192, 203, 230, 10], [193, 0, 14, 129], [198, 41, 0, 4],
    [198, 97, 190, 53], [199, 7, 83, 42], [199, 7, 91, 13],
    [202, 12, 27, 33], [208, 67, 222, 222], [223, 5, 5, 5],
];

/// The lesson's own addresses.
pub fn known() -> Vec<Row> {
    KNOWN.map(|bytes| Row::of(Ipv4Addr::from(bytes).into())).into()
}

/// Those of `--addresses`, or else the lesson's own.
///
/// # Errors
/// When there is no list of addresses in that file.
pub fn chosen(stage: &Stage) -> shared::Result<Vec<Row>> {
    let Some(file) = &stage.options::<Options>().addresses else {
        return Ok(known());
    };
    // Once for all steps: a pipe can be read no second time.
    static READ: OnceLock<Vec<IpAddr>> = OnceLock::new();
    if READ.get().is_none() {
        let addresses = read(file).with_context(|| {
            let file = file.display();
            format!("cannot take addresses from {file}; give one a line")
        })?;
        READ.get_or_init(|| addresses);
    }
    Ok(READ.get().into_iter().flatten().copied().map(Row::of).collect())
}

/// Says that a step does not look up those of `--addresses`, if there are any.
pub fn not_asked_for(stage: &Stage) {
    if stage.options::<Options>().addresses.is_some() {
        let why = "this step has its own";
        stage.cannot_show("the addresses of --addresses", why);
    }
}

/// One a line; what stands behind a `#` is for people. One that stands there
/// twice is looked up once.
fn read(file: &Path) -> shared::Result<Vec<IpAddr>> {
    let mut text = String::new();
    File::open(file)?.take(LARGEST + 1).read_to_string(&mut text)?;
    ensure!(text.len() as u64 <= LARGEST, "it has more than {LARGEST} bytes");
    let mut addresses = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        let address = text.parse().ok();
        let address = address.with_context(|| {
            format!("line {line}: {text:?} is no IP address")
        })?;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    ensure!(!addresses.is_empty(), "there is none in it");
    let number = addresses.len();
    ensure!(number <= MOST, "{number} are too many, {MOST} at most");
    Ok(addresses)
}
