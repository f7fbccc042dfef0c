//! Curves on log scales.

use crate::curve::{Curve, Kind};
use crate::family::View;
use crate::growth::Growth;
use crate::unit::{Unit, count};
use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const SIZE: (u32, u32) = (800, 480);
/// Where the curves end and their names begin.
const NAMES: u32 = 185;
/// The least between two names.
const LINE: i32 = 21;

const INK: RGBColor = RGBColor(50, 50, 50);
const PALE: RGBColor = RGBColor(228, 228, 228);
const GREY: RGBColor = RGBColor(120, 120, 120);
const BLUES: [RGBColor; 2] = [RGBColor(25, 95, 180), RGBColor(100, 165, 230)];
const ORANGES: [RGBColor; 2] = [RGBColor(225, 125, 20), RGBColor(165, 80, 30)];
const OTHERS: [RGBColor; 4] = [
    RGBColor(40, 150, 90),
    RGBColor(140, 85, 170),
    RGBColor(205, 60, 90),
    RGBColor(20, 150, 160),
];
const GREYS: [RGBColor; 2] = [RGBColor(70, 70, 70), RGBColor(140, 140, 140)];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// A curve as it is drawn.
struct Line {
    name: String,
    colour: RGBColor,
    kind: Kind,
    shape: Option<usize>,
    points: Vec<(f64, f64)>,
}

/// The picture of a view, as SVG.
pub fn draw(growth: &Growth<'_>, index: usize, view: &View) -> Result<String> {
    let lines = lines(growth, index, view);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        draw_on(&root, growth, view, &lines).map_err(|error| {
            anyhow!("cannot draw {}.svg: {error}", view.name)
        })?;
    }
    Ok(svg)
}

/// What there is to draw, the limits first, so that they lie below.
fn lines(growth: &Growth<'_>, index: usize, view: &View) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(bound) = &view.bound {
        let points = growth.points.iter();
        let points = points.map(|&x| (x as f64, (bound.at)(x)));
        lines.push(Line {
            name: bound.name.clone(),
            colour: GREYS[0],
            kind: Kind::Limit,
            shape: None,
            points: points.collect(),
        });
    }
    let curves = &growth.family.curves;
    for (number, Curve { name, kind, .. }) in curves.iter().enumerate() {
        let before = curves[..number].iter().filter(|it| it.kind == *kind);
        let before = before.count();
        let colours: &[RGBColor] = match kind {
            Kind::Ours => &BLUES,
            Kind::Limit => &GREYS,
            Kind::Python => &ORANGES,
            Kind::Other => &OTHERS,
        };
        let line = growth.line(number, index).into_iter();
        let line = line.map(|(x, y)| (x as f64, y));
        lines.push(Line {
            name: (*name).to_owned(),
            colour: colours[before % colours.len()],
            kind: *kind,
            shape: Some(number),
            points: line.collect(),
        });
    }
    lines.retain(|line| !line.points.is_empty());
    lines.sort_by_key(|line| match line.kind {
        Kind::Limit => 0,
        Kind::Other => 1,
        Kind::Python => 2,
        Kind::Ours => 3,
    });
    lines
}

fn draw_on(
    root: &Area<'_>,
    growth: &Growth<'_>,
    view: &View,
    lines: &[Line],
) -> Drawn {
    let text = |size: i32| ("sans-serif", size).into_font().color(&INK);
    root.fill(&WHITE)?;
    root.draw(&Text::new(view.title, (14, 12), text(20)))?;
    let values = || lines.iter().flat_map(|line| &line.points);
    let least = values().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let most = values().map(|point| point.1).fold(0.0, f64::max);
    let (least, most) = room(least, most, view.unit);
    let first = growth.points.first().map_or(1.0, |&x| x as f64);
    let last = growth.points.last().map_or(1.0, |&x| x as f64);
    let last = last.max(first * 2.0);
    let chart = ChartBuilder::on(root)
        .margin_top(62)
        .margin_left(76)
        .margin_right(NAMES)
        .margin_bottom(54)
        .build_cartesian_2d(
            (first..last).log_scale(),
            (least..most).log_scale(),
        )?;
    let at = |x: f64, y: f64| chart.backend_coord(&(x, y));
    // The axes: what is counted below, the values to the left.
    for &x in growth.points {
        let (right, below) = at(x as f64, least);
        let (_, above) = at(x as f64, most);
        root.draw(&PathElement::new([(right, above), (right, below)], PALE))?;
        let style = text(14).pos(Pos::new(HPos::Center, VPos::Top));
        root.draw(&Text::new(count(x), (right, below + 8), style))?;
    }
    for y in view.unit.ticks(least, most) {
        let ((left, height), (right, _)) = (at(first, y), at(last, y));
        root.draw(&PathElement::new([(left, height), (right, height)], PALE))?;
        let style = text(14).pos(Pos::new(HPos::Right, VPos::Center));
        root.draw(&Text::new(view.unit.tick(y), (left - 9, height), style))?;
    }
    let (corner, end) = (at(first, least), at(last, least));
    let frame = [at(first, most), corner, end];
    root.draw(&PathElement::new(frame, GREY))?;
    root.draw(&Text::new(view.axis, (14, 40), text(14)))?;
    let style = text(14).pos(Pos::new(HPos::Center, VPos::Top));
    let middle = ((corner.0 + end.0) / 2, corner.1 + 30);
    root.draw(&Text::new(growth.family.counted, middle, style))?;
    let tops =
        names(lines, |line| line.points.last().map_or(0, |&(x, y)| at(x, y).1));
    let from = end.0 + 22;
    for (line, top) in lines.iter().zip(tops) {
        let sample = vec![(from, top), (from + 34, top)];
        stroke(root, line, sample)?;
        mark(root, line, (from + 17, top))?;
        let style = text(15).pos(Pos::new(HPos::Left, VPos::Center));
        root.draw(&Text::new(line.name.as_str(), (from + 42, top), style))?;
        let points: Vec<_> =
            line.points.iter().map(|&(x, y)| at(x, y)).collect();
        stroke(root, line, points.clone())?;
        points.into_iter().try_for_each(|point| mark(root, line, point))?;
    }
    root.present()?;
    Ok(())
}

/// Room above and below, to the next tick where that is near.
fn room(least: f64, most: f64, unit: Unit) -> (f64, f64) {
    let wide = (least / 1.25, most * 1.25);
    let wider = (least / 2.0, most * 2.0);
    let ticks = unit.ticks(wider.0, wider.1);
    let below = ticks.iter().copied().filter(|tick| *tick <= least);
    let above = ticks.iter().copied().filter(|tick| *tick >= most);
    (
        below.fold(f64::NAN, f64::max).min(wide.0),
        above.fold(f64::NAN, f64::min).max(wide.1),
    )
}

/// How high the names stand: where their curves end, and none over another.
fn names(lines: &[Line], end: impl Fn(&Line) -> i32) -> Vec<i32> {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|&index| end(&lines[index]));
    let mut tops = vec![0; lines.len()];
    let mut free = 62;
    for &index in &order {
        tops[index] = end(&lines[index]).max(free);
        free = tops[index] + LINE;
    }
    // What hangs over the end is moved up again.
    let mut most = SIZE.1 as i32 - 50;
    for &index in order.iter().rev() {
        tops[index] = tops[index].min(most);
        most = tops[index] - LINE;
    }
    tops
}

fn stroke(root: &Area<'_>, line: &Line, points: Vec<(i32, i32)>) -> Drawn {
    let width = if line.kind == Kind::Ours { 3 } else { 2 };
    let style = line.colour.stroke_width(width);
    if line.kind == Kind::Limit {
        root.draw(&DashedPathElement::new(points, 7, 5, style))?;
    } else {
        root.draw(&PathElement::new(points, style))?;
    }
    Ok(())
}

/// A mark of one of four shapes, so that colours are not all there is.
fn mark(root: &Area<'_>, line: &Line, (x, y): (i32, i32)) -> Drawn {
    let fill = line.colour.filled();
    match line.shape.map(|shape| shape % 4) {
        None => {}
        Some(0) => root.draw(&Circle::new((x, y), 5, fill))?,
        Some(1) => {
            let corners = [(x - 4, y - 4), (x + 4, y + 4)];
            root.draw(&Rectangle::new(corners, fill))?;
        }
        Some(2) => root.draw(&TriangleMarker::new((x, y), 6, fill))?,
        Some(_) => {
            let corners = [(x, y - 6), (x + 6, y), (x, y + 6), (x - 6, y)];
            root.draw(&Polygon::new(corners, fill))?;
        }
    }
    Ok(())
}
