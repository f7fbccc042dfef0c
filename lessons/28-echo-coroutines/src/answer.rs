//! What a line is answered.

use shared::lines::{LONGEST, NOT_UTF8};

/// The answer to a line; none if it is too long to be whole.
pub fn in_upper_case(line: &[u8]) -> Option<String> {
    if line.len() == LONGEST && !line.ends_with(b"\n") {
        return None;
    }
    let answer = str::from_utf8(line).map(str::to_uppercase);
    Some(answer.unwrap_or_else(|_| NOT_UTF8.to_owned()))
}
