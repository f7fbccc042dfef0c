//! What the lessons stand on.
