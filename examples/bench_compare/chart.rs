//! The measurements as bars. The picture is text (SVG): no screen and no fonts are needed to make it.

use super::{Row, ways::WAYS};
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use std::{error::Error, path::Path};

/// Light grey, khaki, light coral, sky blue: as many as there are ways.
const COLOURS: [RGBColor; WAYS.len()] =
    [RGBColor(211, 211, 211), RGBColor(240, 230, 140), RGBColor(240, 128, 128), RGBColor(135, 206, 235)];

/// The bars of one number of requests, and a gap.
const GROUP: f64 = WAYS.len() as f64 + 1.0;

/// Draws a group of bars for each number of requests; their height is the logarithm of the time.
pub(super) fn draw(path: &Path, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut groups: Vec<usize> = rows.iter().map(|row| row.requests).collect();
    groups.dedup();
    let times = rows.iter().map(|row| row.middle().wall);
    let (least, most) = times.fold((f64::MAX, f64::MIN), |(least, most), time| (time.min(least), time.max(most)));
    let (bottom, top) = (least.max(1e-6) / 2.0, most.max(1e-6) * 8.0);

    let area = SVGBackend::new(path, (760, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let numbers: Vec<_> = groups.iter().map(usize::to_string).collect();
    let mut chart = ChartBuilder::on(&area)
        .caption(format!("Threads and tasks: {} requests", numbers.join(", ")), ("sans-serif", 20))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..GROUP * groups.len() as f64, (bottom..top).log_scale())?;
    chart.configure_mesh().disable_x_mesh().disable_x_axis().y_desc("time (s)").x_desc("requests").draw()?;

    let small = |vertical| ("sans-serif", 13).into_font().color(&BLACK).pos(Pos::new(HPos::Center, vertical));
    for (way, (name, _)) in WAYS.iter().enumerate() {
        let rows = rows.iter().filter(|row| row.way == way);
        let bars: Vec<(f64, f64)> = rows
            .map(|row| {
                let group = groups.iter().position(|requests| *requests == row.requests).expect("it is from the rows");
                (group as f64 * GROUP + way as f64 + 0.5, row.middle().wall)
            })
            .collect();
        let bar = |(left, time): &(f64, f64)| {
            Rectangle::new([(left + 0.05, bottom), (left + 0.95, *time)], COLOURS[way].filled())
        };
        chart
            .draw_series(bars.iter().map(bar))?
            .label(*name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], COLOURS[way].filled()));
        let value =
            |(left, time): &(f64, f64)| Text::new(format!("{time:.2}"), (left + 0.5, time * 1.05), small(VPos::Bottom));
        chart.draw_series(bars.iter().map(value))?;
    }
    let number = |(group, number): (usize, &String)| {
        let middle = ((group as f64 + 0.5) * GROUP - 0.5, bottom);
        EmptyElement::at(middle) + Text::new(number.clone(), (0, 8), small(VPos::Top))
    };
    chart.draw_series(numbers.iter().enumerate().map(number))?;
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperMiddle)
        .background_style(WHITE)
        .border_style(BLACK)
        .label_font(("sans-serif", 13))
        .draw()?;
    area.present()?;
    Ok(())
}
