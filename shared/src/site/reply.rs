//! What a path is answered with.

use super::body::Body;
use super::fault::Fault;
use super::stats::Stats;
use super::{gallery, lookup, odd, page};
use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER,
};
use hyper::{Response, StatusCode};

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const PNG: &str = "image/png";

/// What stands at a path: its type and its bytes.
pub(super) struct Content {
    kind: &'static str,
    bytes: Bytes,
}

impl Content {
    fn new(kind: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self { kind, bytes: bytes.into() }
    }
}

/// What stands at `path`, if anything does.
pub(super) fn content(path: &str, stats: &Stats) -> Option<Content> {
    let html = |text: String| Content::new(HTML, text);
    match path {
        "/" => return Some(html(page::home())),
        "/pages/" => return Some(html(page::index())),
        "/gallery/" => return gallery::list("1").map(html),
        "/odd/" => return Some(html(odd::page())),
        "/robots.txt" => return Some(Content::new(TEXT, gallery::ROBOTS)),
        "/stats" => return Some(Content::new(JSON, stats.json().to_string())),
        _ => {}
    }
    let (folder, name) = path.rsplit_once('/')?;
    match folder {
        "/json" => Some(Content::new(JSON, lookup::lookup(name).to_string())),
        "/pages" => page::page(name).map(html),
        "/gallery/list" | "/gallery/private" => gallery::list(name).map(html),
        "/gallery/detail" => gallery::detail(name).map(html),
        "/gallery/image" => {
            gallery::image(name).map(|file| Content::new(PNG, file))
        }
        "/odd/image" => Some(Content::new(PNG, odd::image(name))),
        _ => None,
    }
}

pub(super) fn whole(content: Option<Content>) -> Response<Body> {
    match content {
        None => error(StatusCode::NOT_FOUND),
        Some(Content { kind, bytes }) => {
            answer(StatusCode::OK, kind, Body::Whole(bytes))
        }
    }
}

/// The answer with `fault`; none where there is to be no answer at all, of
/// which the server takes care. `hop` is how often the client was sent on.
pub(super) fn faulty(
    content: Option<Content>,
    fault: Fault,
    path: &str,
    hop: u64,
    retry_after: u64,
) -> Option<Response<Body>> {
    let Content { kind, bytes } = content
        .unwrap_or_else(|| Content::new(HTML, page::html("Not found", "")));
    let ok = |kind, body| Some(answer(StatusCode::OK, kind, body));
    match fault {
        Fault::NotFound => Some(error(StatusCode::NOT_FOUND)),
        Fault::TooMany => {
            let mut answer = error(StatusCode::TOO_MANY_REQUESTS);
            answer.headers_mut().insert(RETRY_AFTER, retry_after.into());
            Some(answer)
        }
        Fault::Failed => Some(error(StatusCode::INTERNAL_SERVER_ERROR)),
        Fault::Silent | Fault::Closed => None,
        Fault::Cut => {
            let length = bytes.len();
            Some(promising(
                length,
                answer(StatusCode::OK, kind, Body::cut(bytes)),
            ))
        }
        Fault::Length => {
            let length = bytes.len() + 1000;
            let answer = answer(StatusCode::OK, kind, Body::stalled(bytes));
            Some(promising(length, answer))
        }
        Fault::Drip => {
            let length = bytes.len();
            let answer = answer(StatusCode::OK, kind, Body::dripping(bytes));
            Some(promising(length, answer))
        }
        Fault::Garbled => {
            let half = bytes.slice(..bytes.len() / 2);
            ok(kind, Body::Whole(half))
        }
        Fault::Html => {
            let page = page::html("Please log in", "<p>Who are you?</p>\n");
            ok(HTML, Body::Whole(page.into()))
        }
        Fault::Bare => ok(JSON, Body::Whole(r#"{"status":"success"}"#.into())),
        Fault::Redirect => {
            let next = format!("{path}?fault=redirect&hop={}", hop + 1);
            let mut answer = error(StatusCode::FOUND);
            let next = HeaderValue::try_from(next)
                .expect("a path that came in a request is ASCII");
            answer.headers_mut().insert(LOCATION, next);
            Some(answer)
        }
        Fault::Huge => ok(kind, Body::huge()),
    }
}

/// Only GET is answered, and HEAD, which is GET without the body.
pub(super) fn wrong_method() -> Response<Body> {
    let mut answer = error(StatusCode::METHOD_NOT_ALLOWED);
    let allowed = HeaderValue::from_static("GET, HEAD");
    answer.headers_mut().insert(ALLOW, allowed);
    answer
}

fn promising(length: usize, mut answer: Response<Body>) -> Response<Body> {
    answer.headers_mut().insert(CONTENT_LENGTH, length.into());
    answer
}

fn error(status: StatusCode) -> Response<Body> {
    let page = page::html(&status.to_string(), "");
    answer(status, HTML, Body::Whole(page.into()))
}

fn answer(
    status: StatusCode,
    kind: &'static str,
    body: Body,
) -> Response<Body> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
