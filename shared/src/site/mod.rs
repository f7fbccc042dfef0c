//! A web site on this machine, for lessons that talk to one.
//!
//! A class may have no network, and nobody's service is to be put under load
//! by an exercise. So this is a real server (hyper) behind real sockets, in a
//! process of its own, on 127.0.0.1:
//!
//! | path | what is there |
//! |---|---|
//! | `/` | links to all of it |
//! | `/json/ADDRESS` | where an IP address is, as ip-api.com tells it |
//! | `/pages/`, `/pages/1` … | pages of HTML with titles and links |
//! | `/gallery/`, `/gallery/list/1` … | pages of links to pictures |
//! | `/gallery/detail/1` … | a page about one picture |
//! | `/gallery/image/1.png` … | the picture |
//! | `/odd/` | a page of broken HTML, and pictures with odd addresses |
//! | `/robots.txt` | what a robot is not to fetch |
//! | `/stats` | how much was asked for, and how much of it at once |
//!
//! Each answer takes a chosen time ([`Plan::latency`], or `?ms=300`), and each
//! can fail in a chosen way ([`Plan::fault`], or `?fault=500`; see [`Fault`]).
//! At a [`DeadEnd`] nobody listens at all.
//!
//! ```standalone_crate
//! use shared::site::{Plan, Site};
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let site = Site::start(Plan::new())?;
//! let mut socket = TcpStream::connect(site.address())?;
//! write!(socket, "GET /json/8.8.8.8 HTTP/1.0\r\n\r\n")?;
//! let mut answer = String::new();
//! socket.read_to_string(&mut answer)?;
//! assert!(answer.contains("\"status\":\"success\""));
//! # Ok(())
//! # }
//! ```

mod body;
mod counted;
mod dead_end;
mod fault;
mod gallery;
mod lookup;
mod meeting;
mod odd;
mod page;
mod plan;
mod reply;
mod server;
#[expect(
    clippy::module_inception,
    reason = "one noun a file, and this one has the module's name"
)]
mod site;
mod stats;

pub use counted::Counted;
pub use dead_end::DeadEnd;
pub use fault::Fault;
pub use gallery::{PER_LIST, PICTURES, picture};
pub use page::PAGES;
pub use plan::Plan;
pub use server::serve;
pub use site::{Site, SiteError};
