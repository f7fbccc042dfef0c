//! A connector for ureq whose sockets are those of `may`.

use may::net::TcpStream;
use std::fmt;
use std::io::{self, Read, Write};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

/// What a client reads into, and writes from, in bytes.
const BUFFER: usize = 8 << 10;

/// Connects as `may` does: whoever waits lets other coroutines run.
#[derive(Debug)]
pub struct Yielding;

impl<In: Transport> Connector<In> for Yielding {
    type Out = Socket;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<In>,
    ) -> Result<Option<Socket>, Error> {
        let stream = TcpStream::connect(details.addrs.as_ref())?;
        let buffers = LazyBuffers::new(BUFFER, BUFFER);
        Ok(Some(Socket { stream, buffers }))
    }
}

/// A socket of `may`, and what has come from it or is to go there.
pub struct Socket {
    stream: TcpStream,
    buffers: LazyBuffers,
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(
        &mut self,
        amount: usize,
        timeout: NextTimeout,
    ) -> Result<(), Error> {
        self.stream.set_write_timeout(timeout.not_zero().map(|t| *t))?;
        let output = &self.buffers.output()[..amount];
        self.stream.write_all(output).map_err(|e| late(e, &timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.set_read_timeout(timeout.not_zero().map(|t| *t))?;
        let input = self.buffers.input_append_buf();
        let amount = self.stream.read(input).map_err(|e| late(e, &timeout))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// It is used for one question.
    fn is_open(&mut self) -> bool {
        false
    }
}

fn late(error: io::Error, timeout: &NextTimeout) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut => Error::Timeout(timeout.reason),
        _ => error.into(),
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Socket")
    }
}
