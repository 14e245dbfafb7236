//! Plots as SVG. Trust: untrusted (a picture: positions are rounded to a tenth of a pixel; the values are in the titles).

use super::layout::clean;
use std::fmt::Write;

/// A curve: for each place its position, its height where there is one, and the value in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    pub label: String,
    pub is_dashed: bool,
    pub points: Vec<(f64, Option<f64>, String)>,
}

/// A plot as its readers see it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlotView {
    pub title: String,
    pub x_label: String,
    pub x_log: bool,
    pub y_log: bool,
    pub curves: Vec<Curve>,
    /// Vertical lines with their labels.
    pub marks: Vec<(f64, String)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 20.0;
/// Height of the title, and of one line of the legend.
const TITLE: f64 = 38.0;
const LEGEND_LINE: f64 = 18.0;
const BOTTOM: f64 = 48.0;
/// Length of a line in the legend with its gaps, and the width of a letter, on average and rather too large.
const KEY: f64 = 46.0;
const LETTER: f64 = 6.8;
/// A curve with more points, or a dashed one, shows no dots.
const DOTS: usize = 24;
/// Colours of the curves, distinct in greyscale and for the colour-blind (Okabe and Ito 2008).
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/// One axis: from data to a fraction of its length.
struct Axis {
    low: f64,
    high: f64,
    is_log: bool,
}

impl Axis {
    fn new(values: impl Iterator<Item = f64>, is_log: bool) -> Axis {
        let values = values.filter(|x| x.is_finite() && (!is_log || *x > 0.0));
        let scaled = values.map(|x| if is_log { x.log10() } else { x });
        let (low, high) = scaled.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        // A pad in proportion, so that it does not vanish beside a single large value.
        let pad = if high > low { 0.04 * (high - low) } else { (0.04 * high.abs()).max(0.5) };
        Axis { low: low - pad, high: high + pad, is_log }
    }

    /// `None`: the value has no place on the axis.
    fn fraction(&self, value: f64) -> Option<f64> {
        let scaled = if self.is_log { (value > 0.0).then(|| value.log10())? } else { value };
        (scaled.is_finite()).then(|| (scaled - self.low) / (self.high - self.low))
    }

    /// Round numbers within the axis, with their text.
    fn ticks(&self) -> Vec<(f64, String)> {
        let span = self.high - self.low;
        if self.is_log && span < 3.0 {
            let (first, last) = (self.low.floor() as i32, self.high.ceil() as i32);
            let values = (first..=last).flat_map(|k| [1.0, 2.0, 5.0].map(|m| (m, k)));
            let ticks = values.filter_map(|(m, k)| {
                let fraction = self.fraction(m * 10f64.powi(k))?;
                (0.0..=1.0).contains(&fraction).then(|| (fraction, power(m as i32, k)))
            });
            return ticks.collect();
        }
        let rough = span / 6.0;
        let unit = 10f64.powi(rough.log10().floor() as i32);
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|k| k * unit).find(|step| *step >= rough).unwrap_or(unit);
        let step = if self.is_log { step.max(1.0).ceil() } else { step };
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        let text = |value: f64| if self.is_log { power(1, value as i32) } else { number(value, step) };
        (first..=last.min(first.saturating_add(20)))
            .map(|i| i as f64 * step)
            .map(|value| ((value - self.low) / span, text(value)))
            .collect()
    }
}

/// `m 10^k` in words: in full where that is short.
fn power(m: i32, k: i32) -> String {
    match k {
        0..=4 => format!("{m}{}", "0".repeat(k as usize)),
        -3..=-1 => format!("0.{}{m}", "0".repeat((-k - 1) as usize)),
        _ => {
            let raised = |c: char| {
                c.to_digit(10).map_or('⁻', |d| ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][d as usize])
            };
            let exponent: String = k.to_string().chars().map(raised).collect();
            if m == 1 { format!("10{exponent}") } else { format!("{m}·10{exponent}") }
        }
    }
}

/// Where each label of the legend begins, from left to right in as many lines as it takes: `(x, line)`.
fn legend(curves: &[Curve]) -> Vec<(f64, usize)> {
    let (mut x, mut row) = (LEFT, 0);
    let place = |curve: &Curve| {
        let width = KEY + LETTER * curve.label.chars().count() as f64;
        if x > LEFT && x + width > WIDTH - RIGHT {
            (x, row) = (LEFT, row + 1);
        }
        let start = (x, row);
        x += width;
        start
    };
    curves.iter().map(place).collect()
}

fn number(value: f64, step: f64) -> String {
    if value != 0.0 && !(1e-4..1e7).contains(&value.abs()) {
        return format!("{value:e}");
    }
    let digits = (-step.log10().floor()).max(0.0) as usize;
    format!("{value:.digits$}")
}

fn escape(text: &str) -> String {
    clean(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The plot as an SVG document for light and dark pages.
pub fn svg(plot: &PlotView) -> String {
    let points = || plot.curves.iter().flat_map(|curve| &curve.points);
    let x = Axis::new(points().map(|p| p.0).chain(plot.marks.iter().map(|mark| mark.0)), plot.x_log);
    let y = Axis::new(points().filter_map(|p| p.1), plot.y_log);
    let legend = legend(&plot.curves);
    let top = TITLE + LEGEND_LINE * legend.last().map_or(0.0, |(_, row)| *row as f64 + 1.0) + 6.0;
    let across = |fraction: f64| LEFT + fraction * (WIDTH - LEFT - RIGHT);
    let down = |fraction: f64| HEIGHT - BOTTOM - fraction * (HEIGHT - top - BOTTOM);
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <style>svg{{background:#fff;color:#222}}@media(prefers-color-scheme:dark){{svg{{background:#181818;color:#ddd}}}}\
         text{{fill:currentColor}}</style>\n\
         <title>{title}</title>\n<text x=\"{LEFT}\" y=\"24\" font-size=\"15\">{title}</text>\n",
        title = escape(&plot.title)
    );
    for (fraction, text) in x.ticks() {
        let at = across(fraction);
        line(&mut out, (at, top), (at, bottom), "stroke=\"currentColor\" stroke-opacity=\"0.12\"");
        words(&mut out, at, bottom + 18.0, "middle", &text);
    }
    for (fraction, text) in y.ticks() {
        let at = down(fraction);
        line(&mut out, (LEFT, at), (right, at), "stroke=\"currentColor\" stroke-opacity=\"0.12\"");
        words(&mut out, LEFT - 8.0, at + 4.0, "end", &text);
    }
    line(&mut out, (LEFT, bottom), (right, bottom), "stroke=\"currentColor\"");
    line(&mut out, (LEFT, top), (LEFT, bottom), "stroke=\"currentColor\"");
    words(&mut out, (LEFT + right) / 2.0, HEIGHT - 10.0, "middle", &plot.x_label);
    for (value, label) in &plot.marks {
        if let Some(fraction) = x.fraction(*value) {
            let at = across(fraction);
            line(&mut out, (at, top), (at, bottom), "stroke=\"currentColor\" stroke-dasharray=\"2 4\"");
            words(&mut out, at + 4.0, top + 12.0, "start", label);
        }
    }
    for (i, curve) in plot.curves.iter().enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        let dash = if curve.is_dashed { " stroke-dasharray=\"6 4\"" } else { "" };
        let place =
            |point: &(f64, Option<f64>, String)| Some((across(x.fraction(point.0)?), down(y.fraction(point.1?)?)));
        // A place without a value breaks the curve.
        for run in curve.points.split(|point| place(point).is_none()).filter(|run| run.len() > 1) {
            let corners: Vec<String> = run.iter().filter_map(place).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(
                out,
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash} points=\"{}\"/>",
                corners.join(" ")
            );
        }
        // Every point has its value as a title, shown or not.
        let fill = if curve.is_dashed || curve.points.len() > DOTS { "transparent" } else { colour };
        for point in &curve.points {
            if let Some((x, y)) = place(point) {
                let title = escape(&format!("{}, {}", curve.label, point.2));
                let _ = writeln!(
                    out,
                    "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{fill}\"><title>{title}</title></circle>"
                );
            }
        }
        let (start, row) = legend[i];
        let height = TITLE + LEGEND_LINE * (row as f64 + 0.5);
        let style = format!("stroke=\"{colour}\" stroke-width=\"2\"{dash}");
        line(&mut out, (start, height), (start + 24.0, height), &style);
        words(&mut out, start + 30.0, height + 4.0, "start", &curve.label);
    }
    out += "</svg>\n";
    out
}

fn line(out: &mut String, from: (f64, f64), to: (f64, f64), style: &str) {
    let _ = writeln!(
        out,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" {style}/>",
        from.0, from.1, to.0, to.1
    );
}

fn words(out: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", escape(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(points: Vec<(f64, Option<f64>, String)>, is_log: bool) -> PlotView {
        let curve = Curve { label: "<b> & \"c\"".to_string(), is_dashed: true, points };
        PlotView {
            title: "</title><script>".to_string(),
            x_label: "m".to_string(),
            x_log: is_log,
            y_log: is_log,
            curves: vec![curve],
            marks: vec![(2.0, "here".to_string())],
        }
    }

    #[test]
    fn names_are_text_and_missing_values_break_the_curve() {
        let point = |x: f64, y: Option<f64>| (x, y, String::new());
        let text = svg(&view(
            vec![point(1.0, Some(1.0)), point(2.0, Some(4.0)), point(3.0, None), point(4.0, Some(2.0))],
            false,
        ));
        assert!(!text.contains("<script>") && !text.contains("<b>"));
        assert_eq!((text.matches("<polyline").count(), text.matches("<circle").count()), (1, 3));
    }

    #[test]
    fn no_value_has_no_finite_place() {
        for is_log in [false, true] {
            for y in [0.0, -1.0, f64::INFINITY, f64::NAN, 1e300, 1e-300] {
                let text = svg(&view(vec![(1.0, Some(y), String::new()), (2.0, Some(y), String::new())], is_log));
                assert!(!text.contains("NaN") && !text.contains("inf"), "{y}\n{text}");
            }
        }
        assert!(svg(&view(Vec::new(), true)).ends_with("</svg>\n"));
    }

    #[test]
    fn ticks_are_round() {
        let texts = |low: f64, high: f64, is_log| -> Vec<String> {
            Axis::new([low, high].into_iter(), is_log).ticks().into_iter().map(|tick| tick.1).collect()
        };
        assert_eq!(texts(0.0, 10.0, false), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(texts(1.0, 1e4, true), ["1", "10", "100", "1000", "10000"]);
        assert_eq!(texts(1e-5, 1e9, true), ["10⁻⁵", "1", "10⁵"]);
        assert_eq!(texts(3.0, 40.0, true), ["5", "10", "20"]);
        assert_eq!(texts(0.0, 0.5, false), ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
    }
}
