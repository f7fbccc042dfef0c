//! Lesson 18.
