//! Samples: generators, splits, and training options.

use super::names::Names;
use super::{Generator, Part, TrainOptions};
use crate::syntax::ast::{self, Arg, ArgValue, Expr, ExprKind};
use crate::text::{Diagnostic, Span, did_you_mean};
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};

/// Largest generated sample.
const SAMPLE_LIMIT: usize = 10_000_000;
const EPOCH_LIMIT: usize = 100_000;

/// Named arguments of a call, each used once.
struct Arguments<'a> {
    names: &'a Names,
    span: Span,
    rest: Vec<(&'a str, &'a Expr)>,
}

impl<'a> Arguments<'a> {
    fn of(names: &'a Names, args: &'a [Arg], span: Span) -> Result<Arguments<'a>, Diagnostic> {
        let mut rest = Vec::new();
        for arg in args {
            match (&arg.name, &arg.value) {
                (Some(name), ArgValue::Expr(expr)) => rest.push((name.name.as_str(), expr)),
                _ => {
                    return Err(
                        Diagnostic::error("E0126", "expected named arguments such as `n: 1000`").at(arg.span, "")
                    );
                }
            }
        }
        Ok(Arguments { names, span, rest })
    }

    fn take(&mut self, name: &str) -> Option<&'a Expr> {
        let position = self.rest.iter().position(|(n, _)| *n == name)?;
        Some(self.rest.remove(position).1)
    }

    fn natural(&mut self, name: &str, limit: usize) -> Result<usize, Diagnostic> {
        match self.take(name) {
            Some(expr) => natural(self.names, expr, limit),
            None => Err(Diagnostic::error("E0126", format!("expected an argument `{name}`")).at(self.span, "")),
        }
    }

    fn finish(self) -> Result<(), Diagnostic> {
        match self.rest.first() {
            Some((name, expr)) => {
                Err(Diagnostic::error("E0126", format!("expected no argument `{name}` here")).at(expr.span, ""))
            }
            None => Ok(()),
        }
    }
}

/// A natural number up to a limit.
pub fn natural(names: &Names, expr: &Expr, limit: usize) -> Result<usize, Diagnostic> {
    let value = names.rational(expr)?;
    let n = if value.is_integer() && !value.is_negative() { value.to_integer().to_usize() } else { None };
    match n {
        Some(n) if n <= limit => Ok(n),
        Some(_) => {
            Err(Diagnostic::limit("E0123", format!("expected at most {limit}, found {value}")).at(expr.span, ""))
        }
        None => Err(Diagnostic::error("E0126", format!("expected a natural number, found {value}")).at(expr.span, "")),
    }
}

/// A seeded generator call.
pub fn generator(names: &Names, expr: &Expr) -> Result<Generator, Diagnostic> {
    let Some((name, args)) = expr.as_call() else {
        return Err(Diagnostic::error(
            "E0126",
            "expected a generator such as `two_moons(n: 2000, noise: 0.1, seed: 1)`",
        )
        .at(expr.span, ""));
    };
    if name != "two_moons" {
        return Err(Diagnostic::error("E0900", format!("the generator `{name}` is not supported yet"))
            .at(expr.span, "")
            .help("what works: `two_moons(n:, noise:, seed:)`, and files (IDX, npz, CSV)"));
    }
    let mut arguments = Arguments::of(names, args, expr.span)?;
    let n = arguments.natural("n", SAMPLE_LIMIT)?;
    let seed = arguments.natural("seed", usize::MAX).map_err(|error| error.help("a seed is mandatory: `seed: 1`"))?;
    let noise = match arguments.take("noise") {
        Some(expr) => {
            let noise = names.rational(expr)?;
            if noise.is_negative() {
                return Err(Diagnostic::error("E0126", format!("expected noise >= 0, found {noise}")).at(expr.span, ""));
            }
            noise
        }
        None => BigRational::zero(),
    };
    arguments.finish()?;
    if n == 0 {
        return Err(Diagnostic::error("E0126", "expected a nonempty sample, found n = 0").at(expr.span, ""));
    }
    Ok(Generator::TwoMoons { n, noise, seed: seed as u64 })
}

/// `D`, `permute(D, seed: 0)`: the parent's name and the seed of the permutation.
pub fn parent(names: &Names, expr: &Expr) -> Result<(String, Option<u64>), Diagnostic> {
    if let Some(("permute", args)) = expr.as_call() {
        let [Arg { name: None, value: ArgValue::Expr(data), .. }, rest @ ..] = args else {
            return Err(Diagnostic::error("E0126", "expected `permute(D, seed: 0)`").at(expr.span, ""));
        };
        let mut arguments = Arguments::of(names, rest, expr.span)?;
        let seed = arguments.natural("seed", usize::MAX)?;
        arguments.finish()?;
        return Ok((names.dotted(data)?, Some(seed as u64)));
    }
    Ok((names.dotted(expr)?, None))
}

/// `1000` or `indices("test.txt")`.
pub fn part(names: &Names, expr: &Expr) -> Result<Part, Diagnostic> {
    if let Some(("indices", [Arg { name: None, value: ArgValue::Expr(path), .. }])) = expr.as_call()
        && let ExprKind::Str(path) = &path.kind
    {
        return Ok(Part::Indices(path.clone()));
    }
    let n = natural(names, expr, usize::MAX)?;
    if n == 0 {
        return Err(Diagnostic::error("E0126", "expected a nonempty part, found 0").at(expr.span, ""));
    }
    Ok(Part::Next(n))
}

const OPTIONS: &[&str] =
    &["loss", "adam", "sgd", "momentum", "lr", "epochs", "batch", "seed", "weight_decay", "decay", "distort"];

/// `{ loss logistic, adam, lr 0.01, epochs 200, batch 64, seed 7 }`
pub fn options(names: &Names, train: &ast::Train) -> Result<TrainOptions, Diagnostic> {
    let mut options = TrainOptions {
        loss: "logistic".to_string(),
        optimizer: "sgd".to_string(),
        learning_rate: BigRational::new(1.into(), 100.into()),
        momentum: BigRational::zero(),
        weight_decay: BigRational::zero(),
        decay: false,
        distort: 0,
        epochs: 100,
        batch: 32,
        seed: 0,
    };
    let mut seen: Vec<&str> = Vec::new();
    for option in &train.options {
        let key = option.key.name.as_str();
        if seen.contains(&key) {
            return Err(Diagnostic::error("E0127", format!("expected `{key}` once")).at(option.key.span, "given twice"));
        }
        seen.push(key);
        let value = || {
            option.value.as_ref().ok_or_else(|| {
                Diagnostic::error("E0127", format!("expected a value after `{key}`")).at(option.key.span, "")
            })
        };
        let positive = || -> Result<BigRational, Diagnostic> {
            let expr = value()?;
            let q = names.rational(expr)?;
            if q.is_positive() {
                Ok(q)
            } else {
                Err(Diagnostic::error("E0127", format!("expected `{key}` > 0, found {q}")).at(expr.span, ""))
            }
        };
        match key {
            "loss" => {
                let expr = value()?;
                let loss = expr.as_name().unwrap_or_default();
                if !matches!(loss, "logistic" | "squared" | "cross_entropy") {
                    return Err(Diagnostic::error("E0127", "expected the loss logistic, squared or cross_entropy")
                        .at(expr.span, "another loss"));
                }
                options.loss = loss.to_string();
            }
            "decay" => options.decay = true,
            "adam" | "sgd" => options.optimizer = key.to_string(),
            "momentum" => {
                let q = names.rational(value()?)?;
                if q.is_negative() || q >= BigRational::from_integer(1.into()) {
                    return Err(Diagnostic::error("E0127", format!("expected 0 <= momentum < 1, found {q}"))
                        .at(option.key.span, ""));
                }
                options.momentum = q;
            }
            "weight_decay" => options.weight_decay = names.rational(value()?)?.max(BigRational::zero()),
            "lr" => options.learning_rate = positive()?,
            "distort" => options.distort = natural(names, value()?, SAMPLE_LIMIT)?,
            "epochs" => options.epochs = natural(names, value()?, EPOCH_LIMIT)?,
            "batch" => options.batch = natural(names, value()?, SAMPLE_LIMIT)?,
            "seed" => options.seed = natural(names, value()?, usize::MAX)? as u64,
            _ => {
                let mut diagnostic = Diagnostic::error("E0127", format!("expected a training option, found `{key}`"))
                    .at(option.key.span, "unknown option");
                if let Some(near) = did_you_mean(key, OPTIONS.iter().copied()) {
                    diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
                }
                return Err(diagnostic.note(format!("known: {}", OPTIONS.join(", "))));
            }
        }
    }
    if !seen.contains(&"seed") {
        return Err(Diagnostic::error("E0127", "expected a seed")
            .at(train.name.span, "this training has none")
            .help("write `seed 1`"));
    }
    if options.batch == 0 {
        return Err(Diagnostic::error("E0127", "expected batch >= 1, found 0").at(train.name.span, ""));
    }
    Ok(options)
}
