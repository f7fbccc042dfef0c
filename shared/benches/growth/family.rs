//! What is compared in one picture, or in two.

use crate::curve::Curve;
use crate::unit::Unit;

/// Curves over the same numbers.
pub struct Family {
    pub name: &'static str,
    /// What the numbers count.
    pub counted: &'static str,
    /// What is done, for who reads the page.
    pub about: String,
    pub points: &'static [u64],
    /// Those for a quick look.
    pub few: &'static [u64],
    /// A figure has a value for each view.
    pub views: Vec<View>,
    pub curves: Vec<Curve>,
}

/// One side of a figure, and its picture.
pub struct View {
    /// The name of the picture's file.
    pub name: &'static str,
    pub title: &'static str,
    /// What the values are.
    pub axis: &'static str,
    pub unit: Unit,
    /// A limit that is known and not measured.
    pub bound: Option<Bound>,
}

/// What no curve can pass.
pub struct Bound {
    pub name: String,
    pub at: Box<dyn Fn(u64) -> f64>,
}
