//! The points at which inverses are checked: as proposed, or as a certificate has them. Trust: kernel.
//!
//! Nothing rests on where they come from: a point counts for what the sign there shows (`real::Inverse`).

use super::real::{Dyadic, Question};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Finds a point for a question; the same one every time.
pub type Propose = fn(&Question) -> Dyadic;

#[derive(Clone, Debug, Default)]
pub struct Points {
    propose: Option<Propose>,
    known: RefCell<BTreeMap<Question, Dyadic>>,
}

impl Points {
    pub fn proposed(propose: Propose) -> Points {
        Points { propose: Some(propose), ..Points::default() }
    }

    /// These and no others.
    pub fn given(known: BTreeMap<Question, Dyadic>) -> Points {
        Points { propose: None, known: RefCell::new(known) }
    }

    pub fn count(&self) -> usize {
        self.known.borrow().len()
    }

    pub fn at(&self, question: &Question) -> Option<Dyadic> {
        let known = self.known.borrow().get(question).cloned();
        let point = known.or_else(|| self.propose.map(|propose| propose(question)))?;
        self.known.borrow_mut().insert(question.clone(), point.clone());
        Some(point)
    }
}

/// Points are no part of what an object is.
impl PartialEq for Points {
    fn eq(&self, _: &Points) -> bool {
        true
    }
}

impl Eq for Points {}
