//! Pictures, the pages about them, and the lists of those.

use super::page::html;
use std::sync::OnceLock;

/// How many pictures there are, from `/gallery/image/1.png` on.
pub const PICTURES: usize = 60;

/// How many of them are on one list.
pub const PER_LIST: usize = 12;

/// From here on the pictures are the first ones again, under other names.
const DIFFERENT: usize = 55;

const WIDTH: u32 = 160;
const HEIGHT: u32 = 120;

/// What robots are asked.
pub(super) const ROBOTS: &str = "User-agent: *\nDisallow: /gallery/private/\n";

/// Whether a robot is asked not to fetch this.
pub(super) fn disallowed(path: &str) -> bool {
    path.starts_with("/gallery/private/")
}

/// The list `name`, a number from 1 on.
pub(super) fn list(name: &str) -> Option<String> {
    let list = name.parse::<usize>().ok()?;
    let first = list.checked_sub(1)?.checked_mul(PER_LIST)?;
    if first >= PICTURES {
        return None;
    }
    let last = PICTURES.min(first + PER_LIST);
    let links = (first + 1..=last).map(|n| {
        format!("<li><a href=\"/gallery/detail/{n}\">{}</a></li>\n", title(n))
    });
    let next = match last < PICTURES {
        true => {
            let next = list + 1;
            format!("<a rel=\"next\" href=\"/gallery/list/{next}\">next</a>, ")
        }
        false => String::new(),
    };
    Some(html(
        &format!("Gallery, list {list}"),
        &format!(
            "<ul>\n{}</ul>\n<p>{next}\
             <a href=\"/gallery/private/{list}\">not for robots</a></p>\n",
            links.collect::<String>()
        ),
    ))
}

/// The page about the picture `name`, a number from 1 on.
pub(super) fn detail(name: &str) -> Option<String> {
    let n = number(name)?;
    let list = (n - 1) / PER_LIST + 1;
    Some(html(
        &title(n),
        &format!(
            "<p><img src=\"/gallery/image/{n}.png\" alt=\"{}\" \
             width=\"{WIDTH}\" height=\"{HEIGHT}\"></p>\n\
             <p><a href=\"/gallery/list/{list}\">back</a></p>\n",
            title(n)
        ),
    ))
}

/// The picture `name`, a number from 1 on and `.png`: a PNG of 160 x 120.
pub(super) fn image(name: &str) -> Option<&'static [u8]> {
    picture(number(name.strip_suffix(".png")?)?)
}

/// The bytes of a picture, by its number from 1 on: what the site answers to
/// `/gallery/image/NUMBER.png`. The last five are the first five again.
///
/// It is painted once in a process; a site has those that were painted before
/// it was started.
#[must_use]
pub fn picture(number: usize) -> Option<&'static [u8]> {
    static PAINTED: [OnceLock<Vec<u8>>; DIFFERENT] =
        [const { OnceLock::new() }; DIFFERENT];
    let known = (1..=PICTURES).contains(&number);
    known.then(|| {
        let n = (number - 1) % DIFFERENT;
        PAINTED[n].get_or_init(|| png(&paint(n))).as_slice()
    })
}

fn number(name: &str) -> Option<usize> {
    let n = name.parse().ok()?;
    (1..=PICTURES).contains(&n).then_some(n)
}

fn title(n: usize) -> String {
    format!("Picture {n}")
}

/// Rings around a point on a ground that changes its colour: another picture
/// for each number. Three bytes a pixel.
fn paint(n: usize) -> Vec<u8> {
    let n = n as u32;
    let (x0, y0) = (n * 37 % WIDTH, n * 53 % HEIGHT);
    let (hue, rings) = (n * 67 % 256, 6 + n % 9);
    let pixels = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)));
    let colours = pixels.flat_map(|(x, y)| {
        let far = x.abs_diff(x0).pow(2) + y.abs_diff(y0).pow(2);
        let ring = if far.isqrt() / rings % 2 == 0 { 70 } else { 0 };
        [hue + x / 2, 255 - hue + y / 2, 2 * y + hue / 2]
            .map(|light| (light % 186 + ring).min(255) as u8)
    });
    colours.collect()
}

fn png(pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(pixels));
    written.expect("memory takes it, and the sizes agree");
    file
}
