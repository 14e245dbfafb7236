//! Free parameters of theorems: those whose conclusion holds for all values at once, so that the best may be taken. Trust:
//! untrusted; the kernel evaluates the theorem at the value that is found.

use crate::kernel::term::{Formula, Relation, Term};
use crate::kernel::theorem::{Sort, Theorem};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{FromPrimitive, One, ToPrimitive};

/// The ends between which a parameter may lie, where there are any.
pub type Range = (Option<BigRational>, Option<BigRational>);

/// Values tried for a free parameter.
const GRID_POINTS: i64 = 1024;

/// Whether a term mentions a name.
pub fn mentions(term: &Term, name: &str) -> bool {
    term.substitute(&[(name.to_string(), Term::int(0))].into()) != *term
}

/// Whether the requirements bound a parameter by numbers at most, so that any value in that range will do: a real number also strictly
/// by what the other parameters say. Not free is a parameter that must be fixed before the sample.
pub fn is_free(theorem: &Theorem, parameter: &str) -> bool {
    let name = Term::name(parameter);
    let is_real = theorem.parameters.iter().any(|(p, sort)| p == parameter && *sort == Sort::Real);
    theorem.requires.iter().all(|requirement| match requirement {
        Formula::Compare(Term::Number(_), _, right) if *right == name => true,
        Formula::Compare(left, _, Term::Number(_)) if *left == name => true,
        Formula::Compare(left, Relation::Lt, right) if *left == name && is_real => !mentions(right, parameter),
        // Another number is tied to an expression in this one, and follows it.
        Formula::Compare(Term::Apply(..) | Term::Big { .. }, Relation::Le, Term::Name(follower))
            if follower != parameter =>
        {
            true
        }
        other => other.substitute(&[(parameter.to_string(), Term::int(0))].into()) == *other,
    })
}

/// Whether a requirement `expression <= parameter` makes the parameter follow the others.
pub fn follows(theorem: &Theorem, parameter: &str) -> bool {
    let name = Term::name(parameter);
    theorem.requires.iter().any(
        |requirement| matches!(requirement, Formula::Compare(Term::Apply(..) | Term::Big { .. }, Relation::Le, right) if *right == name),
    )
}

/// The numbers between which the requirements keep a free parameter; `value` is what a term in the other parameters is at least.
pub fn range_of(theorem: &Theorem, parameter: &str, value: impl Fn(&Term) -> Option<BigRational>) -> Range {
    let name = Term::name(parameter);
    let mut range = (None, None);
    for requirement in &theorem.requires {
        match requirement {
            Formula::Compare(Term::Number(low), Relation::Le | Relation::Lt, right) if *right == name => {
                range.0 = Some(low.clone());
            }
            Formula::Compare(left, Relation::Le | Relation::Lt, Term::Number(high)) if *left == name => {
                range.1 = Some(high.clone());
            }
            Formula::Compare(left, Relation::Lt, right) if *left == name => range.1 = value(right),
            _ => {}
        }
    }
    range
}

/// The grid of values that are tried for a free parameter: an open interval in equal steps, half-lines in steps of at most 1/16
/// of the value.
pub fn grid_value(sort: Sort, range: &Range, index: i64) -> Option<BigRational> {
    let scaled = |index: i64, shift: i64| {
        let mantissa = BigRational::from_integer(BigInt::from(16 + index % 16));
        let exponent = index / 16 - 1 - shift;
        let power = BigRational::from_integer(BigInt::one() << exponent.unsigned_abs());
        if exponent >= 0 { mantissa * power } else { mantissa / power }
    };
    let value = match (sort, range) {
        (Sort::Natural, (_, Some(high))) if *high <= BigRational::from_integer(BigInt::from(GRID_POINTS)) => {
            BigRational::from_integer(BigInt::from(index))
        }
        (Sort::Natural, _) if index < 16 => BigRational::from_integer(BigInt::from(index)),
        (Sort::Natural, _) => scaled(index, 0),
        (_, (Some(low), Some(high))) => {
            low + (high - low) * BigRational::new(BigInt::from(index), BigInt::from(GRID_POINTS))
        }
        (_, (Some(low), None)) => low + scaled(index, 24),
        _ => return None,
    };
    let (low, high) = range;
    let is_outside = low.as_ref().is_some_and(|low| value < *low) || high.as_ref().is_some_and(|high| value > *high);
    (!is_outside).then_some(value)
}

/// How many indices the grid of a parameter has.
pub fn points(sort: Sort, range: &Range) -> i64 {
    match (sort, &range.1) {
        (Sort::Natural, Some(high)) => {
            high.to_integer().to_i64().map_or(GRID_POINTS, |high| (high + 1).min(GRID_POINTS))
        }
        _ => GRID_POINTS,
    }
}

/// An index in `1..points` with a small value: the best of a coarse grid, refined around it.
pub fn least<T: PartialOrd>(points: i64, mut objective: impl FnMut(i64) -> Option<T>) -> Option<i64> {
    let mut stride = points / 32;
    let mut best: Option<(T, i64)> = None;
    let mut offer = |index: i64, best: &mut Option<(T, i64)>| {
        if index >= 1
            && index < points
            && let Some(value) = objective(index)
            && best.as_ref().is_none_or(|(least, _)| value < *least)
        {
            *best = Some((value, index));
        }
    };
    let mut index = stride.max(1);
    while index < points {
        offer(index, &mut best);
        index += stride.max(1);
    }
    while stride > 1 {
        stride /= 2;
        let centre = best.as_ref()?.1;
        offer(centre - stride, &mut best);
        offer(centre + stride, &mut best);
    }
    best.map(|(_, index)| index)
}

/// The least natural number from 1 that meets a condition which larger numbers meet too; `None` where none of at most `limit` bits does. The
/// search begins at `start` and spreads from there. The condition says beside its truth by about how much it is met or missed: where both
/// ends of a range say so, the next number is where a line between them crosses 0.
pub fn least_natural(
    limit: u64,
    start: Option<BigInt>,
    mut meets: impl FnMut(&BigInt) -> (bool, Option<f64>),
) -> Option<BigInt> {
    let start = start.unwrap_or_else(BigInt::one).max(BigInt::one());
    let (mut low, mut low_excess) = (BigInt::from(0), None);
    let mut stride = BigInt::one();
    let (is_met, excess) = meets(&start);
    let (mut high, mut high_excess) = (start.clone(), excess);
    if is_met {
        while &high - &low > stride {
            let next = &high - &stride;
            match meets(&next) {
                (true, excess) => (high, high_excess) = (next, excess),
                (false, excess) => {
                    (low, low_excess) = (next, excess);
                    break;
                }
            }
            stride *= 8;
        }
    } else {
        loop {
            (low, low_excess) = (high, high_excess);
            high = &low + &stride;
            if high.bits() > limit {
                return None;
            }
            let (is_met, excess) = meets(&high);
            high_excess = excess;
            if is_met {
                break;
            }
            stride *= 8;
        }
    }
    let mut halve = false;
    while &high - &low > BigInt::one() {
        let width = &high - &low;
        let step = low_excess.zip(high_excess).filter(|_| !halve).and_then(|(a, b): (f64, f64)| {
            let fraction = a / (a - b);
            let steps = (fraction * width.to_f64()?).ceil();
            (steps.is_finite() && (0.0..1.0).contains(&fraction)).then(|| BigInt::from_f64(steps)).flatten()
        });
        let step = step.map_or(&width / 2, |step| step.clamp(BigInt::one(), &width - 1));
        let middle = &low + step;
        match meets(&middle) {
            (true, excess) => (high, high_excess) = (middle, excess),
            (false, excess) => (low, low_excess) = (middle, excess),
        }
        // A convex condition is crossed from one side only: the other end would never move.
        halve = &high - &low > width / 2 && !halve;
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_of_a_smooth_function_is_found() {
        for target in [1, 2, 17, 500, 1023] {
            let found = least(GRID_POINTS, |i| Some(BigRational::from_integer(((i - target) * (i - target)).into())));
            assert_eq!(found, Some(target));
        }
        assert_eq!(least(GRID_POINTS, |_| None::<i64>), None);
        // Defined on a part only.
        assert_eq!(least(GRID_POINTS, |i| (i > 600).then(|| BigRational::from_integer(i.into()))), Some(601));
    }

    #[test]
    fn the_least_natural_is_found_in_few_steps() {
        for target in [1i64, 2, 3, 170, 4_416_892, 1 << 40] {
            // With a helpful, a misleading and no excess from 1; and from guesses that are right, close and far off.
            let far = 1 << 50;
            for (kind, start, most) in [
                (0, None, 40),
                (1, None, 110),
                (2, None, 60),
                (2, Some(0), 2),
                (2, Some(3), 6),
                (2, Some(-90), 16),
                (0, Some(far), 80),
            ] {
                let mut calls = 0;
                let start = start.map(|distance: i64| BigInt::from(target + distance));
                let found = least_natural(100, start.clone(), |n| {
                    calls += 1;
                    let n = n.to_f64().unwrap_or(f64::MAX);
                    let excess = n * n.ln().max(0.1) - (target as f64) * (target as f64).ln().max(0.1);
                    let excess = [Some(excess), Some(-excess), None][kind];
                    (n >= target as f64, excess)
                });
                assert_eq!(found, Some(target.into()));
                assert!(calls <= most, "{target} {kind} {start:?} {calls}");
            }
        }
        assert_eq!(least_natural(100, None, |_| (false, Some(-1.0))), None);
    }

    #[test]
    fn grids_stay_in_their_range() {
        let one = BigRational::one();
        let range = (Some(BigRational::from_integer(0.into())), Some(one.clone()));
        let values: Vec<_> = (1..GRID_POINTS).filter_map(|i| grid_value(Sort::Real, &range, i)).collect();
        assert!(values.windows(2).all(|pair| pair[0] < pair[1]) && values.iter().all(|v| *v < one));
        let half_line = (Some(BigRational::from_integer(0.into())), None);
        let values: Vec<_> = (1..GRID_POINTS).filter_map(|i| grid_value(Sort::Real, &half_line, i)).collect();
        assert!(values.windows(2).all(|pair| pair[0] < pair[1]));
        let naturals: Vec<_> = (1..40).filter_map(|i| grid_value(Sort::Natural, &(None, None), i)).collect();
        assert!(naturals.iter().all(BigRational::is_integer) && naturals.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
