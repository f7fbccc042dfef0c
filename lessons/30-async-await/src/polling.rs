//! What a runtime does with a future, by hand.

use shared::lesson::equals;
use shared::trace::Arrow;
use shared::{Stage, Track};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use tokio::sync::oneshot;

/// A future is made and polled without a runtime. When does it begin, and who
/// says when it is to be polled again?
///
/// - [ ] when it is made; the one who polls
/// - [x] at the first poll; the one it waits for
/// - [ ] when it is made; the one it waits for
pub fn polled_by_hand(stage: &Stage) -> shared::Result {
    let (caller, exchange) = (&stage.track("caller"), stage.track("exchange"));
    let request = stage.coroutine_track("request");
    let (answer, answered) = oneshot::channel();
    let future = pin!(async {
        request.mark("asks");
        let call = answered.await?; // no thread waits here
        request.take_over("goes on", call);
        shared::Result::Ok(())
    });
    caller.note("asked when it is made", stage.trace()?.count("asks") > 0);
    let (hang_up, line_is_free) = channel();
    thread::scope(|scope| {
        scope.spawn(|| look_up(exchange, line_is_free, answer));
        poll_until_ready(caller, future, hang_up)
    })?;
    let early = caller.noted("asked when it is made")?;
    stage.claim("it asks nothing when it is made", early, equals(false));
    let trace = stage.trace()?;
    let polls = trace.count("polls");
    stage.claim("polls: one, and one for the call", polls, equals(2));
    let calls = trace.find("exchange", "calls back")?;
    let goes_on = trace.find("request", "goes on")?;
    let caused = trace.happened_before(calls, goes_on);
    stage.claim("it goes on because of the call", caused, equals(true));
    Ok(())
}

/// Polls the future; while it is not ready, waits until the bell rings.
fn poll_until_ready(
    caller: &Track,
    mut future: Pin<&mut impl Future<Output = shared::Result>>,
    hang_up: Sender<()>,
) -> shared::Result {
    let (ring, bell) = channel();
    let waker = Waker::from(Arc::new(Bell(ring)));
    loop {
        caller.mark("polls");
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => hang_up.send(())?,
        }
        // Meanwhile this thread could poll other futures.
        caller.span("waits", || bell.recv())?;
    }
}

/// What rings when the future can go on.
struct Bell(Sender<()>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(()); // perhaps nobody is there any more
    }
}

/// Calls back, some time after the line has become free.
fn look_up(
    exchange: Track,
    line_is_free: Receiver<()>,
    caller: oneshot::Sender<Arrow>,
) {
    let _ = line_is_free.recv();
    exchange.span("looks it up", || exchange.pause(1.0));
    let _ = caller.send(exchange.hand_over("calls back"));
}
