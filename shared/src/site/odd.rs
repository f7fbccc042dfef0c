//! A page as people write them, and pictures whose names are no names of files.

use super::gallery::{PICTURES, picture};

/// No tag is as it should be, and no browser minds. The pictures are those of
/// `/odd/image/`, whatever their names are.
const PAGE: &str = r#"<!doctype html>
<title>Odd</title
><html><body background=paper.png>
<!-- <img src="/odd/image/in-a-comment.png"> -->
<script>let page = '<img src="/odd/image/in-a-script.png">';</script>
<p><b><i>Nothing here has an end
<table><tr><a href=/odd/>without quotes<A HREF='/odd/'>in capitals</a</A>
<a href="javascript:history.back()">back <a href="mailto:x@example.com">mail
<a href="http://[">no address <a href="https://example.com/">another host
<a href="/gallery/private/1">not for robots <a href="../gallery/">elsewhere
<a>nowhere <img alt="no source"><img src=""><img src="data:image/png;base64,AA">
<img src=/odd/image/plain.png><IMG SRC='/odd/image/plain.png'>
<img src="image/relative.png?size=2&amp;x=1" src="image/second.png">
<img src="../../../odd/./image/../image/dots.png">
<img src="/odd/image/..%2F..%2Foutside.png">
<img src="/odd/image/%2Ftmp%2Froot.png">
<img src="/odd/image/.hidden.png">
<img src="/odd/image/-rf%20~.png">
<img src="/odd/image/%00%1B[2J%0A%FF.png">
<img src="/odd/image/图 1.png">
<img src="/odd/image/LONG.png">
<img src="/odd/image/404.png"><img src="/odd/image/429.png">
<img src="/odd/image/500.png"><img src="/odd/image/cut.png">
<img src="/odd/image/garbled.png"><img src="/odd/image/html.png">
<img src="/odd/image/huge.png"><img src="/odd/image/redirect.png">
<img src="/odd/image/silent.png">
<img src=""#;

pub(super) fn page() -> String {
    PAGE.replace("LONG", &"long-".repeat(80))
}

/// The picture of that name: another one for each that is on the page.
pub(super) fn image(name: &str) -> &'static [u8] {
    let before = match PAGE.find(name) {
        Some(at) => PAGE[..at].matches("/odd/").count(),
        None => PICTURES / 2 + name.len() % 16,
    };
    picture(1 + before).unwrap_or_default()
}
