//! What may befall a manager.

use crate::sellers::Stock;
use nix::sys::signal::{Signal::SIGKILL, kill};
use nix::unistd::Pid;
use shared::Stage;
use shared::lesson::{at_most, equals};
use shared::process::{Barrier, List, Manager, ManagerBuilder};
use shared::process::{ManagerError, Process};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

type Call = fn(&Stock, &List<String>) -> Result<(), ManagerError>;

const CALLS: [(&str, Call); 4] = [
    ("get", |stock, _| stock.get("apples").map(drop)),
    ("insert", |stock, _| stock.insert("apples", &7).map(drop)),
    ("update", |stock, _| stock.update("apples", |_| 8).map(drop)),
    ("push", |_, came| came.push(&"Anna".to_owned())),
];

/// Four sellers call the manager again and again, each in another way. Then
/// the manager is killed. Who is told, and how soon?
///
/// - [ ] nobody: they wait for an answer
/// - [x] all four, well before their time limit
/// - [ ] all four, when their time limit is over
pub fn killed(stage: &Stage) -> shared::Result {
    let (parent, limit) = (stage.track("parent"), Duration::from_secs(10));
    let manager = ManagerBuilder::new().answer_within(limit).start()?;
    let (stock, came): (Stock, _) = (manager.dict()?, manager.list()?);
    let mut sellers = Vec::new();
    for (name, call) in CALLS {
        let seller = stage.track(name);
        sellers.push(Process::spawn(|| {
            let error = loop {
                match seller.span("calls", || call(&stock, &came)) {
                    Ok(()) => seller.pause(0.1),
                    Err(error) => break error,
                }
            };
            seller.mark("told");
            matches!(error, ManagerError::Gone { .. })
        })?);
    }
    parent.pause(1.0);
    parent.mark("kills it");
    kill(Pid::from_raw(manager.pid() as i32), SIGKILL)?;
    let mut told = 0;
    for seller in sellers {
        told += usize::from(seller.join()?);
    }
    if let Err(error) = stock.get("apples") {
        parent.say(error.to_string());
    }
    let longest = stage.trace()?.longest("calls").as_secs_f64();
    stage.claim("told that it has ended: all four", told, equals(4));
    let text = "seconds that the longest call took; 10 are allowed";
    stage.claim(text, longest, at_most(limit.as_secs_f64() / 2.0));
    Ok(())
}

/// A request begins with its length, in four bytes.
const NONSENSE: [(&str, &[u8]); 3] = [
    // A length of half a gigabyte, read so.
    ("browser", b"GET /apples HTTP/1.1\r\n\r\n"),
    // Three bytes, as announced, but no request is like that.
    ("noise", &[3, 0, 0, 0, 255, 255, 255]),
    // One of 200.
    ("half", &[200, 0, 0, 0, 1]),
];

/// Strangers write to the manager's socket: another protocol, mere noise, and
/// half a request that they never finish. Who is harmed?
///
/// - [x] nobody: the seller sells what there is to sell
/// - [ ] the manager: it ends, and the seller with it
/// - [ ] the seller: it waits until the half is whole
pub fn nonsense(stage: &Stage) -> shared::Result {
    let seller = stage.track("seller");
    let manager = Manager::new()?;
    let stock: Stock = manager.dict()?;
    stock.insert("apples", &100)?;
    let socket = manager.path();
    let (limit, all_have_written) =
        (Duration::from_secs(10), Barrier::new(NONSENSE.len())?);
    let mut strangers = Vec::new();
    for (name, bytes) in NONSENSE {
        let stranger = stage.track(name);
        let process = Process::spawn(|| {
            let mut line = UnixStream::connect(socket)?;
            stranger.say(format!("writes {}", bytes.escape_ascii()));
            line.write_all(bytes)?;
            all_have_written.wait_timeout(limit)?;
            let mut answer = Vec::new();
            // Until the manager hangs up, which may come as an error.
            let _ = stranger.span("waits", || line.read_to_end(&mut answer));
            let refused = !answer.is_empty();
            // 8: refused; then 2: no request, 3: too large.
            let answer = answer.escape_ascii().to_string();
            stranger.note("answer", if refused { &answer } else { "none" });
            anyhow::Ok(refused)
        })?;
        strangers.push((name, process));
    }
    let (half, others): (Vec<_>, Vec<_>) =
        strangers.into_iter().partition(|(name, _)| *name == "half");
    let mut refused = 0;
    for (_, stranger) in others {
        refused += usize::from(stranger.join()?);
    }
    for _ in 0..10 {
        seller.span("sells", || {
            stock.update("apples", |apples| apples.unwrap_or(0) - 1)
        })?;
        seller.pause(0.1);
    }
    let left = stock.get("apples")?;
    seller.note("apples left", left);
    seller.mark("manager ends");
    drop(manager); // it has waited for the rest of the half until now
    for (_, stranger) in half {
        stranger.join()?;
    }
    stage.claim("strangers who were refused: two of three", refused, equals(2));
    stage.claim("ten of 100 were sold; left", left, equals(Some(90)));
    Ok(())
}
