//! `supremum why SPEC.claim`: the derivation of a claim, one inequality per node.

use super::output::{self, Console};
use super::run::{self, Request, exit};
use crate::kernel::check::Checked;
use crate::report::decimal::Direction;
use crate::report::derivation::{self, DerivationView};
use crate::theory::Library;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// `specs/relu_depth3.vc`: the spec without its ending, a dot, the claim.
    claim: String,
    #[arg(long)]
    theory: Vec<PathBuf>,
    #[arg(long)]
    ascii: bool,
}

pub fn run(args: &Args, console: &mut Console) -> u8 {
    // The longest prefix that is a file names the spec; the rest names the claim (`B.test_set` has a dot itself).
    let split = args.claim.match_indices('.').map(|(i, _)| i).find_map(|i| {
        let path = PathBuf::from(format!("{}.spec", args.claim[..i].trim_end_matches(".spec")));
        path.is_file().then(|| (path, args.claim[i + 1..].trim_start_matches("spec.").to_string()))
    });
    let Some((path, name)) = split else {
        console.complain(&format!("error: expected `SPEC.claim`, found `{}`: no such spec", args.claim));
        return exit::SPEC;
    };
    let item = name.split('.').next().unwrap_or_default();
    let run = run::run(&Request { path: &path, theory: &args.theory, deny: &[], only: Some(item) });
    output::diagnostics(&run, console, args.ascii);
    let Some(result) = run.results.iter().find(|result| result.view.name == name) else {
        if run.diagnostics.is_empty() {
            console.complain(&format!("error: expected a claim of `{}`, found `{name}`", path.display()));
        }
        return exit::SPEC.max(run.view.exit);
    };
    if let Some(checked) = result.outcome.as_ref().and_then(|outcome| outcome.checked.as_ref()) {
        let root = DerivationView {
            statement: result.view.shown.clone().unwrap_or_else(|| result.view.statement.clone()),
            value: Some(result.view.verdict.word().to_string()),
            children: checked.used().iter().map(|&i| fact(checked, i, &run.library)).collect::<Vec<_>>().into(),
            ..DerivationView::default()
        };
        console.print(&derivation::tree(&root, console.style(args.ascii)));
    }
    run.view.exit
}

/// A fact with the facts it uses; premises have smaller indices, so the depth is bounded by the number of steps.
fn fact(checked: &Checked, index: usize, library: &Library) -> DerivationView {
    let fact = &checked.facts()[index];
    let entry = library.find(&fact.rule);
    let end = |q: Option<num_rational::BigRational>, direction| q.map(|q| super::items::display(&q, direction));
    let low = end(super::items::low(&fact.value), Direction::Down);
    let high = end(super::items::high(&fact.value), Direction::Up);
    let value = match (low, high) {
        (Some(a), Some(b)) if a == b => format!("= {a}"),
        (Some(a), Some(b)) => format!("in [{a}, {b}]"),
        (None, Some(b)) => format!("<= {b}"),
        (Some(a), None) => format!(">= {a}"),
        (None, None) => "no bound".to_string(),
    };
    DerivationView {
        statement: format!("{} {value}", fact.subject),
        rule: Some(fact.rule.clone()),
        source: entry.map(|entry| entry.source.clone()),
        formal: entry.and_then(|entry| entry.formal.clone()),
        value: fact.conclusion.as_ref().map(ToString::to_string),
        requirements: fact.requirements.iter().map(|formula| (formula.to_string(), "holds".to_string())).collect(),
        dagger: None,
        children: fact.premises.iter().map(|&i| self::fact(checked, i, library)).collect::<Vec<_>>().into(),
    }
}
