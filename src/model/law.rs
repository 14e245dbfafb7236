//! Priors and posteriors: `gaussian(mean: f, std: 0.03)`, `gaussian(mean: f, std: 0.01, noise: last_layer)`.

use super::names::{NameKind, Names};
use crate::kernel::object::{Law, Noise};
use crate::syntax::ast::{ArgValue, Expr};
use crate::text::Diagnostic;
use num_rational::BigRational;
use num_traits::Signed;

fn expected(expr: &Expr, what: &str) -> Diagnostic {
    Diagnostic::error("E0430", format!("expected {what}"))
        .at(expr.span, "")
        .help("a law is `gaussian(mean: f, std: 0.03)`, or with `noise: last_layer` for noise in the last layer only")
}

/// A constant of the spec. Errors: none, or one that was read off a sample.
fn constant(names: &Names, expr: &Expr) -> Result<BigRational, Diagnostic> {
    names.rational(expr).map_err(|error| match names.sample_in(expr) {
        Some(sample) => Diagnostic::error("E0311", format!("a variance was chosen by looking at `{sample}`"))
            .at(expr.span, format!("depends on `{sample}`"))
            .help("write a number; `pac_bayes.prior_grid` holds for all variances c e^(-j/b) of a grid at once and pays for it"),
        None => error,
    })
}

/// The law that an expression denotes. A standard deviation of 0 is a law too; theorems say where they need a positive one.
pub fn law(names: &Names, expr: &Expr) -> Result<Law, Diagnostic> {
    let Some(("gaussian", args)) = expr.as_call() else {
        return Err(expected(expr, "a Gaussian law"));
    };
    let (mut mean, mut variance, mut noise) = (None, None, Noise::All);
    for arg in args {
        let (Some(name), ArgValue::Expr(value)) = (&arg.name, &arg.value) else {
            return Err(expected(expr, "named arguments").because(arg.span, "without a name"));
        };
        match name.name.as_str() {
            "mean" => {
                let network = names.dotted(value)?;
                if names.kind(&network) != Some(NameKind::Net) {
                    return Err(expected(value, &format!("a network as the mean, found `{network}`")));
                }
                mean = Some(network);
            }
            "std" => {
                let std = constant(names, value)?;
                if std.is_negative() {
                    return Err(expected(value, &format!("a standard deviation >= 0, found {std}")));
                }
                variance = Some(&std * &std);
            }
            "variance" => {
                let value_of = constant(names, value)?;
                if value_of.is_negative() {
                    return Err(expected(value, &format!("a variance >= 0, found {value_of}")));
                }
                variance = Some(value_of);
            }
            "noise" => {
                noise = match value.as_name() {
                    Some("all") => Noise::All,
                    Some("last_layer") => Noise::LastLayer,
                    _ => return Err(expected(value, "`all` or `last_layer`")),
                }
            }
            other => return Err(expected(value, &format!("`mean`, `std`, `variance` or `noise`, found `{other}`"))),
        }
    }
    match (mean, variance) {
        (Some(mean), Some(variance)) => Ok(Law { mean, variance, noise }),
        (None, _) => Err(expected(expr, "an argument `mean`")),
        (_, None) => Err(expected(expr, "an argument `std`")),
    }
}
