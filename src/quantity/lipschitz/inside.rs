//! Points that stay in a domain, in f64. Trust: untrusted.

use super::graph::to_f64;
use crate::kernel::lipschitz::{Norm, Region};

/// A part of a domain a little inside it, so that rounding does not leave it; without ends the whole space.
#[derive(Default)]
pub struct Inside {
    ends: Option<Vec<(f64, f64)>>,
    ball: Option<(Vec<f64>, f64, Norm)>,
}

/// A norm of a vector.
pub fn length(norm: Norm, v: &[f64]) -> f64 {
    match norm {
        Norm::L1 => v.iter().map(|x| x.abs()).sum(),
        Norm::L2 => v.iter().map(|x| x * x).sum::<f64>().sqrt(),
        Norm::Linf => v.iter().fold(0.0, |most, x| x.abs().max(most)),
    }
}

impl Inside {
    pub fn new(region: &Region) -> Inside {
        let ends = region.lower.iter().zip(&region.upper).map(|(l, u)| {
            let margin = to_f64(&(u - l), 0) * 2f64.powi(-30);
            (to_f64(l, 0) + margin, to_f64(u, 0) - margin)
        });
        let ball = region.ball.as_ref().map(|ball| {
            let center = ball.center.iter().map(|c| to_f64(c, 0)).collect();
            (center, to_f64(&ball.radius, 0) * (1.0 - 2f64.powi(-30)), ball.norm)
        });
        Inside { ends: Some(ends.collect()), ball }
    }

    pub fn is_bounded(&self) -> bool {
        self.ends.is_some()
    }

    pub fn clamp(&self, x: &mut [f64]) {
        if let Some(ends) = &self.ends {
            x.iter_mut().zip(ends).filter(|(_, (l, u))| l <= u).for_each(|(x, (l, u))| *x = x.clamp(*l, *u));
        }
        self.draw_in(x, 0.0);
    }

    /// Towards the centre of the ball, until `margin` is left to its surface.
    fn draw_in(&self, x: &mut [f64], margin: f64) {
        if let Some((center, radius, norm)) = &self.ball {
            let step: Vec<f64> = x.iter().zip(center).map(|(x, c)| x - c).collect();
            let (size, room) = (length(*norm, &step), radius - margin);
            if size > room && room >= 0.0 {
                x.iter_mut().zip(center).zip(&step).for_each(|((x, c), s)| *x = c + s * room / size);
            }
        }
    }

    /// A point beside `x` around which both ends `-half` and `half` of a segment stay inside: one that is cut off there turns.
    pub fn middle(&self, x: &[f64], half: &[f64]) -> Vec<f64> {
        let mut x = x.to_vec();
        if let Some(ends) = &self.ends {
            let ends = ends.iter().zip(half).map(|((l, u), h)| (l + h.abs(), u - h.abs()));
            x.iter_mut().zip(ends).filter(|(_, (l, u))| l <= u).for_each(|(x, (l, u))| *x = x.clamp(l, u));
        }
        if let Some((_, _, norm)) = &self.ball {
            self.draw_in(&mut x, length(*norm, half));
        }
        x
    }
}
