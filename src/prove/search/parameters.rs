//! The choice of parameters: those that requirements tie to a quantity, least natural numbers, and those that stay free.

use super::*;

impl<'a> Search<'a> {
    /// A requirement `quantity <= v` with `v` open: the best bound on the quantity becomes the value of `v`.
    fn tie(
        &self,
        theorem: &Theorem,
        requirement: &Formula,
        bindings: &mut Substitution,
        draft: &mut Draft<'a, '_>,
    ) -> Result<(), EvalError> {
        let (quantity, parameter, range) = match requirement {
            Formula::Compare(quantity @ Term::Quantity(..), Relation::Le | Relation::Eq, Term::Name(parameter))
            | Formula::Compare(Term::Name(parameter), Relation::Ge, quantity @ Term::Quantity(..)) => {
                (quantity, parameter, None)
            }
            // `range in [-c, c]`: both ends decide.
            Formula::Within(quantity @ Term::Quantity(..), low, Term::Name(parameter))
                if *low == Term::Apply(Op::Neg, vec![Term::name(parameter)]) =>
            {
                (quantity, parameter, None)
            }
            // `sqrt(2*x) <= c` with `c` open and nothing else: the expression's value is the least `c`.
            Formula::Compare(
                expression @ (Term::Apply(..) | Term::Big { .. }),
                Relation::Le,
                Term::Name(parameter),
            ) => (expression, parameter, None),
            Formula::ForAll { variable, from, to, body } => match body.as_ref() {
                Formula::Compare(quantity @ Term::Quantity(..), Relation::Le, Term::Name(parameter)) => {
                    (quantity, parameter, Some((variable, from, to)))
                }
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        let Some((_, sort)) = theorem.parameters.iter().find(|(p, _)| p == parameter) else { return Ok(()) };
        if bindings.contains_key(parameter) && range.is_none() {
            return Ok(());
        }
        // Another requirement bounds the same natural from below: the least value that meets both is searched.
        let name = Term::name(parameter);
        let bounds_below = |formula: &&Formula| match formula {
            Formula::Compare(left, Relation::Le | Relation::Lt, right) => {
                !matches!(left, Term::Number(_)) && *left != name && mentions(right, parameter)
            }
            _ => false,
        };
        let is_equation = matches!(requirement, Formula::Compare(_, Relation::Eq, _));
        if !is_equation && *sort == Sort::Natural && theorem.requires.iter().filter(bounds_below).count() > 1 {
            return Ok(());
        }
        let is_open = |name: &String| {
            *name != *parameter
                && !bindings.contains_key(name)
                && theorem.parameters.iter().any(|(p, sort)| p == name && matches!(sort, Sort::Natural | Sort::Real))
        };
        if !matches!(quantity, Term::Quantity(..))
            && theorem.parameters.iter().any(|(p, _)| is_open(p) && mentions(quantity, p))
        {
            return Ok(());
        }
        draft.tried.clear();
        let indices: Vec<Option<Term>> = match range {
            None => vec![None],
            Some((_, from, to)) => {
                let end = |term: &Term, workspace: &Workspace| -> Result<i64, EvalError> {
                    let (value, _) = workspace.evaluate(&term.substitute(bindings))?;
                    value.as_integer().and_then(|n| i64::try_from(n).ok()).ok_or_else(|| {
                        EvalError::Meaningless(format!("expected an integer as the end of a range, found `{term}`"))
                    })
                };
                (end(from, &draft.workspace)?..=end(to, &draft.workspace)?).map(|i| Some(Term::int(i))).collect()
            }
        };
        let mut largest: Option<BigRational> = None;
        for index in indices {
            let mut substitution = bindings.clone();
            if let (Some(index), Some((variable, _, _))) = (index, range) {
                substitution.insert(variable.clone(), index);
            }
            let term = quantity.substitute(&substitution);
            // Where the objects alone tell the value, nothing has to be found out.
            let value = match draft.workspace.evaluate(&term) {
                Ok((value, grounds)) if grounds == Grounds::default() => value,
                _ => {
                    let placeholder = Formula::Compare(term.clone(), Relation::Le, Term::Infinity);
                    self.supply(&placeholder, draft)?;
                    draft.workspace.evaluate(&term)?.0
                }
            };
            let mut high = upper_rational(&value).ok_or_else(|| self.unbounded(theorem, &term, draft))?;
            if matches!(requirement, Formula::Within(..)) {
                high = high.max(upper_rational(&value.neg()).ok_or_else(|| self.unbounded(theorem, &term, draft))?);
            }
            let high = if *sort == Sort::Natural { high.ceil() } else { high };
            largest = Some(largest.map_or(high.clone(), |best| best.max(high)));
        }
        if let Some(largest) = largest {
            let current = match bindings.get(parameter) {
                Some(Term::Number(q)) => Some(q.clone()),
                _ => None,
            };
            let chosen = current.map_or(largest.clone(), |q| q.max(largest));
            bindings.insert(parameter.clone(), Term::Number(chosen));
        }
        Ok(())
    }

    /// Why no upper bound on a quantity is known: the requirement that every theorem on it fails, if it is that.
    fn unbounded(&self, theorem: &Theorem, term: &Term, draft: &mut Draft<'a, '_>) -> EvalError {
        let demand = Demand { method: None, failure: draft.demand.failure.clone() };
        let mut obstacles = self.bound_at(term, End::High, &demand, draft.path).obstacles;
        let is_false = |obstacle: &Obstacle| matches!(obstacle.error, EvalError::Requirement { refuted: true, .. });
        if !obstacles.is_empty() && obstacles.iter().all(is_false) {
            return obstacles.swap_remove(0).error;
        }
        EvalError::Meaningless(format!("no upper bound on `{term}` is known; `{}` needs one", theorem.name))
    }

    /// An open natural parameter takes the least value that meets every requirement that it decides.
    pub(super) fn choose_naturals(
        &self,
        theorem: &Theorem,
        bindings: &mut Substitution,
        draft: &mut Draft<'a, '_>,
    ) -> Result<(), EvalError> {
        let open: Vec<String> = theorem
            .parameters
            .iter()
            .filter(|(p, sort)| *sort == Sort::Natural && !bindings.contains_key(p) && !is_free(theorem, p))
            .map(|(p, _)| p.clone())
            .collect();
        let [parameter] = open.as_slice() else { return Ok(()) };
        let is_tied = |formula: &&Formula| formula.substitute(&[(parameter.clone(), Term::int(0))].into()) != **formula;
        let (tied, others): (Vec<&Formula>, Vec<&Formula>) = theorem.requires.iter().partition(is_tied);
        // Whatever is wrong is reported by the application with this value.
        let none = Term::int(1);
        for requirement in others {
            let instance = requirement.substitute(bindings);
            if self.supply(&instance, draft).is_err()
                || !matches!(draft.workspace.decide(&instance), Ok((Truth::True, _)))
            {
                bindings.insert(parameter.clone(), none);
                return Ok(());
            }
        }
        let tied: Vec<Formula> = tied.iter().map(|requirement| requirement.substitute(bindings)).collect();
        let folded: Vec<Formula> =
            tied.iter().map(|formula| fold(formula, parameter, &draft.workspace, QUICK_BITS)).collect();
        let start = guess(&folded, parameter, NATURAL_LIMIT_BITS).and_then(BigInt::from_f64);
        let least = least_natural(NATURAL_LIMIT_BITS, start, |n: &BigInt| {
            let trial = [(parameter.clone(), Term::Number(BigRational::from_integer(n.clone())))].into();
            let mut excess = Some(f64::INFINITY);
            for (requirement, folded) in tied.iter().zip(&folded) {
                match quick(&draft.workspace, &folded.substitute(&trial)) {
                    Some((true, gap)) => excess = excess.zip(gap).map(|(least, gap)| gap.min(least)),
                    Some((false, gap)) => return (false, gap),
                    None => {
                        excess = None;
                        let instance = requirement.substitute(&trial);
                        let _ = self.supply(&instance, draft);
                        if !matches!(draft.workspace.decide(&instance), Ok((Truth::True, _))) {
                            return (false, None);
                        }
                    }
                }
            }
            (true, excess)
        });
        bindings.insert(parameter.clone(), least.map_or(none, |n| Term::Number(BigRational::from_integer(n))));
        Ok(())
    }

    /// Open numbers that the requirements leave free take the best of a grid of values, by the end that the conclusion bounds.
    pub(super) fn choose_free(&self, theorem: &Theorem, bindings: &mut Substitution, draft: &mut Draft<'a, '_>) {
        let open: Vec<(String, Sort)> = theorem
            .parameters
            .iter()
            .filter(|(p, sort)| {
                matches!(sort, Sort::Natural | Sort::Real)
                    && !bindings.contains_key(p)
                    && is_free(theorem, p)
                    && !follows(theorem, p)
            })
            .cloned()
            .collect();
        let [(parameter, sort)] = open.as_slice() else { return };
        let range = range_of(theorem, parameter, |term| {
            let (value, _) = draft.workspace.evaluate(&term.substitute(bindings)).ok()?;
            upper_rational(&value.neg()).map(|negated| -negated)
        });
        // What fails whatever the value is reported by the application with any.
        let zero = [(parameter.clone(), Term::int(0))].into();
        let is_lost = |requirement: &Formula| {
            let instance = requirement.substitute(bindings);
            requirement.substitute(&zero) == *requirement
                && self.supply(&instance, draft).is_ok()
                && matches!(draft.workspace.decide(&instance), Ok((Truth::False | Truth::Unknown, _)))
        };
        if theorem.requires.iter().any(is_lost) {
            let middle = grid_value(*sort, &range, points(*sort, &range) / 2);
            bindings.extend(middle.map(|value| (parameter.clone(), Term::Number(value))));
            return;
        }
        let objective = |index: i64| -> Option<Height> {
            let mut trial = bindings.clone();
            trial.insert(parameter.clone(), Term::Number(grid_value(*sort, &range, index)?));
            let (facts, steps) = (draft.workspace.facts().len(), draft.steps.len());
            let value = self.conclusion_at(theorem, &trial, draft);
            // What the trial needed is not part of the derivation.
            draft.workspace.truncate(facts);
            draft.steps.truncate(steps);
            value
        };
        if let Some(index) = least(points(*sort, &range), objective)
            && let Some(value) = grid_value(*sort, &range, index)
        {
            bindings.insert(parameter.clone(), Term::Number(value));
            // A failure shows up as a parameter without a value.
            let _ = self.tie_all(theorem, bindings, draft);
            draft.tried.clear();
        }
    }

    pub(super) fn tie_all(
        &self,
        theorem: &Theorem,
        bindings: &mut Substitution,
        draft: &mut Draft<'a, '_>,
    ) -> Result<(), EvalError> {
        theorem.requires.iter().try_for_each(|requirement| self.tie(theorem, requirement, bindings, draft))
    }

    /// What the conclusion would say, smaller being better; `None` where it is undefined.
    fn conclusion_at(&self, theorem: &Theorem, bindings: &Substitution, draft: &mut Draft<'a, '_>) -> Option<Height> {
        let mut bindings = bindings.clone();
        self.tie_all(theorem, &mut bindings, draft).ok()?;
        draft.tried.clear();
        let conclusion = theorem.ensures.substitute(&bindings);
        self.supply_conclusion(&conclusion, draft).ok()?;
        let (right, sign) = match &conclusion {
            Formula::Compare(_, Relation::Le | Relation::Lt | Relation::Eq, right) => (right, false),
            Formula::Compare(_, Relation::Ge | Relation::Gt, right) => (right, true),
            Formula::Within(_, _, high) => (high, false),
            _ => return None,
        };
        let (value, _) = draft.workspace.evaluate(right).ok()?;
        Height::of(&if sign { value.neg() } else { value })
    }
}

/// Whether a comparison holds, where few bits decide it and no quantity is missing, with about the excess of its larger side.
fn quick(workspace: &Workspace, formula: &Formula) -> Option<(bool, Option<f64>)> {
    let Formula::Compare(left, relation @ (Relation::Le | Relation::Lt), right) = formula else { return None };
    let mut evaluation = Evaluation::new(workspace, QUICK_BITS);
    let (left, right) = (evaluation.term(left).ok()?, evaluation.term(right).ok()?);
    if evaluation.grounds.missing.iter().any(|(_, end)| *end == End::High) {
        return None;
    }
    let truth = if *relation == Relation::Le { left.le(&right) } else { left.lt(&right) };
    let excess = upper_rational(&right.add(&left.neg(), QUICK_BITS)).and_then(|gap| gap.to_f64());
    match truth {
        Truth::True => Some((true, excess)),
        Truth::False => Some((false, excess)),
        Truth::Unknown => None,
    }
}
