//! `supremum export coq CERT`: the arithmetic of a certificate as a script for another proof assistant.

use super::exit;
use super::output::{self, Console};
use super::verify;
use crate::certificate::{self, coq};
use crate::text::Diagnostic;
use std::path::PathBuf;

#[derive(clap::Args, Clone)]
pub struct Args {
    #[command(subcommand)]
    format: Format,
}

#[derive(clap::Subcommand, Clone)]
enum Format {
    /// A Coq script for coq-interval. Theorems and witnesses are hypotheses, the arithmetic is proved.
    Coq {
        certificate: PathBuf,
        /// Write here instead of to standard output.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, console: &mut Console) -> u8 {
    let Format::Coq { certificate: path, output } = &args.format;
    let script = match script(path) {
        Ok(script) => script,
        Err(problem) => {
            let diagnostic = Diagnostic::error(problem.code, problem.text);
            output::explain(None, &diagnostic, output::diagnostic_style(false), console);
            return problem.exit;
        }
    };
    for (claim, reason) in &script.omitted {
        console.complain(&format!("not replayed in full: `{claim}`: {reason}"));
    }
    match output {
        None => console.print(&script.text),
        Some(file) => {
            if let Err(error) = output::write_whole(file, script.text.as_bytes()) {
                let text = format!("`{}` cannot be written ({})", file.display(), error.kind());
                output::explain(None, &Diagnostic::error("E0826", text), output::diagnostic_style(false), console);
                return exit::OUTPUT;
            }
            let (whole, part) = (script.replayed.len(), script.omitted.len());
            console.print(&format!("{}: {whole} claims in full, {part} in part", file.display()));
        }
    }
    exit::PROVED
}

fn script(path: &std::path::Path) -> Result<coq::Script, verify::Problem> {
    let (certificate, _) = verify::load(path)?;
    let theorems = certificate::theorems(&certificate)?;
    certificate.verify(&theorems, drop)?;
    coq::script(&certificate, &theorems).map_err(|text| verify::Problem::new("E0816", exit::CERTIFICATE, text))
}
