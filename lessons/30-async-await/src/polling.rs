//! What a runtime does with a future, by hand.

use shared::Stage;
use shared::lesson::equals;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use tokio::sync::oneshot;

/// A future is made and polled without a runtime. When does it begin, and who
/// says when it is to be polled again?
pub fn polled_by_hand(stage: &Stage) -> shared::Result {
    let (caller, exchange) = (stage.track("caller"), &stage.track("exchange"));
    let request = stage.coroutine_track("request");
    let (answer, answered) = oneshot::channel();
    let mut future = pin!(async {
        request.mark("asks");
        let call = answered.await?; // no thread waits here
        request.take_over("goes on", call);
        shared::Result::Ok(())
    });
    caller.note("asked when it is made", stage.trace()?.count("asks") > 0);
    let (ring, bell) = channel();
    let waker = Waker::from(Arc::new(Bell(ring)));
    let (hang_up, line_is_free) = channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            let _ = line_is_free.recv();
            exchange.span("looks it up", || exchange.pause(1.0));
            let _ = answer.send(exchange.hand_over("calls back"));
        });
        let hang_up = hang_up; // nobody waits for it longer than this scope
        loop {
            caller.say("polls");
            caller.mark("polls");
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(answer) => break answer,
                Poll::Pending => hang_up.send(())?,
            }
            // Meanwhile this thread could poll other futures.
            caller.span("waits", || bell.recv())?;
        }
    })?;
    caller.say("has the answer");
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

/// What rings when the future can go on.
struct Bell(Sender<()>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(()); // perhaps nobody is there any more
    }
}
