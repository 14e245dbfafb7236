//! `supremum explain CODE`: half a page on a diagnostic.

use super::exit;
use super::output::Console;
use crate::text::{codes, did_you_mean};

#[derive(clap::Args)]
pub struct Args {
    /// A code such as E0310; without one, all codes are listed.
    code: Option<String>,
}

pub fn run(args: &Args, console: &mut Console) -> u8 {
    let Some(code) = &args.code else {
        let lines: Vec<String> = codes::all().iter().map(|code| format!("{}  {}", code.code, code.title)).collect();
        console.print(&lines.join("\n"));
        return exit::PROVED;
    };
    match codes::explain(code) {
        Some(text) => {
            console.print(&text);
            exit::PROVED
        }
        None => {
            let near = did_you_mean(&code.to_uppercase(), codes::all().iter().map(|code| code.code));
            let help = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            console.complain(&format!("error: expected a diagnostic code, found `{code}`{help}"));
            exit::SPEC
        }
    }
}
