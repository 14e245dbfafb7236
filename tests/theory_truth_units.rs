//! Statements on networks of few units against enumeration in exact arithmetic: label vectors and VC dimensions of ReLU and threshold
//! networks over all parameters of a grid, activation regions in the plane, step functions, hulls, dual norms.

mod theory_support;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::collections::BTreeSet;
use supremum::kernel::derive::Workspace;
use supremum::kernel::term::{Formula, Term};
use theory_support::{Random, larger_sums, library, lower, q, upper};

/// Label vectors as bit sets that `c + sum_j v_j s(w_j x + b_j) >= 0` gives to the points 0, 2, 4, ... of the line. Parameters run
/// through grids that reach between any two points, so that every network of these few units has its label vector among them.
fn on_the_line(units: usize, m: i64, unit: fn(i64) -> i64) -> BTreeSet<u32> {
    let points: Vec<i64> = (0..m).map(|i| 2 * i).collect();
    // All hidden units: x - t and t - x for t on and between the points and beyond the ends.
    let mut hidden: Vec<Vec<i64>> = Vec::new();
    for t in -1..=2 * m {
        for sign in [1, -1] {
            hidden.push(points.iter().map(|x| unit(sign * (x - t))).collect());
        }
    }
    hidden.sort();
    hidden.dedup();
    let mut sums: BTreeSet<Vec<i64>> = (-6..=6).map(|c| vec![c; points.len()]).collect();
    for _ in 0..units {
        let mut next = sums.clone();
        for sum in &sums {
            for values in &hidden {
                for v in [-3, -2, -1, 1, 2, 3] {
                    next.insert(sum.iter().zip(values).map(|(s, h)| s + v * h).collect());
                }
            }
        }
        sums = next;
    }
    let label = |sum: &Vec<i64>| sum.iter().enumerate().filter(|(_, s)| **s >= 0).map(|(i, _)| 1u32 << i).sum();
    sums.iter().map(label).collect()
}

/// Sign vectors with at most this many changes.
fn with_changes(m: i64, changes: u32) -> usize {
    (0u32..1 << m).filter(|s| ((s ^ (s >> 1)) & ((1 << (m - 1)) - 1)).count_ones() <= changes).count()
}

fn integer(q: &BigRational) -> usize {
    assert!(q.is_integer(), "{q}");
    q.to_integer().to_usize().expect("small")
}

#[test]
fn label_vectors_of_small_networks_on_the_line() {
    let library = library();
    let relu = |t: i64| t.max(0);
    let step = |t: i64| i64::from(t > 0);
    for (name, unit) in [("relu", relu as fn(i64) -> i64), ("heaviside", step)] {
        for units in 1..=2u32 {
            let network = format!("N = 1 -> {units} -> 1 {name}");
            let mut shattered = 0;
            for m in 1..=(if units == 1 { 6 } else { 4 }) {
                let labels = on_the_line(units as usize, m, unit);
                // A step function of k jumps, and a sum of one or two ReLU units, changes its sign at most k times, and may do so anywhere.
                assert_eq!(labels.len(), with_changes(m, units), "{network}, {m} points");
                if labels.len() == 1 << m {
                    shattered = m;
                }
                let count = q(labels.len() as i64, 1);
                let growth: &[&str] = if name == "relu" {
                    &["vc.bhlm2019_growth", "vc.bhlm2019_growth_closed"]
                } else {
                    &["vc.threshold_growth", "vc.threshold_growth_closed"]
                };
                for theorem in growth {
                    // The closed forms ask for as many points as parameters, those of BHLM counted with their layers: none that small.
                    if *theorem == "vc.threshold_growth" && m >= 2 {
                        let bound = upper(&library, theorem, &format!("{network}, m = {m}"));
                        assert!(count <= bound, "{theorem} at {network}, m = {m}");
                    }
                }
            }
            assert_eq!(shattered, i64::from(units) + 1);
            let vc = q(shattered, 1);
            let above: &[&str] = if name == "relu" {
                &["vc.bhlm2019_units", "vc.bartlett_maiorov_meir", "vc.predicates_of_cells"]
            } else {
                &["vc.anthony_bartlett_thresholds", "vc.baum_haussler", "vc.bartlett_maiorov_meir"]
            };
            for theorem in above {
                assert!(vc <= upper(&library, theorem, &network), "{theorem} at {network}");
            }
            let below: &[&str] =
                if name == "relu" { &["vc.input_lower", "vc.width_lower"] } else { &["vc.two_layer_threshold_lower"] };
            for theorem in below {
                assert!(lower(&library, theorem, &network) <= vc, "{theorem} at {network}");
            }
        }
    }
    // On the line the explicit shattering of threshold networks is the best there is.
    assert_eq!(lower(&library, "vc.two_layer_threshold_lower", "N = 1 -> 2 -> 1 heaviside"), q(3, 1));
}

/// The growth bounds where they apply: a network of k ReLU units on the line changes its sign at most as often as it has pieces.
#[test]
fn growth_bounds_hold_where_they_begin() {
    let library = library();
    for k in 1..=6i64 {
        let relu = format!("N = 1 -> {k} -> 1 relu");
        let begin = 2 * k + (3 * k + 1);
        for m in begin..begin + 30 {
            let changes = |most: i64| -> BigRational {
                let choose =
                    |i: i64| (0..i).fold(BigInt::one(), |c, j| c * BigInt::from(m - 1 - j) / BigInt::from(j + 1));
                BigRational::from_integer((0..=most).map(choose).sum::<BigInt>() * 2)
            };
            // A step function with jumps at any k places is a limit of no ReLU network, but k - 1 changes are always possible.
            for theorem in ["vc.bhlm2019_growth", "vc.bhlm2019_growth_closed"] {
                assert!(
                    changes(k - 1) <= upper(&library, theorem, &format!("{relu}, m = {m}")),
                    "{theorem}, {relu}, m = {m}"
                );
            }
            let threshold = format!("N = 1 -> {k} -> 1 heaviside, m = {m}");
            for theorem in ["vc.threshold_growth", "vc.threshold_growth_closed"] {
                assert!(changes(k) <= upper(&library, theorem, &threshold), "{theorem} at {threshold}");
            }
        }
    }
}

#[test]
fn polynomials_on_the_cube_shatter_as_stated() {
    let library = library();
    for (n, degree, reach) in [(1usize, 1usize, 2i64), (2, 1, 2), (2, 2, 2), (3, 1, 3)] {
        let points: Vec<u32> = (0..1 << n).collect();
        let monomials: Vec<u32> = (0..1u32 << n).filter(|set| set.count_ones() as usize <= degree).collect();
        // Integer weights of this size give every threshold function of so few variables.
        let mut values: BTreeSet<Vec<i64>> = BTreeSet::from([vec![0; points.len()]]);
        for monomial in &monomials {
            let mut next = BTreeSet::new();
            for value in &values {
                for weight in -reach..=reach {
                    let term = |x: &u32| if x & monomial == *monomial { weight } else { 0 };
                    next.insert(value.iter().zip(&points).map(|(v, x)| v + term(x)).collect::<Vec<i64>>());
                }
            }
            values = next;
        }
        let signs: BTreeSet<u32> = values
            .iter()
            .map(|value| value.iter().enumerate().filter(|(_, v)| **v > 0).map(|(i, _)| 1u32 << i).sum())
            .collect();
        let dimension = (0u32..1 << points.len())
            .filter(|set| signs.iter().map(|s| s & set).collect::<BTreeSet<u32>>().len() == 1 << set.count_ones())
            .map(u32::count_ones)
            .max()
            .expect("the empty set");
        let stated = integer(&upper(&library, "vc.boolean_polynomials", &format!("n = {n}, D = {degree}")));
        assert_eq!(stated, dimension as usize, "n = {n}, D = {degree}");
    }
}

type Form = [BigRational; 3];
type Point = (BigRational, BigRational);

fn at(form: &Form, (x, y): &Point) -> BigRational {
    &form[0] * x + &form[1] * y + &form[2]
}

/// The part of a line, from a point in a direction, where all forms of an open cell are positive; `None` where there is no such part.
fn clipped(point: &Point, direction: &Point, cell: &[Form]) -> Option<(Option<BigRational>, Option<BigRational>)> {
    let (mut from, mut to): (Option<BigRational>, Option<BigRational>) = (None, None);
    for form in cell {
        let (value, slope) = (at(form, point), &form[0] * &direction.0 + &form[1] * &direction.1);
        if slope.is_zero() {
            if !value.is_positive() {
                return None;
            }
            continue;
        }
        let end = -value / &slope;
        if slope.is_positive() {
            from = Some(from.map_or(end.clone(), |from| from.max(end)));
        } else {
            to = Some(to.map_or(end.clone(), |to| to.min(end)));
        }
    }
    let is_empty = matches!((&from, &to), (Some(from), Some(to)) if from >= to);
    (!is_empty).then_some((from, to))
}

/// A number strictly between two ends.
fn between(ends: &(Option<BigRational>, Option<BigRational>)) -> BigRational {
    match ends {
        (Some(from), Some(to)) => (from + to) / q(2, 1),
        (Some(from), None) => from + q(1, 1),
        (None, Some(to)) => to - q(1, 1),
        (None, None) => BigRational::zero(),
    }
}

fn moved(point: &Point, direction: &Point, by: &BigRational) -> Point {
    (&point.0 + &direction.0 * by, &point.1 + &direction.1 * by)
}

/// An open cell: forms that are positive on it, and one of its points.
#[derive(Clone)]
struct Cell {
    forms: Vec<Form>,
    point: Point,
}

/// The two parts of a cell on which a form is positive and negative, where its line meets the cell.
fn cut(form: &Form, cell: &Cell) -> Option<[Cell; 2]> {
    let [a, b, c] = form;
    if a.is_zero() && b.is_zero() {
        return None;
    }
    let square = a * a + b * b;
    let (foot, along, normal) =
        ((-(a * c) / &square, -(b * c) / &square), (-b.clone(), a.clone()), (a.clone(), b.clone()));
    let on_the_line = moved(&foot, &along, &between(&clipped(&foot, &along, &cell.forms)?));
    // A point of the cell: the normal through it stays in the cell on both sides for a while.
    let (back, ahead) = clipped(&on_the_line, &normal, &cell.forms).expect("a point of the cell");
    let zero = Some(BigRational::zero());
    let negative = form.clone().map(|part| -part);
    Some([(form.clone(), (zero.clone(), ahead)), (negative, (back, zero))].map(|(side, ends)| Cell {
        forms: [cell.forms.clone(), vec![side]].concat(),
        point: moved(&on_the_line, &normal, &between(&ends)),
    }))
}

/// Activation regions of a ReLU network on the plane: cells, cut by the lines of one layer after the other.
fn regions(layers: &[Vec<(Vec<BigRational>, BigRational)>]) -> usize {
    let none = || [BigRational::zero(), BigRational::zero(), BigRational::zero()];
    let (mut x, mut y) = (none(), none());
    (x[0], y[1]) = (BigRational::one(), BigRational::one());
    let plane = Cell { forms: Vec::new(), point: (BigRational::zero(), BigRational::zero()) };
    let mut cells: Vec<(Cell, Vec<Form>)> = vec![(plane, vec![x, y])];
    for layer in layers {
        let mut next = Vec::new();
        for (cell, values) in cells {
            let unit = |(weights, bias): &(Vec<BigRational>, BigRational)| {
                let mut form = none();
                form[2] += bias;
                for (w, value) in weights.iter().zip(&values) {
                    for (part, v) in form.iter_mut().zip(value) {
                        *part += w * v;
                    }
                }
                form
            };
            let mut parts: Vec<(Cell, Vec<Form>)> = vec![(cell, Vec::new())];
            for form in layer.iter().map(unit) {
                let split = |(part, active): (Cell, Vec<Form>)| {
                    let sides = cut(&form, &part).map_or_else(|| vec![part], Vec::from);
                    let with_value = |side: Cell| {
                        let value = if at(&form, &side.point).is_positive() { form.clone() } else { none() };
                        (side, [active.clone(), vec![value]].concat())
                    };
                    sides.into_iter().map(with_value).collect::<Vec<_>>()
                };
                parts = parts.into_iter().flat_map(split).collect();
            }
            next.extend(parts);
        }
        cells = next;
    }
    cells.len()
}

#[test]
fn activation_regions_in_the_plane() {
    let (library, mut random) = (library(), Random(11));
    for case in 0..120i64 {
        let widths = [1 + case % 4, 1 + case / 4 % 3];
        let mut inputs = 2;
        let mut layers = Vec::new();
        for width in widths {
            let row = |random: &mut Random| {
                ((0..inputs).map(|_| q(random.within(-7, 7), 2)).collect(), q(random.within(-7, 7), 3))
            };
            layers.push((0..width).map(|_| row(&mut random)).collect::<Vec<_>>());
            inputs = width;
        }
        let count = q(i64::try_from(regions(&layers)).expect("small"), 1);
        let network = format!("N = 2 -> {} -> {} -> 1 relu", widths[0], widths[1]);
        let serra = upper(&library, "regions.serra2018", &network);
        assert!(count <= serra, "{count} regions of {network}, at most {serra}");
        assert!(serra <= upper(&library, "regions.montufar2017", &network));
    }
    // Three lines in general position.
    let form = |a: i64, b: i64, c: i64| (vec![q(a, 1), q(b, 1)], q(c, 1));
    assert_eq!(regions(&[vec![form(1, 0, 0), form(0, 1, 0), form(1, 1, -1)]]), 7);
}

/// f(x) = x on [-1, 1] is the limit of sin(t x)/t, whose first Fourier moment is 1: the best step functions on equally spaced points.
#[test]
fn steps_approximate_the_identity_as_stated() {
    let library = library();
    for points in 2..=12i64 {
        let xs: Vec<BigRational> = (0..points).map(|i| q(2 * i - points + 1, points - 1)).collect();
        // Least sum of squares of one constant on the points i..j.
        let cost = |i: usize, j: usize| {
            let part = &xs[i..j];
            let mean = part.iter().sum::<BigRational>() / q(part.len() as i64, 1);
            part.iter().map(|x| (x - &mean) * (x - &mean)).sum::<BigRational>()
        };
        let m = xs.len();
        let mut best: Vec<BigRational> =
            (0..=m).map(|j| if j == 0 { BigRational::zero() } else { cost(0, j) }).collect();
        for n in 1..=6i64 {
            best = (0..=m)
                .map(|j| (0..j).map(|i| &best[i] + cost(i, j)).chain([best[j].clone()]).min().expect("a cut"))
                .collect();
            let error = &best[m] / q(points, 1);
            let bound = upper(&library, "approximation.barron", &format!("n = {n}, C = 1, r = 1"));
            assert!(error <= bound, "{n} steps on {points} points: {error} > {bound}");
        }
    }
}

#[test]
fn means_of_few_points_approximate_a_hull_as_stated() {
    let library = library();
    // The centre of the unit vectors of R^4 has norm 1/2; the square of the distance of the best mean of n of them, over all multisets.
    fn least(d: i64, left: i64, sum: i64) -> i64 {
        if d == 1 {
            return sum + left * left;
        }
        (0..=left).map(|k| least(d - 1, left - k, sum + k * k)).min().expect("a share")
    }
    for n in 1..=24i64 {
        // |mean - centre|^2 = sum (k_i/n)^2 - 1/4.
        let error = q(least(4, n, 0), n * n) - q(1, 4);
        let bound = upper(&library, "approximation.maurey", &format!("n = {n}, b = 1, t = 1/2"));
        assert!(error <= bound, "{n}: {error} > {bound}");
        assert!(n > 1 || error == bound, "one point: nothing is lost");
    }
}

/// One input, two layers: over (sum |w_j|^q)^(1/q) <= 1 and (sum |v_j|^p)^(1/p) <= 1 the largest sum v_j w_j is H^max(0, 1 - 1/p - 1/q), so
/// the complexity is that times E max(|S+|, |S-|)/m, over all signs.
#[test]
fn group_norms_on_the_line() {
    let library = library();
    for m in 1..=10u32 {
        for ones in 0..=m {
            let mean = q(larger_sums(m, ones), 1) / (q(1 << m, 1) * q(i64::from(m), 1));
            // H = 4: the factor is 4^(1 - 1/p - 1/q), a power of 2 in these cases.
            for (p, norm, factor) in
                [("2", "2", 1), ("2", "1", 1), ("4/3", "4", 1), ("2", "1000000", 1), ("4/3", "1", 1)]
            {
                let bound = upper(
                    &library,
                    "rademacher.group_norms",
                    &format!("d = 2, H = 4, n = 1, p = {p}, q = {norm}, t = 1, m = {m}"),
                );
                assert!(&mean * q(factor, 1) <= bound, "p = {p}, q = {norm}, m = {m}");
            }
            // q near infinity: 4^(1/2 - 10^-6) > 2 - 10^-5.
            let bound = upper(
                &library,
                "rademacher.group_norms",
                &format!("d = 2, H = 4, n = 1, p = 2, q = 1000000, t = 1, m = {m}"),
            );
            assert!(&mean * q(199_999, 100_000) <= bound, "m = {m}");
            let l1 =
                upper(&library, "rademacher.group_norms_l1", &format!("d = 2, H = 4, n = 1, q = 1, t = 1, m = {m}"));
            assert!(mean <= l1, "m = {m}");
        }
    }
}

#[test]
fn linear_functions_and_their_matrices_are_covered() {
    let (library, mut random) = (library(), Random(13));
    for _ in 0..400 {
        let (t, eps) = (q(random.within(0, 60), 10), q(random.within(1, 40), 10));
        // One input, all examples at the edge: an interval of half-length t.
        let cover = (&t / &eps).ceil().max(BigRational::one());
        assert!(cover <= upper(&library, "covering.linear_dual", &format!("n = 1, t = {t}, eps = {eps}")), "{t} {eps}");
        let matrix = format!("a = {t}, b = 1, d = 1, k = 1, r = 2, eps = {eps}");
        assert!(cover <= upper(&library, "covering.matrix_products_dual", &matrix), "{matrix}");
        // Two inputs that orthogonal examples separate: the square |w_1| + |w_2| <= t, of area 2 t^2.
        let area = q(2, 1) * &t * &t / (q(22, 7) * &eps * &eps);
        let plane = upper(&library, "covering.linear_dual", &format!("n = 2, t = {}, eps = {eps}", &t * q(2, 1)));
        assert!(area <= plane, "{t} {eps}");
        // The closed form of the pseudo-dimension's cover is above the sum.
        let (d, more) = (random.within(1, 4), random.within(0, 9));
        let given = format!("d = {d}, m = {}, M = {t}, eps = {}", d + more, eps.clone().min(q(2, 1) * &t));
        if t.is_positive() {
            let sum = upper(&library, "covering.pseudo_dimension", &given);
            assert!(sum <= upper(&library, "covering.pseudo_dimension_closed", &given), "{given}");
        }
    }
}

/// The sum of Maurer's proof over all k, exactly, against the form that the theorem computes.
#[test]
fn the_sum_of_the_kl_bound_is_the_one_of_its_proof() {
    let library = library();
    let theorem = &library.find("pac_bayes.maurer").expect("the theorem").theorem;
    let (objects, theorems, structures) = Default::default();
    let workspace = Workspace::new(&objects, &theorems, &structures);
    for m in 1..=60i64 {
        let power = |base: BigRational, n: i64| (0..n).fold(BigRational::one(), |product, _| product * &base);
        let binomial = |k: i64| (0..k).fold(BigInt::one(), |c, j| c * BigInt::from(m - j) / BigInt::from(j + 1));
        let xi: BigRational = (0..=m)
            .map(|k| BigRational::from_integer(binomial(k)) * power(q(k, m), k) * power(q(m - k, m), m - k))
            .sum();
        let sum = theorem.requires.iter().find_map(|requirement| match requirement {
            Formula::Compare(sum @ Term::Apply(..), _, Term::Name(x)) if x == "x" => Some(sum),
            _ => None,
        });
        let sum = sum.expect("the sum").substitute(&[("m".to_string(), Term::int(m))].into());
        let (value, _) = workspace.evaluate(&sum).expect("a number");
        let computed = theory_support::rational(value.enclosure().hi());
        assert!(xi <= computed && computed <= &xi + q(1, 1000), "m = {m}: {xi} {computed}");
    }
}
