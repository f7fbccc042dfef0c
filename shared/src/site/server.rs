//! The server itself.

use super::body::Body;
use super::fault::Fault;
use super::meeting::Meeting;
use super::plan::Plan;
use super::reply;
use super::stats::Stats;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{Backlog, listen};
use std::future::pending;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime;
use tokio::time::sleep;

/// How many may have called and not been answered. The usual 128 cost a burst
/// of calls a second each: the system drops them, and the caller tries again.
const BACKLOG: i32 = 4096;

/// The longest that a client may have an answer delayed by `?ms=`.
const LONGEST: Duration = Duration::from_secs(60);

/// Serves a site until the process ends.
///
/// # Errors
/// When the system gives no more sockets to listen with.
pub fn serve(listener: TcpListener, plan: Plan) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let backlog = Backlog::new(BACKLOG).map_err(io::Error::from)?;
    listen(&listener, backlog)?;
    many_descriptors();
    let runtime =
        runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(accept(listener, plan))
}

/// As many connections as this process may have.
fn many_descriptors() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Where it is refused, fewer must do.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

async fn accept(listener: TcpListener, plan: Plan) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let meeting = Meeting::new(plan.meet.1);
    let site = Arc::new((plan, Stats::default(), meeting));
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            // The caller has left again, or there is no descriptor left until
            // somebody does.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        // An answer is one write; it is not to wait for more.
        let _ = socket.set_nodelay(true);
        let site = Arc::clone(&site);
        tokio::spawn(async move {
            let answered = service_fn(|request| {
                let site = Arc::clone(&site);
                async move { answer(&request, &site).await }
            });
            // A client that leaves, or one that was left: its own affair.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(socket), answered)
                .await;
        });
    }
}

async fn answer(
    request: &Request<Incoming>,
    (plan, stats, meeting): &(Plan, Stats, Meeting),
) -> io::Result<Response<Body>> {
    let path = request.uri().path();
    if path == "/stats" {
        return Ok(reply::whole(reply::content(path, stats)));
    }
    let _in_flight = stats.request(super::gallery::disallowed(path));
    let meets = path.starts_with(&plan.meet.0).then(|| meeting.attend());
    let query = request.uri().query().unwrap_or_default();
    let latency = asked::<u64>(query, "ms").map(Duration::from_millis);
    let latency = latency.map_or(plan.latency, |asked| asked.min(LONGEST));
    if !latency.is_zero() {
        sleep(latency).await;
    }
    if let Some(others) = &meets {
        others.wait().await;
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Ok(reply::wrong_method());
    }
    let planned = plan.faults.get(path);
    let planned = planned.and_then(|fault| stats.meets(path, *fault));
    let fault = asked::<Fault>(query, "fault").or(planned);
    let content = reply::content(path, stats);
    let Some(fault) = fault else {
        let whole = reply::whole(content);
        stats.answer(whole.status().as_str());
        return Ok(whole);
    };
    let hop = asked(query, "hop").unwrap_or(0);
    let faulty = reply::faulty(content, fault, path, hop, plan.retry_after);
    let Some(faulty) = faulty else {
        stats.answer(&fault.to_string());
        match fault {
            Fault::Silent => pending::<()>().await,
            _ => return Err(io::ErrorKind::ConnectionAborted.into()),
        }
        unreachable!("nothing ends what is pending");
    };
    stats.answer(faulty.status().as_str());
    Ok(faulty)
}

/// What stands in a query as `name=…`.
fn asked<T: std::str::FromStr>(query: &str, name: &str) -> Option<T> {
    let mut parts = query.split('&').filter_map(|part| part.split_once('='));
    let (_, value) = parts.find(|(key, _)| *key == name)?;
    value.parse().ok()
}
