//! Lesson 31.
