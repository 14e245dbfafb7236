//! `supremum plot SPEC`: the spec's plots as SVG files.

use super::items;
use super::output::{self, Console};
use super::run::{self, Request, exit};
use crate::kernel::check::Statement;
use crate::kernel::term::Term;
use crate::model::Plot;
use crate::prove::{self, Search};
use crate::report::decimal::Direction;
use crate::report::plot::{Curve, PlotView, svg};
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    spec: PathBuf,
    /// Folder for the files.
    #[arg(short, long, default_value = "plots")]
    output: PathBuf,
    /// Files with further theorems.
    #[arg(long)]
    theory: Vec<PathBuf>,
    #[arg(long)]
    ascii: bool,
}

pub fn run(args: &Args, console: &mut Console) -> u8 {
    // No claim has this name: only the setting is built.
    let run = run::run(&Request { path: &args.spec, theory: &args.theory, deny: &[], only: Some("") });
    output::diagnostics(&run, console, args.ascii);
    let Some(session) = &run.session else { return run.view.exit };
    if run.spec.plots.is_empty() {
        console.complain("error: expected a `plot` in the spec, found none");
        return exit::SPEC;
    }
    for plot in &run.spec.plots {
        let view = match run::with_search(&session.objects, &run.library, |search| view(plot, search)) {
            Ok(view) => view,
            Err(diagnostic) => {
                console.complain(&format!("error: {}", diagnostic.title));
                return exit::SPEC;
            }
        };
        let path = args.output.join(format!("{}.svg", output::file_name(&plot.title)));
        if let Err(error) =
            std::fs::create_dir_all(&args.output).and_then(|()| output::write_whole(&path, svg(&view).as_bytes()))
        {
            console.complain(&format!("error: {} could not be written: {error}", path.display()));
            return exit::OUTPUT;
        }
        console.print(&format!("written  {}", path.display()));
    }
    run.view.exit
}

fn view(plot: &Plot, search: &Search) -> PlotView {
    let float = |q: &BigRational| q.to_f64().unwrap_or(f64::NAN);
    let curve = |series: &crate::model::Series| Curve {
        label: series.label.clone(),
        is_dashed: series.is_dashed,
        points: plot
            .places
            .iter()
            .zip(&series.terms)
            .map(|(place, term)| {
                let (height, text) = height(term, search);
                (float(place), height, format!("{} = {place}: {text}", plot.variable))
            })
            .collect(),
    };
    PlotView {
        title: plot.title.clone(),
        x_label: plot.variable.clone(),
        x_log: plot.x_log,
        y_log: plot.y_log,
        curves: plot.series.iter().map(curve).collect(),
        marks: plot.marks.iter().map(|(place, label)| (float(place), label.clone())).collect(),
    }
}

/// The value, or the best upper bound, and what is proved in words.
fn height(term: &Term, search: &Search) -> (Option<f64>, String) {
    let outcome = prove::prove(search, &Statement::Upper(term.clone()), None, &BigRational::zero());
    let value = outcome.checked.as_ref().and_then(|checked| checked.value());
    let Some((low, high)) = value.and_then(|value| Some((items::low(value), items::high(value)?))) else {
        return (None, "no bound".to_string());
    };
    let text = items::display(&high, Direction::Up);
    let relation = if low.as_ref() == Some(&high) { "" } else { "<= " };
    (high.to_f64(), format!("{relation}{text}"))
}
