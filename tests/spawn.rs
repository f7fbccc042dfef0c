//! Lesson 26.
