//! A picture of all ratios.

use super::compare::Compared;
use super::comparison::mean_ratio;
use anyhow::{Result, anyhow};
use plotters::prelude::*;

const INK: RGBColor = RGBColor(60, 60, 60);
const WORK: RGBColor = RGBColor(45, 110, 180);
const WAIT: RGBColor = RGBColor(190, 190, 190);
const PALE: RGBColor = RGBColor(225, 225, 225);

/// A row a lesson: a dot for each figure, pale if it is a wait, and a bar for
/// their mean; to the right of 1 Rust is the quicker one, on a log scale.
pub fn ratios(lessons: &[Compared]) -> Result<String> {
    let figures = lessons.iter().flat_map(|lesson| &lesson.figures);
    let ratios: Vec<f64> = figures.map(|figure| figure.ratio).collect();
    let least = ratios.iter().copied().fold(0.5, f64::min) / 1.3;
    let most = ratios.iter().copied().fold(2.0, f64::max) * 1.3;
    let rows = lessons.len();
    let mut svg = String::new();
    {
        let size = (800, 90 + 20 * rows as u32);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&root, lessons, least..most)
            .map_err(|error| anyhow!("cannot draw the ratios: {error}"))?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw(
    root: &Area<'_>,
    lessons: &[Compared],
    range: std::ops::Range<f64>,
) -> Result<(), Box<dyn std::error::Error>> {
    let font = |size: i32| ("sans-serif", size).into_font().color(&INK);
    root.fill(&WHITE)?;
    let rows = lessons.len() as i32;
    let mut chart = ChartBuilder::on(root)
        .caption("How many times as long Python takes", font(18))
        .margin(12)
        .x_label_area_size(34)
        .y_label_area_size(150)
        .build_cartesian_2d(range.clone().log_scale(), 0..rows)?;
    let name = |row: &i32| {
        let lesson = usize::try_from(rows - 1 - row).ok();
        let lesson = lesson.and_then(|row| lessons.get(row));
        lesson.map_or(String::new(), |lesson| {
            format!("{} {}", lesson.number, lesson.package)
        })
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(WHITE)
        .bold_line_style(PALE)
        .axis_style(PALE)
        // None: but it would look for places of that many for ever.
        .y_labels(1)
        .y_label_formatter(&|_| String::new())
        .x_labels(8)
        .x_label_formatter(&|ratio| match *ratio < 1.0 {
            true => format!("{ratio:.1}"),
            false => format!("{ratio:.0}"),
        })
        .x_label_style(font(13))
        .draw()?;
    for (index, lesson) in lessons.iter().enumerate() {
        let row = rows - 1 - index as i32;
        let label = name(&row);
        let at = chart.backend_coord(&(range.start, row));
        let at = (at.0 - 8, at.1 - 16);
        let style = font(13).pos(plotters::style::text_anchor::Pos::new(
            plotters::style::text_anchor::HPos::Right,
            plotters::style::text_anchor::VPos::Top,
        ));
        root.draw(&Text::new(label, at, style))?;
        if let Some(mean) = mean_ratio(&lesson.figures) {
            let from = chart.backend_coord(&(1.0, row));
            let to = chart.backend_coord(&(mean, row));
            let bar = [(from.0, from.1 - 13), (to.0, to.1 - 7)];
            root.draw(&Rectangle::new(bar, WORK.mix(0.35).filled()))?;
        }
        for figure in &lesson.figures {
            let colour = if figure.waits { WAIT } else { WORK };
            let at = chart.backend_coord(&(figure.ratio, row));
            let at = (at.0, at.1 - 10);
            root.draw(&Circle::new(at, 4, colour.filled()))?;
        }
    }
    let one = [(1.0, 0), (1.0, rows)];
    chart.draw_series(LineSeries::new(one, INK))?;
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::Comparison;

    #[test]
    fn each_lesson_has_a_row_and_each_figure_a_dot() {
        for rows in [1, 2, 33, 200] {
            let figure = |ratio: f64| Comparison {
                label: "add".to_owned(),
                result: 3.into(),
                python: vec![ratio],
                rust: vec![1.0],
                ratio,
                waits: false,
            };
            let lessons = (1..=rows).map(|number| Compared {
                number,
                package: format!("lesson-{number}"),
                figures: vec![figure(0.7), figure(1026.0)],
            });
            let svg = ratios(&lessons.collect::<Vec<_>>()).expect("a picture");
            let dots = svg.matches("<circle").count();
            assert_eq!(dots, 2 * rows as usize);
            assert!(svg.contains(&format!("{rows} lesson-{rows}")), "{svg}");
        }
    }
}
