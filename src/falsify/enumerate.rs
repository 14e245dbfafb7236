//! Exact counting on tiny instances: every function goes through all cases.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};
use std::collections::BTreeSet;

/// Label vectors on this many points are enumerated.
pub const POINTS_LIMIT: u32 = 12;

/// Label vectors of `m` points on a line, in order, with at most so many changes.
///
/// These are the dichotomies of the signs of polynomials of degree `changes`, of affine functions on `changes` coordinates of points on
/// the moment curve (general position, where the count is largest), and of networks on the line with `changes` threshold units.
pub fn with_changes(m: u32, changes: u32) -> u64 {
    let m = m.min(POINTS_LIMIT);
    (0..1u32 << m).filter(|labels| changes_of(*labels, m) <= changes).count() as u64
}

fn changes_of(labels: u32, m: u32) -> u32 {
    (1..m).filter(|i| (labels >> i) & 1 != (labels >> (i - 1)) & 1).count() as u32
}

/// The most label vectors that axis-parallel boxes of R^n give on `m` points in general position: the point sets are all arrangements
/// of distinct coordinates, and a set of points is cut out if its bounding box has no other point. `None` where there are too many.
pub fn boxes(n: u32, m: u32) -> Option<u64> {
    if n == 0 || m > 5 || (n == 3 && m > 4) || n > 3 {
        return None;
    }
    let identity: Vec<u32> = (0..m).collect();
    let orders = permutations(m);
    let one = vec![identity.clone()];
    let (second, third) = (if n >= 2 { &orders } else { &one }, if n >= 3 { &orders } else { &one });
    let mut most = 0;
    for a in second {
        for b in third {
            most = most.max(cut_out_by_boxes(&[&identity, a, b], m));
        }
    }
    Some(most)
}

fn cut_out_by_boxes(coordinates: &[&Vec<u32>], m: u32) -> u64 {
    (0..1u32 << m)
        .filter(|set| {
            let inside = |i: u32| (set >> i) & 1 == 1;
            *set == 0
                || (0..m).filter(|i| !inside(*i)).all(|i| {
                    // The point is outside the bounding box in some coordinate.
                    coordinates.iter().any(|values| {
                        let members = (0..m).filter(|j| inside(*j)).map(|j| values[j as usize]);
                        let (low, high) = members.fold((u32::MAX, 0), |(low, high), v| (low.min(v), high.max(v)));
                        !(low..=high).contains(&values[i as usize])
                    })
                })
        })
        .count() as u64
}

/// All permutations of `0..m`.
pub fn permutations(m: u32) -> Vec<Vec<u32>> {
    let mut all = vec![Vec::new()];
    for i in 0..m {
        all = all
            .into_iter()
            .flat_map(|p: Vec<u32>| {
                (0..=p.len()).map(move |at| {
                    let mut longer = p.clone();
                    longer.insert(at, i);
                    longer
                })
            })
            .collect();
    }
    all
}

/// The most vectors that a finite class, given as sets of points where its functions are 1, has on `m` of the points.
pub fn growth(class: &[u32], points: u32, m: u32) -> u64 {
    let on = |set: u32| class.iter().map(|f| f & set).collect::<BTreeSet<u32>>().len() as u64;
    if m >= points {
        // Repeated points add nothing.
        return on((1u32 << points) - 1);
    }
    (0..1u32 << points).filter(|set| set.count_ones() == m).map(on).max().unwrap_or(1)
}

/// The largest `d <= limit` with `growth(d) = 2^d`.
pub fn vc_dimension(growth: impl Fn(u32) -> u64, limit: u32) -> u32 {
    (0..=limit).take_while(|d| growth(*d) == 1u64 << d).last().unwrap_or(0)
}

/// `E |eps_1 + ... + eps_m|` over independent fair signs, by going through all of them.
pub fn mean_absolute_sum(m: u32) -> BigRational {
    let m = m.min(POINTS_LIMIT);
    let total: i64 = (0..1u32 << m).map(|signs| (2 * i64::from(signs.count_ones()) - i64::from(m)).abs()).sum();
    BigRational::new(BigInt::from(total), BigInt::from(1u64 << m))
}

/// How often each point occurs in an i.i.d. sample of `n` examples, with the probability of these counts.
pub fn samples(law: &[BigRational], n: u32) -> Vec<(Vec<u32>, BigRational)> {
    let mut all = Vec::new();
    counts(law, n, &mut Vec::new(), &BigRational::one(), &mut all);
    all
}

fn counts(
    law: &[BigRational],
    left: u32,
    so_far: &mut Vec<u32>,
    probability: &BigRational,
    all: &mut Vec<(Vec<u32>, BigRational)>,
) {
    let Some((p, rest)) = law.split_first() else { return };
    if rest.is_empty() {
        let last = probability * power(p, left);
        if !last.is_zero() {
            so_far.push(left);
            all.push((so_far.clone(), last));
            so_far.pop();
        }
        return;
    }
    for k in 0..=left {
        // Multinomial: choose which k of the examples left fall on this point.
        let weight = probability * power(p, k) * BigRational::from_integer(binomial(left, k));
        if !weight.is_zero() {
            so_far.push(k);
            counts(rest, left - k, so_far, &weight, all);
            so_far.pop();
        }
    }
}

fn power(p: &BigRational, k: u32) -> BigRational {
    num_traits::pow(p.clone(), usize::try_from(k).unwrap_or(0))
}

/// `n` choose `k`.
pub fn binomial(n: u32, k: u32) -> BigInt {
    (0..k).fold(BigInt::one(), |product, i| product * BigInt::from(n - i) / BigInt::from(i + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_counts() {
        // Four points in the plane: 14 of 16; intervals on 3 points: all but one; rectangles on 4 points: all 16, on 5 fewer.
        assert_eq!((with_changes(4, 2), with_changes(3, 1), with_changes(3, 0)), (14, 6, 2));
        assert_eq!((boxes(1, 3), boxes(2, 4), boxes(3, 6)), (Some(7), Some(16), None));
        assert!(boxes(2, 5).is_some_and(|count| count < 32));
        assert_eq!(permutations(4).len(), 24);
        assert_eq!((growth(&[0, 1, 2, 4], 3, 2), growth(&[0, 1, 2, 4], 3, 5)), (3, 4));
        assert_eq!(vc_dimension(|m| growth(&[0, 1, 2, 3], 2, m), 4), 2);
        assert_eq!(mean_absolute_sum(2), BigRational::one());
        let half = BigRational::new(1.into(), 2.into());
        let all = samples(&[half.clone(), half], 3);
        assert_eq!(all.len(), 4);
        assert_eq!(all.iter().map(|(_, p)| p).sum::<BigRational>(), BigRational::one());
    }
}
