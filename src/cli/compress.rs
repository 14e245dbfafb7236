//! `supremum compress DATA --part train -o f.word`: a ternary readout with a small Occam bound.

use super::output::{Console, write_whole};
use super::run::exit;
use super::sample::{self, Data};
use crate::data::file::Folder;
use crate::data::word::Readout;
use crate::kernel::gradient::GradientMap;
use crate::kernel::readout::pixel;
use crate::lab::anneal::{Found, Problem, anneal};
use crate::lab::progress::SearchBar;
use crate::text::codes;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// The data set, as a spec names it.
    data: PathBuf,
    /// A part of the data set, such as `train`; without one, all examples.
    #[arg(long)]
    part: Option<String>,
    /// The feature map, 0 to 1023 (see docs/occam.md).
    #[arg(long, default_value_t = 1)]
    map: u16,
    /// Proposals of one run.
    #[arg(long, default_value_t = 400_000)]
    steps: u64,
    /// Runs, with the seeds SEED, SEED + 1, ...; the best is kept.
    #[arg(long, default_value_t = 8)]
    runs: u64,
    #[arg(long)]
    seed: u64,
    /// The file to write.
    #[arg(short, long)]
    output: PathBuf,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, console: &mut Console) -> u8 {
    match compress(args) {
        Ok((readout, found, examples)) => {
            let remark = command(args);
            if let Err(error) = write_whole(&args.output, readout.text(&remark).as_bytes()) {
                console.complain(&format!("error: {} cannot be written ({})", args.output.display(), error.kind()));
                return exit::OUTPUT;
            }
            let (bits, errors) = (readout.word().len(), found.errors);
            console.print(&format!("{bits} bits, {errors} errors on {examples} examples"));
            exit::PROVED
        }
        Err((code, message, exit)) => {
            let title = codes::find(code).map_or("", |code| code.title);
            console.complain(&format!("error[{code}]: {title}\n  {message}"));
            exit
        }
    }
}

/// The command that makes the same file again.
fn command(args: &Args) -> String {
    let part = args.part.as_ref().map_or_else(String::new, |part| format!(" --part {part}"));
    let name = args.data.file_name().unwrap_or_default().to_string_lossy();
    format!(
        "supremum compress {name}{part} --map {} --steps {} --runs {} --seed {}",
        args.map, args.steps, args.runs, args.seed
    )
}

type Problematic = (&'static str, String, u8);

fn compress(args: &Args) -> Result<(Readout, Found, usize), Problematic> {
    let data = load(args)?;
    let refuse = |message: String| ("E0660", message, exit::SPEC);
    let map = GradientMap::new(args.map);
    let map = map.ok_or_else(|| refuse(format!("expected a map of 0 to 1023, found {}", args.map)))?;
    let dimension = data.examples.dimension;
    let side = dimension.isqrt();
    let row = |row: &[crate::kernel::net::Weight]| {
        let image: Vec<u8> = row.iter().map(|weight| pixel(weight, &data.examples.scale)).collect();
        map.apply(&image, side)
    };
    let rows: Option<Vec<Vec<i64>>> = data.examples.values.chunks(dimension.max(1)).map(row).collect();
    let rows = rows.ok_or_else(|| {
        refuse(format!("expected square grey images of side at most 64, found inputs of {dimension} numbers"))
    })?;
    let classes = data.classes as usize;
    let limit = |error: crate::lab::LabError| ("E0661", error.to_string(), exit::LIMIT);
    let problem = Problem::new(&rows, &data.examples.labels, classes).map_err(|error| refuse(error.to_string()))?;
    let bar = SearchBar::new("annealing", args.steps.saturating_mul(args.runs));
    let found = anneal(&problem, args.steps, args.runs, args.seed, &|steps| bar.advance(steps)).map_err(limit)?;
    drop(bar);
    Ok((Readout { side, classes, map, weights: found.weights.clone() }, found, rows.len()))
}

fn load(args: &Args) -> Result<Data, Problematic> {
    let problem = |error: crate::data::DataError| {
        let exit = if error.is_limit() { exit::LIMIT } else { exit::DATA };
        (if error.is_limit() { "E0503" } else { "E0502" }, error.to_string(), exit)
    };
    let folder = Folder::of_spec(&args.data).map_err(problem)?;
    let name = args.data.file_name().unwrap_or_default().to_string_lossy();
    let (whole, _, parts) = sample::load(&folder, &name, None).map_err(problem)?;
    let Some(part) = &args.part else { return Ok(whole) };
    let known = parts.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join(", ");
    let found = parts.into_iter().find(|(name, _)| name == part).map(|(_, data)| data);
    found.ok_or_else(|| ("E0660", format!("expected a part of {name} (it has: {known}), found `{part}`"), exit::SPEC))
}
