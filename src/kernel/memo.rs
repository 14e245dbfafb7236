//! What was computed once: of a network, of a sample, and sums and special functions of numbers; and certificates that were accepted.
//! Trust: kernel.
//!
//! INVARIANT: an entry keeps its network or its examples alive and is found by their address, so that it can speak of no other;
//! these are immutable.

use super::eval::EvalError;
use super::forward::{self, Outputs};
use super::lipschitz::{self, Domain, LipError, Norms, Witness};
use super::net::Network;
use super::object::Examples;
use super::real::Bits;
use super::term::Term;
use super::value::Value;
use num_rational::BigRational;
use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The outputs of a network on a sample.
type Pass = (Arc<Network>, Arc<Examples>, Arc<Outputs>);
/// The address of an owner, a quantity of it, and the precision.
type Key = (usize, Term, Bits);

/// A value, and what keeps its owner alive.
type Kept = (Arc<dyn Any + Send + Sync>, Value);

/// An accepted certificate of a Lipschitz constant, with all that its check reads, and the square that it proves.
struct Accepted {
    network: Arc<Network>,
    norms: Norms,
    domain: Option<Domain>,
    witness: Witness,
    square: BigRational,
}

#[derive(Default)]
pub struct Memo {
    accepted: RefCell<Vec<Accepted>>,
    outputs: RefCell<Vec<Pass>>,
    values: RefCell<BTreeMap<Key, Kept>>,
    /// Arithmetic terms ([`Term::is_arithmetic`]), by precision.
    arithmetic: RefCell<BTreeMap<(Term, Bits), Value>>,
}

/// How many arithmetic terms and certificates are kept.
const ARITHMETIC: usize = 2048;
const CERTIFICATES: usize = 256;

impl Memo {
    /// The value of an arithmetic term, if it was computed before.
    pub fn arithmetic(&self, term: &Term, bits: Bits) -> Option<Value> {
        self.arithmetic.borrow().get(&(term.clone(), bits)).cloned()
    }

    /// Keeps such a value.
    pub fn keep_arithmetic(&self, term: &Term, bits: Bits, value: &Value) {
        let mut known = self.arithmetic.borrow_mut();
        if known.len() < ARITHMETIC {
            known.insert((term.clone(), bits), value.clone());
        }
    }

    /// What a certificate of a Lipschitz constant proves. A search and the check of what it found meet the same ones several times.
    pub fn upper(
        &self,
        network: &Arc<Network>,
        norms: Norms,
        domain: Option<&Domain>,
        witness: &Witness,
    ) -> Result<BigRational, LipError> {
        let is_known = |known: &&Accepted| {
            Arc::ptr_eq(&known.network, network)
                && known.norms == norms
                && known.domain.as_ref() == domain
                && known.witness == *witness
        };
        if let Some(known) = self.accepted.borrow().iter().find(is_known) {
            return Ok(known.square.clone());
        }
        let square = lipschitz::check_upper(network, norms, domain, witness)?;
        let mut accepted = self.accepted.borrow_mut();
        if accepted.len() < CERTIFICATES {
            let (network, domain, witness) = (network.clone(), domain.cloned(), witness.clone());
            accepted.push(Accepted { network, norms, domain, witness, square: square.clone() });
        }
        Ok(square)
    }

    /// The outputs of a network on a sample.
    pub fn outputs(&self, network: &Arc<Network>, examples: &Arc<Examples>) -> Result<Arc<Outputs>, EvalError> {
        for (known, sample, outputs) in self.outputs.borrow().iter() {
            if Arc::ptr_eq(known, network) && Arc::ptr_eq(sample, examples) {
                return Ok(outputs.clone());
            }
        }
        let outputs = Arc::new(forward::outputs_on(network, examples)?);
        self.outputs.borrow_mut().push((network.clone(), examples.clone(), outputs.clone()));
        Ok(outputs)
    }

    /// A quantity of an owner: a network or a sample, whose name the quantity's other arguments do not depend on.
    pub fn value<T: Any + Send + Sync>(
        &self,
        owner: &Arc<T>,
        quantity: Term,
        bits: Bits,
        compute: impl FnOnce() -> Result<Value, EvalError>,
    ) -> Result<Value, EvalError> {
        let key = (Arc::as_ptr(owner) as usize, quantity, bits);
        if let Some((_, value)) = self.values.borrow().get(&key) {
            return Ok(value.clone());
        }
        let value = compute()?;
        self.values.borrow_mut().insert(key, (owner.clone(), value.clone()));
        Ok(value)
    }
}

/// A copy starts empty, and what was computed is no part of what an object is.
impl Clone for Memo {
    fn clone(&self) -> Memo {
        Memo::default()
    }
}

impl PartialEq for Memo {
    fn eq(&self, _: &Memo) -> bool {
        true
    }
}

impl Eq for Memo {}

impl std::fmt::Debug for Memo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Memo({})", self.outputs.borrow().len() + self.values.borrow().len())
    }
}
