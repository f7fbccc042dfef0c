//! All pictures on one sheet, to be looked at.

use crate::picture::check;
use crate::store::{INDEX, ROOM, read};
use anyhow::Context;
use image::imageops::{overlay, thumbnail};
use image::{ImageFormat, Rgb, RgbImage};
use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

const NAME: &str = "contact-sheet.png";
/// The room for one, and what is between two.
const WIDTH: u32 = 80;
const HEIGHT: u32 = 60;
const MARGIN: u32 = 4;
const COLUMNS: usize = 10;
/// More make no sheet to look at.
const MOST: usize = 1000;

/// Draws the pictures of a folder, in the order of its index; where the sheet
/// is.
pub fn draw(folder: &Path) -> shared::Result<PathBuf> {
    let index = read(&folder.join(INDEX))?;
    let index = String::from_utf8_lossy(&index);
    let files = index.lines().skip(1).filter_map(|l| l.split('\t').nth(1));
    let mut seen = BTreeSet::new();
    let files = files.filter(|file| seen.insert(file.to_owned()));
    let files: Vec<_> = files.take(MOST).collect();
    let columns = files.len().clamp(1, COLUMNS) as u32;
    let rows = files.len().div_ceil(COLUMNS).max(1) as u32;
    let size = |count, room| count * (room + MARGIN) + MARGIN;
    let paper = Rgb([255; 3]);
    let mut sheet =
        RgbImage::from_pixel(size(columns, WIDTH), size(rows, HEIGHT), paper);
    for (number, file) in files.into_iter().enumerate() {
        let picture = check(&read(&folder.join(file))?);
        let Ok(picture) = picture else { continue }; // somebody's own file
        let picture = picture.to_rgb8();
        let (width, height) = fitting(picture.width(), picture.height());
        let small = thumbnail(&picture, width, height);
        let place = |n: usize, room| i64::from(size(n as u32, room));
        let x = place(number % COLUMNS, WIDTH) + i64::from(WIDTH - width) / 2;
        let y =
            place(number / COLUMNS, HEIGHT) + i64::from(HEIGHT - height) / 2;
        overlay(&mut sheet, &small, x, y);
    }
    let mut file = Vec::new();
    sheet.write_to(&mut Cursor::new(&mut file), ImageFormat::Png)?;
    let (path, aside) = (folder.join(NAME), folder.join(format!(".{NAME}")));
    let written =
        fs::write(&aside, file).and_then(|()| fs::rename(&aside, &path));
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
    written.with_context(|| format!("cannot write {path:?}; {ROOM}"))?;
    Ok(path)
}

/// The largest size of the same shape that has room.
fn fitting(width: u32, height: u32) -> (u32, u32) {
    let scale = f64::min(
        f64::from(WIDTH) / f64::from(width),
        f64::from(HEIGHT) / f64::from(height),
    );
    let side = |side: u32| ((f64::from(side) * scale) as u32).max(1);
    (side(width), side(height))
}
