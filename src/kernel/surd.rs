//! Exact elements of `Q(sqrt 2, sqrt 3, ...)`: rational combinations of square roots of squarefree integers. Trust: kernel.
//!
//! Square roots of distinct squarefree positive integers are linearly independent over the rationals (Besicovitch 1940), so an
//! element is zero iff all its coefficients are; equality is decidable. Sizes are limited: an operation whose result would be too
//! large returns `None`, and the caller goes on with enclosures.

use super::real::{Bits, Dyadic, Enclosure, MAX_BITS, Truth};
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::cmp::Ordering;

const TERM_LIMIT: usize = 64;
const BIT_LIMIT: u64 = 8192;
/// Radicands are factored by trial division up to this.
const FACTOR_LIMIT: u64 = 1 << 16;

/// `sum coefficient * sqrt(radicand)` with squarefree radicands >= 1 that increase, and nonzero coefficients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surd {
    terms: Vec<(u64, BigRational)>,
}

/// The sum; of integers without reducing a fraction, which costs the square of their length.
fn sum(p: &BigRational, q: &BigRational) -> BigRational {
    if p.is_integer() && q.is_integer() { BigRational::from_integer(p.numer() + q.numer()) } else { p + q }
}

/// The product; see [`sum`].
fn product(p: &BigRational, q: &BigRational) -> BigRational {
    if p.is_integer() && q.is_integer() { BigRational::from_integer(p.numer() * q.numer()) } else { p * q }
}

fn fits(q: &BigRational) -> bool {
    q.numer().bits() + q.denom().bits() <= BIT_LIMIT
}

/// `n = square^2 * squarefree`, with a squarefree part below 2^63. `None`: too large to tell.
fn split_square(n: &BigInt) -> Option<(BigInt, u64)> {
    let root = n.sqrt();
    if &root * &root == *n {
        return Some((root, 1));
    }
    let mut rest = n.clone();
    let mut square = BigInt::one();
    let mut free = 1u64;
    let mut factor = 2u64;
    // Most factors divide nothing: they are tried on machine words where the rest fits one.
    let mut word = rest.to_u64();
    while factor < FACTOR_LIMIT && word.map_or_else(|| BigInt::from(factor) * factor <= rest, |n| factor * factor <= n)
    {
        let mut count = 0u32;
        while word.map_or_else(|| (&rest % factor).is_zero(), |n| n % factor == 0) {
            rest /= factor;
            word = rest.to_u64();
            count += 1;
        }
        square *= BigInt::from(factor).pow(count / 2);
        if count % 2 == 1 {
            free = free.checked_mul(factor)?;
        }
        // Every prime above 3 is 1 or 5 modulo 6.
        factor += match factor {
            2 => 1,
            _ if factor % 6 == 1 => 4,
            _ => 2,
        };
    }
    // What is left has no factor below the limit: it is prime if it is below the limit's square, or a perfect square.
    if rest.is_one() {
        return Some((square, free));
    }
    let root = rest.sqrt();
    if &root * &root == rest {
        return Some((square * root, free));
    }
    let left = rest.to_u64()?;
    let is_prime = u128::from(left) < u128::from(factor) * u128::from(factor);
    is_prime.then_some(())?;
    Some((square, free.checked_mul(left).filter(|free| *free < 1 << 62)?))
}

impl Surd {
    pub fn rational(q: BigRational) -> Surd {
        Surd { terms: if q.is_zero() { Vec::new() } else { vec![(1, q)] } }
    }

    /// Radicands with their coefficients.
    pub fn terms(&self) -> &[(u64, BigRational)] {
        &self.terms
    }

    pub fn is_zero(&self) -> bool {
        self.terms.is_empty()
    }

    pub fn as_rational(&self) -> Option<BigRational> {
        match self.terms.as_slice() {
            [] => Some(BigRational::zero()),
            [(1, q)] => Some(q.clone()),
            _ => None,
        }
    }

    pub fn neg(&self) -> Surd {
        Surd { terms: self.terms.iter().map(|(radicand, q)| (*radicand, -q)).collect() }
    }

    pub fn add(&self, other: &Surd) -> Option<Surd> {
        let mut total = self.clone();
        for (radicand, q) in &other.terms {
            total.include(*radicand, q)?;
        }
        Some(total)
    }

    /// Adds a square root of a squarefree integer, `q` times.
    fn include(&mut self, radicand: u64, q: &BigRational) -> Option<()> {
        let place = self.terms.partition_point(|(known, _)| *known < radicand);
        match self.terms.get_mut(place) {
            Some((known, coefficient)) if *known == radicand => {
                *coefficient = sum(coefficient, q);
                if !fits(coefficient) {
                    return None;
                }
                if coefficient.is_zero() {
                    self.terms.remove(place);
                }
            }
            _ => {
                if !fits(q) {
                    return None;
                }
                self.terms.insert(place, (radicand, q.clone()));
            }
        }
        (self.terms.len() <= TERM_LIMIT).then_some(())
    }

    pub fn mul(&self, other: &Surd) -> Option<Surd> {
        let mut total = Surd { terms: Vec::new() };
        for (a, p) in &self.terms {
            for (b, q) in &other.terms {
                // sqrt a sqrt b = g sqrt((a/g)(b/g)) with g = gcd(a, b), and the new radicand is squarefree again.
                let g = a.gcd(b);
                let radicand = (a / g).checked_mul(b / g).filter(|r| *r < 1 << 62)?;
                let coefficient = product(p, q);
                let coefficient = if g == 1 { coefficient } else { coefficient * BigInt::from(g) };
                total.include(radicand, &coefficient)?;
            }
        }
        Some(total)
    }

    /// The quotient by an element of one term. `None`: zero, or more terms.
    pub fn div(&self, other: &Surd) -> Option<Surd> {
        let [(radicand, q)] = other.terms.as_slice() else { return None };
        // 1 / (q sqrt r) = sqrt r / (q r).
        let coefficient = BigRational::one() / (q * BigRational::from_integer(BigInt::from(*radicand)));
        self.mul(&Surd { terms: vec![(*radicand, coefficient)] })
    }

    pub fn powi(&self, n: u32) -> Option<Surd> {
        let bits = self.terms.iter().map(|(_, q)| q.numer().bits() + q.denom().bits()).max().unwrap_or(0);
        if bits > 2 && bits.checked_mul(u64::from(n))? > 2 * BIT_LIMIT {
            return None;
        }
        let mut result = Surd::rational(BigRational::one());
        for i in (0..32 - n.leading_zeros()).rev() {
            result = result.mul(&result)?;
            if n >> i & 1 == 1 {
                result = result.mul(self)?;
            }
        }
        Some(result)
    }

    /// `sqrt(q)`. `None`: negative, or too large to factor.
    pub fn sqrt(q: &BigRational) -> Option<Surd> {
        if q.is_negative() {
            return None;
        }
        if q.is_zero() {
            return Some(Surd::rational(BigRational::zero()));
        }
        if q.numer().bits() > 256 || q.denom().bits() > 256 {
            // Perfect squares only.
            let (a, b) = (q.numer().sqrt(), q.denom().sqrt());
            let exact = &a * &a == *q.numer() && &b * &b == *q.denom();
            return exact.then(|| Surd::rational(BigRational::new(a, b)));
        }
        // sqrt(a/b) = sqrt(a b)/b, factor by factor.
        let (a, free_a) = split_square(q.numer())?;
        let (b, free_b) = split_square(q.denom())?;
        let numerator = Surd { terms: vec![(free_a, BigRational::from_integer(a))] };
        let denominator = Surd { terms: vec![(free_b, BigRational::from_integer(b))] };
        numerator.div(&denominator)
    }

    /// An enclosure with about `bits` significant bits per term.
    pub fn enclosure(&self, bits: Bits) -> Enclosure {
        let working = bits.saturating_add(16);
        let mut sum = Enclosure::exact_int(0);
        for (radicand, q) in &self.terms {
            let coefficient = Enclosure::point(q, if self.terms.len() == 1 { bits.max(64) } else { working });
            let term = if *radicand == 1 {
                coefficient
            } else {
                let root = Enclosure::exact(Dyadic::from(BigInt::from(*radicand))).sqrt(working);
                // The radicand is positive, so the root exists.
                root.map_or_else(|_| Enclosure::entire(), |root| coefficient.mul(&root, working))
            };
            sum = sum.add(&term, working);
        }
        sum
    }

    /// The order of the reals: equality by the coefficients, else by the sign of the difference at rising precision. `None`: the
    /// operands differ, but not within the largest precision.
    pub fn compare(&self, other: &Surd) -> Option<Ordering> {
        if self == other {
            return Some(Ordering::Equal);
        }
        if let (Some(a), Some(b)) = (self.as_rational(), other.as_rational()) {
            return Some(a.cmp(&b));
        }
        let mut bits = 64;
        while bits <= MAX_BITS / 4 {
            let (a, b) = (self.enclosure(bits), other.enclosure(bits));
            if a.lt(&b) == Truth::True {
                return Some(Ordering::Less);
            }
            if b.lt(&a) == Truth::True {
                return Some(Ordering::Greater);
            }
            bits *= 4;
        }
        None
    }
}
