use super::counters::SharedCounters;
use super::event::{Event, FROM, IN, Kind, OUT, Phase, REAPED, TO, VALUE};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::{getpid, gettid};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Instant;

/// Where the events of a run are written, from any process, thread or
/// coroutine.
///
/// All of them write through one descriptor that appends (O_APPEND), one
/// `write` call an event, so that the lines of many writers never mix
/// (write(2)) and the order of the lines is an order in which the events can
/// have happened: whoever writes after having heard of another's event stands
/// below it.
pub struct Recorder {
    file: File,
    start: Instant,
    counters: SharedCounters,
}

impl Recorder {
    /// Records into memory that goes with the run (memfd_create(2)).
    ///
    /// # Errors
    /// When the system gives no descriptor or no memory.
    pub fn in_memory() -> io::Result<Arc<Self>> {
        let file = memfd_create("trace", MFdFlags::MFD_CLOEXEC)?;
        fcntl(&file, FcntlArg::F_SETFL(OFlag::O_APPEND))?;
        Self::new(File::from(file))
    }

    /// Records into the file `path`, which is emptied first. What was
    /// recorded is there even if the run is killed.
    ///
    /// # Errors
    /// When it cannot be opened for writing and reading, and when it is
    /// something else than a file.
    pub fn to_file(path: &Path) -> io::Result<Arc<Self>> {
        let mut options = File::options();
        let file = options.read(true).append(true).create(true).open(path)?;
        if !file.metadata()?.is_file() {
            // A full disk or a closed pipe is a better reason than the next.
            (&file).write_all(b"\n")?;
            return Err(io::Error::other(
                "it is no file that can be read back",
            ));
        }
        file.set_len(0)?;
        Self::new(file)
    }

    fn new(file: File) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            file,
            start: Instant::now(),
            counters: SharedCounters::new()?,
        }))
    }

    /// Nanoseconds since the run began.
    pub fn now_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// How many bytes have been recorded.
    ///
    /// # Errors
    /// What fstat(2) says.
    pub fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// The lines recorded since `offset`. One that is just being written is
    /// not among them: a reader can see the first page of it before the second
    /// is there.
    ///
    /// # Errors
    /// What pread(2) says, and when an event was lost on the way, since
    /// nothing can be proven from a trace with holes.
    pub fn lines_since(&self, offset: u64) -> io::Result<Vec<u8>> {
        if self.counters.lost.load(Relaxed) > 0 {
            let errno = self.counters.lost_errno.load(Relaxed);
            return Err(io::Error::from_raw_os_error(errno));
        }
        let length = self.length()?.saturating_sub(offset);
        let mut lines = vec![0; length as usize];
        self.file.read_exact_at(&mut lines, offset)?;
        let whole = lines.iter().rposition(|&byte| byte == b'\n');
        lines.truncate(whole.map_or(0, |end| end + 1));
        Ok(lines)
    }

    /// Records nothing while `body` runs, in any process, so that recording
    /// costs nothing where time is measured.
    pub fn muted<R>(&self, body: impl FnOnce() -> R) -> R {
        struct Muted<'a>(&'a AtomicU32);
        impl Drop for Muted<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Relaxed);
            }
        }
        self.counters.muted.fetch_add(1, Relaxed);
        let _muted = Muted(&self.counters.muted);
        body()
    }

    /// A track of that name. It is of the kind process or thread, whichever
    /// records on it.
    pub fn track(self: &Arc<Self>, name: impl Into<String>) -> Track {
        let (recorder, name) = (Arc::clone(self), name.into());
        Track { recorder, name, coroutine: false }
    }

    /// A track of that name for a coroutine.
    pub fn coroutine_track(self: &Arc<Self>, name: impl Into<String>) -> Track {
        let track = self.track(name);
        Track { coroutine: true, ..track }
    }

    fn record(&self, event: &Event) {
        let Ok(mut line) = serde_json::to_vec(event) else {
            return self.lose(nix::libc::EINVAL);
        };
        line.push(b'\n');
        let errno = loop {
            match (&self.file).write(&line) {
                Ok(written) if written == line.len() => return,
                Ok(_) => break nix::libc::ENOSPC,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    break error.raw_os_error().unwrap_or(nix::libc::EIO);
                }
            }
        };
        self.lose(errno);
    }

    fn lose(&self, errno: i32) {
        self.counters.lost_errno.store(errno, Relaxed);
        self.counters.lost.fetch_add(1, Relaxed);
    }
}

/// The start of an arrow from one track to another: whoever takes it over
/// goes on after the one who handed it over. It can travel with what is handed
/// over, also through a queue of processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "an arrow that nobody takes over orders nothing"]
pub struct Arrow(u64);

/// One row of a run: a process, a thread or a coroutine that records what
/// happens to it.
#[derive(Clone)]
pub struct Track {
    recorder: Arc<Recorder>,
    name: String,
    coroutine: bool,
}

impl Track {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it records.
    pub fn recorder(&self) -> &Arc<Recorder> {
        &self.recorder
    }

    /// Runs `body` as a span called `name`, which ends also when `body`
    /// panics.
    pub fn span<R>(&self, name: &str, body: impl FnOnce() -> R) -> R {
        let _span = self.begin(name);
        body()
    }

    /// Begins a span called `name`; it ends when the returned guard is
    /// dropped.
    pub fn begin(&self, name: &str) -> OpenSpan<'_> {
        self.begin_with(name, [])
    }

    /// Begins a span, with what is known of it.
    pub fn begin_with<const N: usize>(
        &self,
        name: &str,
        args: [(&str, Value); N],
    ) -> OpenSpan<'_> {
        self.record(Phase::Begin, name, args);
        OpenSpan { track: self, name: name.to_owned() }
    }

    /// A span called `name` went on from `from` to `to`, as was measured
    /// earlier by CLOCK_MONOTONIC, in whichever process. Unlike a span that
    /// was recorded as it went on, it is compared with others by these times.
    pub fn span_at(&self, name: &str, from: Instant, to: Instant) {
        let ns = |at: Instant| {
            let since = at.saturating_duration_since(self.recorder.start);
            Value::from(since.as_nanos() as u64)
        };
        let to = to.max(from);
        let args = [(FROM, ns(from)), (TO, ns(to))];
        self.record(Phase::Measured, name, args);
    }

    /// Something happened.
    pub fn mark(&self, name: &str) {
        self.record(Phase::Instant, name, []);
    }

    /// Something happened, with what is known of it.
    pub fn mark_with<const N: usize>(
        &self,
        name: &str,
        args: [(&str, Value); N],
    ) {
        self.record(Phase::Instant, name, args);
    }

    /// A value was seen.
    pub fn note(&self, name: &str, value: impl Into<Value>) {
        self.record(Phase::Instant, name, [(VALUE, value.into())]);
    }

    /// The counter `name` has this value from now on.
    pub fn count(&self, name: &str, value: impl Into<Value>) {
        self.record(Phase::Counter, name, [(VALUE, value.into())]);
    }

    /// Something happened that somebody else will go on from.
    pub fn hand_over(&self, name: &str) -> Arrow {
        let number = self.recorder.counters.arrows.fetch_add(1, Relaxed) + 1;
        self.record(Phase::Instant, name, [(OUT, number.into())]);
        Arrow(number)
    }

    /// Goes on from what was handed over.
    pub fn take_over(&self, name: &str, arrow: Arrow) {
        self.record(Phase::Instant, name, [(IN, arrow.0.into())]);
    }

    /// The process `pid` has ended and was waited for here. `how` is what
    /// wait said: the name of the signal that killed it, or nothing when it
    /// ended by itself.
    pub fn reaped(&self, pid: i32, killed_by: Option<&str>) {
        let (pid, signal) = (pid.into(), killed_by.into());
        self.record(Phase::Instant, REAPED, [("pid", pid), ("signal", signal)]);
    }

    /// Records an instant even while others are [muted](Recorder::muted): what
    /// was claimed or measured is not to be lost.
    pub(crate) fn insist<const N: usize>(
        &self,
        name: &str,
        args: [(&str, Value); N],
    ) {
        self.write(Phase::Instant, name, args);
    }

    fn record<const N: usize>(
        &self,
        ph: Phase,
        name: &str,
        args: [(&str, Value); N],
    ) {
        if self.recorder.counters.muted.load(Relaxed) == 0 {
            self.write(ph, name, args);
        }
    }

    fn write<const N: usize>(
        &self,
        ph: Phase,
        name: &str,
        args: [(&str, Value); N],
    ) {
        let (pid, tid) = (getpid().as_raw(), gettid().as_raw());
        let kind = match self.coroutine {
            true => Kind::Coroutine,
            false if pid == tid => Kind::Process,
            false => Kind::Thread,
        };
        let args = args.into_iter().map(|(key, value)| (key.to_owned(), value));
        self.recorder.record(&Event {
            t_ns: self.recorder.now_ns(),
            track: self.name.clone(),
            kind,
            pid,
            tid,
            ph,
            name: name.to_owned(),
            args: args.collect::<Map<_, _>>(),
        });
    }
}

/// A span that has begun; dropping it ends the span.
#[must_use = "the span ends where this is dropped"]
pub struct OpenSpan<'a> {
    track: &'a Track,
    name: String,
}

impl Drop for OpenSpan<'_> {
    fn drop(&mut self) {
        self.track.record(Phase::End, &self.name, []);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_events_are_an_error() {
        let full = File::options().append(true).open("/dev/full").unwrap();
        let recorder = Recorder::new(full).unwrap();
        recorder.track("a").mark("lost");
        let error = recorder.lines_since(0).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(nix::libc::ENOSPC));
    }

    #[test]
    fn a_line_that_is_being_written_is_not_read() {
        let recorder = Recorder::in_memory().unwrap();
        recorder.track("a").mark("whole");
        let whole = recorder.lines_since(0).unwrap();
        (&recorder.file).write_all(b"{\"t_ns\":1,").unwrap();
        assert_eq!(recorder.lines_since(0).unwrap(), whole);
        assert_eq!(recorder.lines_since(whole.len() as u64).unwrap(), b"");
    }

    #[test]
    fn muting_ends_with_its_body_also_by_a_panic() {
        let recorder = Recorder::in_memory().unwrap();
        let track = recorder.track("a");
        let panics =
            || recorder.muted(|| std::panic::resume_unwind(Box::new(())));
        let panicked =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics));
        assert!(panicked.is_err());
        recorder.muted(|| {
            recorder.muted(|| track.mark("unseen"));
            track.mark("unseen");
            track.insist("claim", []);
        });
        track.mark("seen");
        let lines =
            String::from_utf8(recorder.lines_since(0).unwrap()).unwrap();
        assert_eq!(lines.lines().count(), 2, "{lines}");
        assert!(!lines.contains("unseen"), "{lines}");
    }
}
