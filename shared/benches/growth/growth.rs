//! The figures of a family: taken, and told.

use crate::curve::{Curve, Kind};
use crate::family::{Family, View};
use crate::reading::{OtherWork, Reading};
use crate::unit::count;
use comfy_table::{CellAlignment, Table, presets};
use shared::median;

/// The figures of a family.
pub struct Growth<'a> {
    pub family: &'a Family,
    pub points: &'static [u64],
    /// By curve and by point: the readings of all rounds.
    taken: Vec<Vec<Vec<Reading>>>,
    /// By curve: where it ends, and why.
    ends: Vec<Option<End>>,
}

struct End {
    at: u64,
    why: String,
    is_fault: bool,
}

impl<'a> Growth<'a> {
    pub fn new(family: &'a Family, is_short: bool) -> Self {
        let points = if is_short { family.few } else { family.points };
        let empty = |_: &Curve| points.iter().map(|_| Vec::new()).collect();
        let taken = family.curves.iter().map(empty).collect();
        let ends = family.curves.iter().map(|_| None).collect();
        Self { family, points, taken, ends }
    }

    /// Takes each figure once more. A curve ends where a figure could not be
    /// had.
    pub fn round(&mut self) {
        for (at, &point) in self.points.iter().enumerate() {
            for (index, curve) in self.family.curves.iter().enumerate() {
                if self.ends[index].as_ref().is_some_and(|it| it.at <= point) {
                    continue;
                }
                let end = match (curve.refuses)(point) {
                    Some(why) => End { at: point, why, is_fault: false },
                    None => match Reading::take(curve, point) {
                        Ok(reading) => {
                            self.taken[index][at].push(reading);
                            continue;
                        }
                        Err(error) => End {
                            at: point,
                            why: format!("{error:#}"),
                            // What others lack is said, and no fault of ours;
                            // that they do other work is.
                            is_fault: curve.kind == Kind::Ours
                                || error.is::<OtherWork>(),
                        },
                    },
                };
                eprintln!("{}", self.told(curve, &end));
                self.ends[index] = Some(end);
            }
        }
    }

    /// Whether no figure is missing that should be there.
    pub fn is_sound(&self) -> bool {
        !self.ends.iter().flatten().any(|end| end.is_fault)
    }

    /// The median of a curve's figures at a point, in the view of this number.
    pub fn value(&self, curve: usize, at: usize, view: usize) -> Option<f64> {
        let readings = self.taken[curve][at].iter();
        let values = readings.filter_map(|it| *it.values.get(view)?);
        median(&values.collect::<Vec<_>>())
    }

    /// The points of a curve that can be drawn.
    pub fn line(&self, curve: usize, view: usize) -> Vec<(u64, f64)> {
        let points = self.points.iter().enumerate();
        let values = points.filter_map(|(at, &point)| {
            Some((point, self.value(curve, at, view)?))
        });
        values.filter(|(_, value)| *value > 0.0).collect()
    }

    /// Where curves end, and why.
    pub fn notes(&self) -> Vec<String> {
        let curves = self.family.curves.iter().zip(&self.ends);
        let ended =
            curves.filter_map(|(curve, end)| Some((curve, end.as_ref()?)));
        ended.map(|(curve, end)| self.told(curve, end)).collect()
    }

    fn told(&self, curve: &Curve, end: &End) -> String {
        let (point, counted) = (count(end.at), self.family.counted);
        format!("{}: not at {point} {counted}: {}", curve.name, end.why)
    }

    /// The rows of a view's table; first its heads, last the growth.
    pub fn rows(&self, index: usize, view: &View) -> Vec<Vec<String>> {
        let curves = 0..self.family.curves.len();
        let names =
            self.family.curves.iter().map(|curve| curve.name.to_owned());
        let bound = view.bound.as_ref();
        let mut heads = vec![self.family.counted.to_owned()];
        heads.extend(names);
        heads.extend(bound.map(|bound| bound.name.clone()));
        let mut rows = vec![heads];
        for (at, &point) in self.points.iter().enumerate() {
            let mut row = vec![count(point)];
            row.extend(curves.clone().map(|curve| {
                let value = self.value(curve, at, index);
                value.map_or("-".to_owned(), |value| view.unit.text(value))
            }));
            row.extend(bound.map(|bound| view.unit.text((bound.at)(point))));
            rows.push(row);
        }
        if self.points.len() > 1 {
            let mut row = vec!["last : first".to_owned()];
            row.extend(curves.map(|curve| times(&self.line(curve, index))));
            row.extend(bound.map(|_| String::new()));
            rows.push(row);
        }
        rows
    }

    /// The tables and the notes for a terminal.
    pub fn shown(&self) -> String {
        let mut text = String::new();
        for (index, view) in self.family.views.iter().enumerate() {
            let mut rows = self.rows(index, view).into_iter();
            let mut table = Table::new();
            table.load_style(presets::NOTHING);
            table.set_header(rows.next().unwrap_or_default());
            table.add_rows(rows);
            for column in table.column_iter_mut() {
                column.set_cell_alignment(CellAlignment::Right);
            }
            text += &format!("{} ({})\n{table}\n", view.title, view.axis);
        }
        for note in self.notes() {
            text += &format!("{note}\n");
        }
        text
    }
}

/// How many times the first value the last one is.
fn times(line: &[(u64, f64)]) -> String {
    match line {
        [(_, first), .., (_, last)] => {
            let ratio = last / first;
            let digits = if ratio < 9.95 { 2 } else { 0 };
            format!("× {ratio:.digits$}")
        }
        _ => "-".to_owned(),
    }
}
