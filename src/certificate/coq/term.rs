//! Terms as Coq writes them. Trust: untrusted.

use super::{Omitted, Section, TERM_LIMIT, VALUE_LIMIT, end, facts, number};
use crate::kernel::real::Truth;
use crate::kernel::signature::{self, Codomain};
use crate::kernel::term::{Big, Formula, Op, Relation, Substitution, Term, integer};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::fmt::Write as _;

/// Most trials of a binomial tail that is written out.
const TRIAL_LIMIT: i64 = 10_000;
/// Larger exponents are written as `exp (y * ln x)`.
const POWER_LIMIT: i64 = 100_000;

impl Section<'_> {
    pub(super) fn fresh(&mut self, letter: &str) -> String {
        self.named += 1;
        format!("{letter}{}", self.named - 1)
    }

    /// A quantity by name. One that the kernel knows exactly is its value; another gets the bounds that the kernel knows.
    pub(super) fn variable(&mut self, quantity: &Term, is_subject: bool) -> Result<String, String> {
        let key = quantity.to_string();
        if let Some(name) = self.variables.get(&key) {
            return Ok(name.clone());
        }
        let name = self.fresh("q");
        if !is_subject {
            let (value, grounds) = self.workspace.evaluate(quantity).map_err(|error| error.to_string())?;
            if let Some(exact) = value.as_rational().filter(|_| grounds.facts.is_empty()) {
                return number(&exact);
            }
            for (side, relation) in [("low", ">="), ("high", "<=")] {
                if let Some(end) = end(&value, side == "low", u32::MAX) {
                    let _ = writeln!(self.text, "Hypothesis W{name}_{side} : {name} {relation} {end}.");
                    self.known.push(format!("W{name}_{side}"));
                }
            }
        }
        if is_subject && let Term::Quantity(head, _) = quantity {
            let (low, high) = match signature::quantity(head).map(|quantity| quantity.codomain) {
                Some(Codomain::Natural | Codomain::NonNegative) => (Some(0), None),
                Some(Codomain::AtLeastOne) => (Some(1), None),
                Some(Codomain::Unit) => (Some(0), Some(1)),
                Some(Codomain::Real) | None => (None, None),
            };
            for (side, relation, end) in [("low", ">=", low), ("high", "<=", high)] {
                let Some(end) = end else { continue };
                let _ = writeln!(self.text, "Hypothesis C{name}_{side} : {name} {relation} {end}.");
                self.known.push(format!("C{name}_{side}"));
            }
        }
        self.variables.insert(key, name.clone());
        Ok(name)
    }

    /// States and proves the exact value of a subterm, and has it rewritten in every proof from here on.
    fn value(&mut self, subterm: &str, value: &str, proof: &str) -> Result<(), Omitted> {
        let statement = format!(" : {subterm} = {value}.");
        if self.text.contains(&statement) {
            return Ok(());
        }
        if self.values.len() == VALUE_LIMIT {
            return Err(format!("more than {VALUE_LIMIT} exact values of functions"));
        }
        let name = format!("v{}", self.values.len());
        let facts = facts(&self.known);
        let _ = writeln!(self.text, "Lemma {name}{statement}\nProof. {facts}{proof}. Qed.");
        self.values.push(name);
        // An inner subterm was met first; rewriting it first would hide the outer one.
        let list: Vec<String> = self.values.iter().rev().map(|name| format!("?{name}")).collect();
        let _ = writeln!(self.text, "Ltac values ::= rewrite {}.", list.join(", "));
        Ok(())
    }

    fn is_true(&self, a: &Term, relation: Relation, b: &Term) -> bool {
        let formula = Formula::Compare(a.clone(), relation, b.clone());
        self.workspace.decide(&formula).is_ok_and(|(truth, _)| truth == Truth::True)
    }

    /// The largest or smallest of several, with a proof of which it is.
    fn extreme(&mut self, arguments: &[Term], is_max: bool) -> Result<String, Omitted> {
        let (name, beyond) = if is_max { ("Rmax", Relation::Ge) } else { ("Rmin", Relation::Le) };
        let Some((first, rest)) = arguments.split_first() else { return Err(format!("an empty `{name}`")) };
        let (mut best, mut text) = (first, self.expression(first)?);
        for next in rest {
            let other = self.expression(next)?;
            let whole = format!("({name} {text} {other})");
            let (side, winner) = match (self.is_true(best, beyond, next), self.is_true(next, beyond, best)) {
                (true, _) => ("left", best),
                (_, true) => ("right", next),
                _ => return Err(format!("`{name}` of numbers that are not told apart")),
            };
            let value = if side == "left" { text } else { other };
            self.value(&whole, &value, &format!("apply {name}_{side}; enclose"))?;
            (best, text) = (winner, whole);
        }
        Ok(text)
    }

    fn whole(&self, term: &Term) -> Result<i64, Omitted> {
        let value = self.workspace.evaluate(term).ok().and_then(|(value, _)| value.as_integer());
        value.and_then(|n| n.to_i64()).ok_or_else(|| format!("the count `{term}`"))
    }

    fn rational(&self, term: &Term) -> Option<BigRational> {
        self.workspace.evaluate(term).ok().and_then(|(value, _)| value.as_rational())
    }

    fn kl(&mut self, q: &Term, p: &str) -> Result<String, Omitted> {
        // 0 ln 0 = 0.
        Ok(match self.rational(q) {
            Some(exact) if exact.is_zero() => format!("(- ln (1 - {p}))"),
            Some(exact) if exact.is_one() => format!("(- ln {p})"),
            _ => {
                let q = self.expression(q)?;
                format!("({q} * ln ({q} / {p}) + (1 - {q}) * ln ((1 - {q}) / (1 - {p})))")
            }
        })
    }

    /// What says of `p` that it lies beyond an inverse, and what says that it does not.
    pub(super) fn beyond(&mut self, op: Op, arguments: &[Term]) -> Result<(String, String), Omitted> {
        match (op, arguments) {
            (Op::BinomialTailInverse, [n, k, delta]) => {
                let (n, k) = (self.whole(n)?, self.whole(k)?);
                if k >= TERM_LIMIT || n > TRIAL_LIMIT {
                    return Err(format!("a binomial tail of {} terms", k + 1));
                }
                let mut ways = BigInt::one();
                let mut terms = Vec::new();
                for j in 0..=k {
                    terms.push(format!("{ways} * p ^ {j} * (1 - p) ^ {}", n - j));
                    ways = ways * (n - j) / (j + 1);
                }
                let (tail, delta) = (terms.join(" + "), self.expression(delta)?);
                Ok((format!("{tail} < {delta}"), format!("{delta} <= {tail}")))
            }
            (Op::KlInverse, [q, c]) => {
                let (kl, c) = (self.kl(q, "p")?, self.expression(c)?);
                let least = self.expression(q)?;
                Ok((format!("{least} <= p -> {c} < {kl}"), format!("{least} <= p -> {kl} <= {c}")))
            }
            _ => Err("an inverse".to_string()),
        }
    }

    /// An inverse as a number of its own: its definition is a hypothesis, its ends are proved at one point on each side.
    fn inverse_value(&mut self, op: Op, arguments: &[Term]) -> Result<String, Omitted> {
        let term = Term::Apply(op, arguments.to_vec());
        if let Some(name) = self.variables.get(&term.to_string()) {
            return Ok(name.clone());
        }
        let (beyond, within) = self.beyond(op, arguments)?;
        let (value, _) = self.workspace.evaluate(&term).map_err(|error| error.to_string())?;
        let name = self.fresh("q");
        // The kernel's ends are such points; an exact value needs a little room.
        let room = if value.as_rational().is_some() {
            BigRational::new(BigInt::one(), BigInt::one() << 60u32)
        } else {
            BigRational::zero()
        };
        for (side, relation, condition) in [("low", ">=", within), ("high", "<=", beyond)] {
            let order = if side == "low" { format!("p <= {name}") } else { format!("{name} <= p") };
            let _ = writeln!(
                self.text,
                "Hypothesis D{name}_{side} : forall p, 0 < p < 1 -> {condition} -> {order}.\n\
                 Hypothesis U{name}_{side} : {name} {relation} {}.",
                if side == "low" { "0" } else { "1" }
            );
            let end = if side == "low" { value.enclosure().lo() } else { value.enclosure().hi() };
            let Some(end) = end.and_then(|end| end.to_rational().ok()) else {
                continue;
            };
            let point = if side == "low" { &end - &end * &room } else { &end + &end * &room };
            let is_inside = point > BigRational::zero() && point < BigRational::one();
            let is_above = op != Op::KlInverse || self.rational(&arguments[0]).is_some_and(|q| q <= point);
            self.known.push(format!("U{name}_{side}"));
            if !is_inside || !is_above {
                continue;
            }
            let facts = facts(&self.known);
            let point = number(&point)?;
            let _ = writeln!(
                self.text,
                "Lemma I{name}_{side} : {name} {relation} {point}.\n\
                 Proof. {facts}{} apply D{name}_{side}; [lra | enclose ..]. Qed.",
                if side == "low" { "apply Rle_ge." } else { "" }
            );
            self.known.push(format!("I{name}_{side}"));
        }
        self.variables.insert(term.to_string(), name.clone());
        Ok(name)
    }

    /// `x^y` for `x >= 0` that may be 0, and `y > 0`, as a number of its own: its definition is a hypothesis, its ends are proved.
    fn power_from_zero(&mut self, base: &Term, exponent: &Term, base_text: &str) -> Result<String, Omitted> {
        let term = Term::Apply(Op::Pow, vec![base.clone(), exponent.clone()]);
        if let Some(name) = self.variables.get(&term.to_string()) {
            return Ok(name.clone());
        }
        let zero = Term::int(0);
        let is_defined = self.is_true(base, Relation::Ge, &zero) && self.is_true(exponent, Relation::Gt, &zero);
        let evaluate = |term: &Term| self.workspace.evaluate(term).map_err(|error| error.to_string());
        let high = |term: &Term| {
            evaluate(term).map(|(value, _)| value.enclosure().hi().and_then(|end| end.to_rational().ok()))
        };
        let (Some(most), Some(end), Some(y), true) = (high(base)?, high(&term)?, self.rational(exponent), is_defined)
        else {
            return Err("a power of a number that may be 0".to_string());
        };
        let (name, facts) = (self.fresh("q"), facts(&self.known));
        let (most, end, y) = (number(&most)?, number(&end)?, number(&y)?);
        let _ = writeln!(
            self.text,
            "Hypothesis D{name}_zero : {base_text} = 0 -> {name} = 0.\n\
             Hypothesis D{name}_power : 0 < {base_text} -> {name} = exp ({y} * ln {base_text}).\n\
             Lemma I{name}_low : {name} >= 0.\n\
             Proof. {facts}assert (B : 0 <= {base_text}) by enclose. destruct (Rle_lt_or_eq_dec _ _ B) as [P | Z]; \
             [rewrite (D{name}_power P); left; apply exp_pos | rewrite (D{name}_zero (eq_sym Z)); lra]. Qed.\n\
             Lemma I{name}_high : {name} <= {end}.\n\
             Proof. {facts}assert (B : 0 <= {base_text}) by enclose. assert (M : {base_text} <= {most}) by enclose. \
             destruct (Rle_lt_or_eq_dec _ _ B) as [P | Z]; [rewrite (D{name}_power P) | rewrite (D{name}_zero (eq_sym Z)); lra]. \
             apply Rle_trans with (exp ({y} * ln {most})); [ | enclose]. destruct (Rle_lt_or_eq_dec _ _ M) as [L | E]; \
             [left; apply exp_increasing, Rmult_lt_compat_l; [lra | apply ln_increasing; assumption] | rewrite E; lra]. Qed."
        );
        self.known.extend([format!("I{name}_low"), format!("I{name}_high")]);
        self.variables.insert(term.to_string(), name.clone());
        Ok(name)
    }

    pub(super) fn range(&self, from: &Term, to: &Term) -> Result<(i64, i64), Omitted> {
        let whole = |term: &Term| {
            let value = self.workspace.evaluate(term).ok().and_then(|(value, _)| value.as_integer());
            value.and_then(|n| n.to_i64()).ok_or_else(|| format!("the range end `{term}`"))
        };
        let (from, to) = (whole(from)?, whole(to)?);
        if to - from >= TERM_LIMIT { Err(format!("a range of {} members", to - from + 1)) } else { Ok((from, to)) }
    }

    pub(super) fn expression(&mut self, term: &Term) -> Result<String, Omitted> {
        match term {
            Term::Number(q) => number(q),
            Term::Pi => Ok("PI".to_string()),
            Term::Euler => Ok("(exp 1)".to_string()),
            Term::Infinity => Err("infinity".to_string()),
            Term::Name(name) if self.variables.contains_key(name) => Ok(self.variables[name].clone()),
            Term::Name(name) => match self.workspace.objects().definitions.get(name) {
                Some(definition) if definition.parameters.is_empty() => self.expression(&definition.body.clone()),
                _ => Err(format!("the name `{name}`")),
            },
            Term::Quantity(head, arguments) => match self.workspace.objects().definitions.get(head) {
                Some(definition) => {
                    let substitution = definition.parameters.iter().cloned().zip(arguments.iter().cloned()).collect();
                    self.expression(&definition.body.substitute(&substitution))
                }
                None => self.variable(term, false),
            },
            Term::Cases(branches) => {
                for (condition, value) in branches {
                    let Some(condition) = condition else { return self.expression(value) };
                    let truth = self.workspace.decide(condition).map_err(|error| error.to_string())?.0;
                    let is_true = truth == Truth::True;
                    if truth == Truth::Unknown {
                        break;
                    }
                    let text = self.formula(condition)?;
                    let (text, proof) =
                        if is_true { (text, "repeat split; enclose") } else { (format!("~ ({text})"), "refute") };
                    let (name, facts) = (self.fresh("B"), facts(&self.known));
                    let _ = writeln!(self.text, "Lemma {name} : {text}.\nProof. {facts}{proof}. Qed.");
                    if is_true {
                        return self.expression(value);
                    }
                }
                Err("an undecided case".to_string())
            }
            Term::Big { big, variable, from, to, body } => {
                let (from, to) = self.range(from, to)?;
                let sign = match big {
                    Big::Sum => " + ",
                    Big::Prod => " * ",
                    Big::Max | Big::Min => {
                        let instance =
                            |i: i64| body.substitute(&Substitution::from([(variable.clone(), Term::int(i))]));
                        return self.extreme(&(from..=to).map(instance).collect::<Vec<_>>(), *big == Big::Max);
                    }
                };
                let instance = |i: i64| body.substitute(&Substitution::from([(variable.clone(), Term::int(i))]));
                let parts = (from..=to).map(|i| self.expression(&instance(i))).collect::<Result<Vec<_>, _>>()?;
                let empty = if *big == Big::Sum { "0" } else { "1" };
                Ok(if parts.is_empty() { empty.to_string() } else { format!("({})", parts.join(sign)) })
            }
            Term::Apply(op, arguments) => self.apply(*op, arguments),
        }
    }

    /// A function whose value is rational, where `interval` could only come close. `None`: it is not.
    fn exact(&mut self, op: Op, arguments: &[Term], parts: &[String]) -> Result<Option<String>, Omitted> {
        let [x] = parts else { return Ok(None) };
        let Some(value) = self.rational(&Term::Apply(op, arguments.to_vec())) else {
            return if matches!(op, Op::Floor | Op::Ceil) {
                Err("`floor` between integers".to_string())
            } else {
                Ok(None)
            };
        };
        let stated = number(&value)?;
        let (text, proof) = match op {
            Op::Floor => (
                format!("(IZR (Zfloor {x}))"),
                format!("rewrite (Zfloor_imp {stated} {x}); [reflexivity | rewrite plus_IZR; split; enclose]"),
            ),
            Op::Ceil => (
                format!("(IZR (Zceil {x}))"),
                format!("rewrite (Zceil_imp {stated} {x}); [reflexivity | rewrite minus_IZR; split; enclose]"),
            ),
            Op::Sqrt => (format!("(sqrt {x})"), "apply sqrt_lem_1; enclose".to_string()),
            Op::Abs => (
                format!("(Rabs {x})"),
                "values; first [rewrite Rabs_right by enclose | rewrite Rabs_left1 by enclose]; enclose".to_string(),
            ),
            Op::Ln => (format!("(ln {x})"), format!("replace {x} with 1 by enclose; exact ln_1")),
            // The logarithm of 2^n, n a natural number: ln (2^n) = n ln 2.
            Op::Log2 => match integer(&value).filter(|n| !n.is_negative()) {
                Some(n) => (
                    format!("(ln {x} / ln 2)"),
                    format!(
                        "replace {x} with (2 ^ {n}) by (values; lra); rewrite ln_pow by lra; \
                         replace (INR {n}) with {stated} by (simpl; lra); field; apply Rgt_not_eq; enclose"
                    ),
                ),
                None => return Ok(None),
            },
            Op::Exp => (format!("(exp {x})"), format!("replace {x} with 0 by enclose; exact exp_0")),
            _ => return Ok(None),
        };
        self.value(&text, &stated, &proof)?;
        Ok(Some(text))
    }

    fn apply(&mut self, op: Op, arguments: &[Term]) -> Result<String, Omitted> {
        if let (Op::Pow, [base, exponent]) = (op, arguments) {
            let base_text = self.expression(base)?;
            let value = self.workspace.evaluate(exponent).ok().and_then(|(value, _)| value.as_rational());
            return match value.as_ref().and_then(integer).and_then(ToPrimitive::to_i64) {
                Some(n) if (0..=POWER_LIMIT).contains(&n) => Ok(format!("({base_text} ^ {n})")),
                Some(n) if (-POWER_LIMIT..0).contains(&n) => Ok(format!("(/ ({base_text} ^ {}))", -n)),
                // x^y = exp(y ln x), which needs x > 0.
                _ if !self.is_true(base, Relation::Gt, &Term::int(0)) => {
                    self.power_from_zero(base, exponent, &base_text)
                }
                _ => Ok(format!("(exp ({} * ln {base_text}))", self.expression(exponent)?)),
            };
        }
        match (op, arguments) {
            (Op::Max | Op::Min, arguments) => return self.extreme(arguments, op == Op::Max),
            (Op::KlInverse | Op::BinomialTailInverse, arguments) => return self.inverse_value(op, arguments),
            (Op::Kl, [q, p]) => {
                let p = self.expression(p)?;
                return self.kl(q, &p);
            }
            (Op::Binomial, [n, k]) => {
                let (n, k) = (self.whole(n)?, self.whole(k)?);
                if !(0..TERM_LIMIT).contains(&k) {
                    return Err(format!("`binomial` of {k} factors"));
                }
                let factors: String = (0..k).map(|j| format!(" * (({n} - {j}) / {})", j + 1)).collect();
                return Ok(format!("(1{factors})"));
            }
            _ => {}
        }
        let parts = arguments.iter().map(|a| self.expression(a)).collect::<Result<Vec<_>, _>>()?;
        if let Some(text) = self.exact(op, arguments, &parts)? {
            return Ok(text);
        }
        Ok(match (op, parts.as_slice()) {
            (Op::Add, []) => "0".to_string(),
            (Op::Mul, []) => "1".to_string(),
            (Op::Add, parts) => format!("({})", parts.join(" + ")),
            (Op::Mul, parts) => format!("({})", parts.join(" * ")),
            (Op::Neg, [x]) => format!("(- {x})"),
            (Op::Div, [x, y]) => format!("({x} / {y})"),
            (Op::Abs, [x]) => format!("(Rabs {x})"),
            (Op::Sqrt, [x]) => format!("(sqrt {x})"),
            (Op::Exp, [x]) => format!("(exp {x})"),
            (Op::Ln, [x]) => format!("(ln {x})"),
            (Op::Log2, [x]) => format!("(ln {x} / ln 2)"),
            (Op::Arctan, [x]) => format!("(atan {x})"),
            (Op::Tanh, [x]) => format!("(1 - 2 / (exp (2 * {x}) + 1))"),
            _ => {
                let name = Op::CALLS.iter().find(|(_, o, _)| *o == op).map_or("?", |(name, _, _)| name);
                return Err(format!("`{name}`"));
            }
        })
    }
}
