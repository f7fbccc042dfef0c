//! How values become bytes.

use postcard::ser_flavors::Flavor;
use serde::Serialize;

/// Appends the bytes of a value; after an error there are no more than before.
#[inline]
pub(crate) fn append<T: Serialize + ?Sized>(
    value: &T,
    bytes: &mut Vec<u8>,
) -> postcard::Result<()> {
    let before = bytes.len();
    let encoded = postcard::serialize_with_flavor(value, Append(bytes));
    if encoded.is_err() {
        bytes.truncate(before);
    }
    encoded
}

/// A `Vec` as a place for postcard's output, without moving it.
struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
