//! Attempts to falsify the library: quantities of tiny instances by enumeration in exact arithmetic, against the statements as the
//! kernel evaluates them. Capacity here, probabilities and networks in `theory_truth_nets.rs`.

mod theory_support;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use std::collections::BTreeSet;
use theory_support::{Random, evaluate, larger_sums, library, lower, q, upper};

type Point = (i64, i64);

/// All label vectors that half-planes give to points, as bit sets. Every one is given by a direction that no two points tie in; the
/// directions between two neighbouring ties order the points in one way.
fn half_planes(points: &[Point]) -> BTreeSet<u32> {
    // Normals of the lines through two points, both ways, sorted by angle.
    let mut ties: Vec<Point> = Vec::new();
    for (i, a) in points.iter().enumerate() {
        for b in &points[..i] {
            let (dx, dy) = (a.0 - b.0, a.1 - b.1);
            if (dx, dy) != (0, 0) {
                ties.extend([(-dy, dx), (dy, -dx)]);
            }
        }
    }
    ties.extend([(1, 0), (0, 1), (-1, 0), (0, -1)]);
    let half = |v: &Point| u8::from(v.1 < 0 || (v.1 == 0 && v.0 < 0));
    ties.sort_by(|a, b| half(a).cmp(&half(b)).then(0.cmp(&(a.0 * b.1 - a.1 * b.0))));
    ties.dedup_by(|a, b| half(a) == half(b) && a.0 * b.1 == a.1 * b.0);
    let mut labels = BTreeSet::new();
    for (i, a) in ties.iter().enumerate() {
        let b = ties[(i + 1) % ties.len()];
        // Less than a half turn apart: the sum lies strictly between.
        let direction = (a.0 + b.0, a.1 + b.1);
        let value = |p: &Point| direction.0 * p.0 + direction.1 * p.1;
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by_key(|&i| value(&points[i]));
        let mut label = 0u32;
        labels.insert(label);
        for (rank, &i) in order.iter().enumerate().rev() {
            label |= 1 << i;
            // Equal points get equal labels.
            if rank == 0 || value(&points[order[rank - 1]]) != value(&points[i]) {
                labels.insert(label);
            }
        }
    }
    labels
}

fn integer(q: &BigRational) -> usize {
    assert!(q.is_integer(), "{q}");
    q.to_integer().to_usize().expect("small")
}

#[test]
fn half_planes_are_counted() {
    let (library, mut random) = (library(), Random(1));
    for m in 1..=8usize {
        let growth = integer(&upper(&library, "vc.cover_count", &format!("n = 2, m = {m}")));
        let sauer = integer(&upper(&library, "vc.sauer_sum", &format!("m = {m}, d = 3")));
        let mut largest = 0;
        for _ in 0..120 {
            let points: Vec<Point> = (0..m).map(|_| (random.within(-9, 9), random.within(-9, 9))).collect();
            largest = largest.max(half_planes(&points).len());
        }
        // General position is among the random sets, so the maximum is attained.
        assert_eq!(largest, growth, "{m} points");
        assert!(growth <= sauer);
        let line = integer(&upper(&library, "vc.cover_count", &format!("n = 1, m = {m}")));
        let on_a_line: Vec<Point> = (0..m).map(|i| (i as i64, 0)).collect();
        assert_eq!(half_planes(&on_a_line).len(), line, "{m} points on a line");
    }
    // Three points are shattered, four never.
    assert_eq!(upper(&library, "vc.halfspaces", "n = 2"), q(3, 1));
    assert_eq!(half_planes(&[(0, 0), (1, 0), (0, 1)]).len(), 8);
}

/// The VC dimension of a family of subsets of m points, each a bit set.
fn vc_dimension(family: &[u32], m: u32) -> u32 {
    let shattered = |set: u32| -> bool {
        let traces: BTreeSet<u32> = family.iter().map(|member| member & set).collect();
        traces.len() == 1 << set.count_ones()
    };
    (0..1u32 << m).filter(|&set| shattered(set)).map(u32::count_ones).max().unwrap_or(0)
}

#[test]
fn sauers_lemma_holds_for_every_family_on_four_points() {
    let library = library();
    let bound = |d: u32| integer(&upper(&library, "vc.sauer_sum", &format!("m = 4, d = {d}")));
    let exponential = |d: u32| upper(&library, "vc.sauer_shelah", &format!("m = 4, d = {d}"));
    let bounds: Vec<usize> = (0..=4).map(bound).collect();
    for d in 1..=4u32 {
        assert!(BigRational::from_integer(BigInt::from(bounds[d as usize])) <= exponential(d));
    }
    let mut attained = [false; 5];
    for family in 1u32..1 << 16 {
        let members: Vec<u32> = (0..16).filter(|i| family >> i & 1 == 1).collect();
        let d = vc_dimension(&members, 4) as usize;
        assert!(members.len() <= bounds[d], "{members:?} has dimension {d}");
        attained[d] |= members.len() == bounds[d];
        // A class of k functions has dimension at most log2 k.
        assert!(1 << d <= members.len());
    }
    assert_eq!(attained, [true; 5], "the bound is sharp for every dimension");
    for k in 1..=16u32 {
        let largest = (0..=4u32).filter(|d| 1 << d <= k).max().expect("0");
        assert_eq!(upper(&library, "vc.finite_class", &format!("k = {k}")), q(i64::from(largest), 1));
    }
}

#[test]
fn boxes_and_intervals_shatter_as_stated() {
    let (library, mut random) = (library(), Random(2));
    // A label vector is a box's if no other point lies in the bounding box of the chosen ones.
    let shattered = |points: &[Vec<i64>]| -> bool {
        (1u32..1 << points.len()).all(|label| {
            let chosen = |i: usize| label >> i & 1 == 1;
            let inside = |p: &Vec<i64>| {
                (0..p.len()).all(|axis| {
                    let values = (0..points.len()).filter(|&i| chosen(i)).map(|i| points[i][axis]);
                    values.clone().min().expect("chosen") <= p[axis] && p[axis] <= values.max().expect("chosen")
                })
            };
            (0..points.len()).all(|i| chosen(i) || !inside(&points[i]))
        })
    };
    for n in 1..=3usize {
        let dimension = integer(&upper(&library, "vc.boxes", &format!("n = {n}")));
        assert_eq!(lower(&library, "vc.boxes", &format!("n = {n}")), q(dimension as i64, 1));
        let unit = |axis: usize, sign: i64| (0..n).map(|i| if i == axis { sign } else { 0 }).collect::<Vec<i64>>();
        let axes: Vec<Vec<i64>> = (0..n).flat_map(|axis| [unit(axis, 1), unit(axis, -1)]).collect();
        assert!(axes.len() == dimension && shattered(&axes));
        for _ in 0..300 {
            let points: Vec<Vec<i64>> =
                (0..=dimension).map(|_| (0..n).map(|_| random.within(-5, 5)).collect()).collect();
            assert!(!shattered(&points), "{points:?}");
        }
    }
    assert_eq!(upper(&library, "vc.intervals", "1 = 1"), q(2, 1));
    assert_eq!(upper(&library, "vc.boxes", "n = 1"), q(2, 1));
}

#[test]
fn polynomials_of_one_variable_change_sign_as_often_as_their_degree() {
    let library = library();
    for degree in 0..=5usize {
        // Sign vectors on m points of the line: those with at most `degree` changes.
        let count = |m: usize| {
            (0u32..1 << m).filter(|s| ((s ^ (s >> 1)) & ((1 << (m - 1)) - 1)).count_ones() as usize <= degree).count()
        };
        let dimension = integer(&upper(&library, "vc.polynomials", &format!("n = 1, D = {degree}")));
        assert_eq!(count(dimension), 1 << dimension);
        assert!(count(dimension + 1) < 1 << (dimension + 1));
    }
}

#[test]
fn threshold_networks_shatter_convex_polygons() {
    let library = library();
    for k in 1..=3usize {
        let bindings = format!("N = 2 -> {k} -> 1 heaviside");
        let m = integer(&lower(&library, "vc.two_layer_threshold_lower", &bindings));
        // Points of a parabola are in convex position.
        let points: Vec<Point> = (0..m as i64).map(|i| (i - 3, (i - 3) * (i - 3))).collect();
        let single = half_planes(&points);
        let mut unions = BTreeSet::from([0u32]);
        for _ in 0..k {
            unions = unions.iter().flat_map(|a| single.iter().map(move |b| a | b)).collect();
        }
        assert_eq!(unions.len(), 1 << m, "{k} hidden units and an output that takes their disjunction");
        let above = upper(&library, "vc.baum_haussler", &bindings);
        assert!(q(m as i64, 1) <= above);
    }
}

#[test]
fn cubes_and_balls_are_covered() {
    let (library, mut random) = (library(), Random(3));
    for _ in 0..120 {
        let (r, eps) = (q(random.within(1, 40), 10), q(random.within(1, 40), 10));
        // Greedy from the left is optimal on a line.
        let (mut count, mut covered) = (0i64, -r.clone());
        while covered < r {
            covered += q(2, 1) * &eps;
            count += 1;
        }
        for n in 1..=2u32 {
            let bindings = format!("n = {n}, r = {r}, eps = {eps}");
            let cover = upper(&library, "covering.cube", &bindings);
            assert_eq!(cover, q(count, 1).pow(n as i32), "{bindings}");
            assert_eq!(lower(&library, "covering.cube", &bindings), cover);
            // In the largest norm a ball is a cube.
            let ball = format!("n = {n}, r = {r}, p = linf, eps = {eps}");
            assert!(cover <= upper(&library, "covering.ball", &ball), "{ball}");
            assert!(lower(&library, "covering.ball_lower", &ball) <= cover, "{ball}");
        }
        // On a line every ball is an interval; in the plane a cover has at least the area of the ball.
        let maurey = |n: u32| upper(&library, "covering.l1_ball", &format!("n = {n}, r = {r}, eps = {eps}"));
        assert!(q(count, 1) <= maurey(1), "r = {r}, eps = {eps}");
        let area = q(2, 1) * &r * &r / (q(22, 7) * &eps * &eps);
        assert!(area <= maurey(2), "r = {r}, eps = {eps}");
    }
}

#[test]
fn rademacher_averages_of_small_networks() {
    let library = library();
    for m in 1..=10u32 {
        for ones in 0..=m {
            // Points 1 (`ones` times) and -1. Over |v| <= C, |w| <= C the supremum of |sum eps_i sum_j v_j relu(w_j x_i)| is
            // C^2 max(|S+|, |S-|), with S+ and S- the sums of the signs at 1 and at -1.
            let (total, linear) = (larger_sums(m, ones), larger_sums(m, m));
            let scale = q(1 << m, 1) * q(i64::from(m), 1);
            for (c, square) in [(1, 1), (3, 9)] {
                let deep = q(square * total, 1) / &scale;
                let facts = format!("weight_norm(N, 1, fro) = {c}, weight_norm(N, 2, fro) = {c}");
                let network = format!("N = 1 -> 2 -> 1 relu, no_bias(N), m = {m}");
                for (theorem, bindings) in [
                    ("rademacher.survey_2_1", format!("{network}, C = {c}")),
                    ("rademacher.peeling", format!("{network}, B = 1, {facts}")),
                    ("rademacher.golowich_rakhlin_shamir", format!("{network}, B = 1, {facts}")),
                ] {
                    if ones == m / 2 || m < 4 {
                        assert!(deep <= upper(&library, theorem, &bindings), "{theorem} at {bindings}");
                    }
                }
                let shallow = format!("N = 1 -> 1, no_bias(N), m = {m}, B = 1, weight_norm(N, 1, fro) = {c}");
                if ones == 0 {
                    assert!(q(c * linear, 1) / &scale <= upper(&library, "rademacher.peeling", &shallow), "{shallow}");
                }
            }
        }
    }
}

#[test]
fn the_best_learner_errs_as_stated_on_average() {
    let library = library();
    for n in 1..=4u32 {
        for m in 0..=4u32 {
            // Over all samples, the mean share of points that are not in the sample; there a uniform label is a coin.
            let samples = n.pow(m);
            let unseen = |mut sample: u32| {
                let mut seen = 0u32;
                for _ in 0..m {
                    seen |= 1 << (sample % n);
                    sample /= n;
                }
                i64::from(n - seen.count_ones())
            };
            let total: i64 = (0..samples).map(unseen).sum();
            let risk = q(total, 2 * i64::from(n) * i64::from(samples));
            let stated = evaluate(&library, "no_free_lunch.uniform_labels", &format!("m = {m}, N = {n}"));
            assert_eq!(stated.right.0.as_rational(), Some(risk.clone()), "m = {m}, N = {n}");
            if 2 * m <= n {
                assert!(q(1, 16) <= risk);
            }
        }
    }
}
