//! What the tests of the lessons have in common.
