//! A picture: where it is, how its file is called, and whether it is one.

use crate::name::file_name;
use image::{DynamicImage, ImageError, ImageReader, Limits};
use serde::{Deserialize, Serialize};
use std::io::Cursor;
use url::Url;

/// A larger one is refused before it takes the memory.
const MOST_PIXELS_A_SIDE: u32 = 16_384;
const MOST_BYTES: u64 = 256 << 20;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    pub address: String,
    /// Of its file.
    pub name: String,
}

impl Picture {
    pub fn at(url: &Url) -> Self {
        Self { address: url.to_string(), name: file_name(url) }
    }

    /// Its address without the host, which all pictures have in common.
    pub fn path(&self) -> &str {
        path(&self.address)
    }
}

/// An address without its host.
pub fn path(address: &str) -> &str {
    let path = address.match_indices('/').nth(2);
    path.map_or(address, |(at, _)| &address[at..])
}

/// Decodes all of it: a half has a good beginning, too. The server's word that
/// it is a picture is not asked for.
pub fn check(bytes: &[u8]) -> Result<DynamicImage, String> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_PIXELS_A_SIDE);
    limits.max_image_height = Some(MOST_PIXELS_A_SIDE);
    limits.max_alloc = Some(MOST_BYTES);
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = reader.map_err(|error| error.to_string())?;
    if reader.format().is_none() {
        return Err("no picture".to_owned());
    }
    reader.limits(limits);
    reader.decode().map_err(|error| match error {
        ImageError::Limits(_) => "a picture that is too large".to_owned(),
        ImageError::Unsupported(_) => "a picture of another kind".to_owned(),
        _ => "a damaged picture".to_owned(),
    })
}
