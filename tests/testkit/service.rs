//! A service that a test makes up.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Lets so many clients in at a free port of this machine, and then nobody any
/// more; `answer` deals with each of them in a thread of its own. Goes with the
/// test.
///
/// # Panics
/// When no port can be had.
pub fn serve_some(
    most: usize,
    answer: impl Fn(TcpStream) + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0");
    let listener = listener.expect("there is a free port");
    let address = listener.local_addr().expect("it has an address");
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for client in listener.incoming().flatten().take(most) {
            let answer = Arc::clone(&answer);
            thread::spawn(move || answer(client));
        }
    });
    address
}

/// [`serve_some`], for all who come.
///
/// # Panics
/// When no port can be had.
pub fn serve(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    serve_some(usize::MAX, answer)
}
