//! What the kernel must not accept: steps, evaluations and verdicts that look right and are not.
#![cfg(feature = "engine")]

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use supremum::kernel::check::{Checked, Claim, Draw, Statement, Verdict, check};
use supremum::kernel::derive::{Step, Theorems, Workspace, structures};
use supremum::kernel::draws;
use supremum::kernel::eval::EvalError;
use supremum::kernel::forward;
use supremum::kernel::memo::Memo;
use supremum::kernel::net::{Activation, Architecture, Network, Node, Op as Layer, Parameters, Source, Tensor, Weight};
use supremum::kernel::object::{
    Constraint, Dependence, Domain, Entry, Examples, NetObject, Object, Objects, Origin, Part, Sample,
};
use supremum::kernel::real::{Dyadic, Enclosure, Truth};
use supremum::kernel::term::{Big, Formula, Op, Relation, Term};
use supremum::kernel::theorem::{Sort, Status, Theorem};
use supremum::kernel::value::Value;

fn ratio(n: i64, d: i64) -> BigRational {
    BigRational::new(n.into(), d.into())
}

fn number(n: i64, d: i64) -> Term {
    Term::Number(ratio(n, d))
}

fn vcdim(k: i64) -> Term {
    Term::quantity("vcdim", vec![Term::quantity("finite_class", vec![number(k, 1)])])
}

fn compare(left: Term, relation: Relation, right: Term) -> Formula {
    Formula::Compare(left, relation, right)
}

/// `theorem t(k) ensures vcdim(finite_class(k)) R k` under given conditions.
fn theorem(relation: Relation, requires: Vec<Formula>, failure: Option<Term>, status: Status) -> Theorem {
    let k = Term::name("k");
    let class = Term::quantity("finite_class", vec![k.clone()]);
    Theorem {
        name: "t".to_string(),
        parameters: vec![("k".to_string(), Sort::Natural)],
        requires,
        ensures: compare(Term::quantity("vcdim", vec![class]), relation, k),
        failure,
        status,
    }
}

fn apply(k: i64) -> Step {
    Step::Theorem { name: "t".to_string(), bindings: vec![("k".to_string(), number(k, 1))] }
}

fn claim(left: Term, relation: Relation, right: Term, failure: BigRational) -> Claim {
    let statement = Statement::Formula(compare(left, relation, right));
    Claim { statement, failure, draws: Vec::new(), stated: BTreeMap::new() }
}

/// The same claim, drawing these probabilities for the theorem `t`, which speaks of no object.
fn drawing(claim: &Claim, probabilities: &[BigRational]) -> Claim {
    let draw = |q: &BigRational| Draw { theorem: "t".to_string(), objects: BTreeMap::new(), probability: q.clone() };
    Claim { draws: probabilities.iter().map(draw).collect(), ..claim.clone() }
}

fn decide(objects: &Objects, theorem: Theorem, claim: &Claim, steps: &[Step]) -> Result<Checked, EvalError> {
    let theorems = Theorems::from([(theorem.name.clone(), theorem)]);
    check(objects, &theorems, &structures(objects)?, claim, steps)
}

fn verdict(theorem: Theorem, claim: &Claim, steps: &[Step]) -> Verdict {
    decide(&Objects::default(), theorem, claim, steps).expect("a derivation").verdict()
}

#[test]
fn a_bound_proves_what_lies_above_it_and_refutes_nothing_from_one_side() {
    let zero = BigRational::zero;
    let upper = || theorem(Relation::Le, vec![], None, Status::Proved);
    assert_eq!(verdict(upper(), &claim(vcdim(4), Relation::Le, number(4, 1), zero()), &[apply(4)]), Verdict::Proved);
    // vcdim <= 4 says nothing about vcdim <= 3, nor about vcdim >= 2.
    for (relation, bound) in [(Relation::Le, 3), (Relation::Lt, 4), (Relation::Ge, 2), (Relation::Eq, 4)] {
        assert_eq!(
            verdict(upper(), &claim(vcdim(4), relation, number(bound, 1), zero()), &[apply(4)]),
            Verdict::Unknown,
            "{relation:?} {bound}"
        );
    }
    // It does refute vcdim >= 5.
    assert_eq!(verdict(upper(), &claim(vcdim(4), Relation::Ge, number(5, 1), zero()), &[apply(4)]), Verdict::Refuted);
    // A fact on another class is not used.
    assert_eq!(verdict(upper(), &claim(vcdim(4), Relation::Le, number(5, 1), zero()), &[apply(5)]), Verdict::Unknown);
}

#[test]
fn refutations_are_certain_and_unconditional() {
    let claim = claim(vcdim(4), Relation::Ge, number(5, 1), ratio(1, 2));
    let upper = |requires, failure, status| theorem(Relation::Le, requires, failure, status);
    assert_eq!(verdict(upper(vec![], None, Status::Derived), &claim, &[apply(4)]), Verdict::Refuted);
    let event = upper(vec![], Some(number(1, 10)), Status::Proved);
    assert_eq!(verdict(event, &drawing(&claim, &[ratio(1, 10)]), &[apply(4)]), Verdict::Unknown);
    for status in [Status::Recalled, Status::Unproved] {
        assert_eq!(verdict(upper(vec![], None, status), &claim, &[apply(4)]), Verdict::Unknown);
    }
    // A sample from a file whose independence nothing declares.
    let sample = Object::Sample(sample_of(0));
    let mut objects = Objects::default();
    objects.entries.insert("S".to_string(), Entry { object: sample, dependence: Dependence::Known(BTreeSet::new()) });
    let requires = vec![Formula::Holds("iid".to_string(), vec![Term::name("S")])];
    let found = decide(&objects, upper(requires, None, Status::Proved), &claim, &[apply(4)]).expect("a derivation");
    assert!(!found.undischarged().is_empty());
    assert_eq!(found.verdict(), Verdict::Unknown);
}

/// Two events add up (union bound); an event that the claim does not use is charged as well.
#[test]
fn every_event_is_charged() {
    let upper = || theorem(Relation::Le, vec![], Some(number(1, 20)), Status::Proved);
    let at = |failure, draws: usize| {
        drawing(&claim(vcdim(4), Relation::Le, number(4, 1), failure), &vec![ratio(1, 20); draws])
    };
    assert_eq!(verdict(upper(), &at(ratio(1, 20), 1), &[apply(4)]), Verdict::Proved);
    assert_eq!(verdict(upper(), &at(ratio(1, 21), 1), &[apply(4)]), Verdict::Unknown);
    for steps in [&[apply(4), apply(4)][..], &[apply(4), apply(7)], &[apply(4)]] {
        assert_eq!(verdict(upper(), &at(ratio(1, 20), 2), steps), Verdict::Unknown);
        assert_eq!(verdict(upper(), &at(ratio(1, 10), 2), steps), Verdict::Proved);
    }
    for failure in [number(0, 1), number(1, 1), number(-1, 2), number(3, 2), Term::Apply(Op::Sqrt, vec![number(1, 2)])]
    {
        let theorem = theorem(Relation::Le, vec![], Some(failure.clone()), Status::Proved);
        let found = decide(&Objects::default(), theorem, &at(ratio(1, 1), 1), &[apply(4)]);
        assert!(found.is_err(), "a failure probability {failure}");
    }
}

/// What may fail is stated by the claim, before the sample is seen: a derivation that brings its own event, its own share of the
/// probability or its own objects may have chosen them by their values.
#[test]
fn a_derivation_uses_no_event_that_the_claim_does_not_draw() {
    let bare = claim(vcdim(4), Relation::Le, number(4, 1), ratio(1, 2));
    let upper = || theorem(Relation::Le, vec![], Some(number(1, 20)), Status::Proved);
    let found = |claim: &Claim, steps: &[Step]| decide(&Objects::default(), upper(), claim, steps).map(|c| c.verdict());
    assert_eq!(found(&drawing(&bare, &[ratio(1, 20)]), &[apply(4)]), Ok(Verdict::Proved));
    // No draw, another share (more or less), one draw for two events, a draw for another theorem or other objects.
    let refused = |claim: &Claim, steps: &[Step]| {
        let error = found(claim, steps).expect_err("an event that is not drawn").to_string();
        assert!(error.contains("which the claim does not draw for it"), "{error}");
    };
    refused(&bare, &[apply(4)]);
    refused(&drawing(&bare, &[ratio(1, 21)]), &[apply(4)]);
    refused(&drawing(&bare, &[ratio(1, 10)]), &[apply(4)]);
    refused(&drawing(&bare, &[ratio(1, 20)]), &[apply(4), apply(4)]);
    let mut other = drawing(&bare, &[ratio(1, 20)]);
    other.draws[0].theorem = "u".to_string();
    refused(&other, &[apply(4)]);
    other.draws[0].theorem = "t".to_string();
    other.draws[0].objects.insert("S".to_string(), Term::name("D"));
    refused(&other, &[apply(4)]);
    // A negative draw would pay for others.
    for probability in [ratio(-1, 20), ratio(0, 1), ratio(1, 1), ratio(3, 2)] {
        let error = found(&drawing(&bare, &[ratio(1, 20), probability]), &[apply(4)]).expect_err("no probability");
        assert!(error.to_string().contains("expected a probability between 0 and 1"), "{error}");
    }
}

/// A draw is for a theorem about named objects: a sample that looked better cannot take the place of the one that was drawn for.
#[test]
fn a_draw_is_for_its_objects() {
    let mut upper = theorem(Relation::Le, vec![], Some(number(1, 20)), Status::Proved);
    upper.parameters.push(("S".to_string(), Sort::Sample));
    upper.requires.push(compare(Term::quantity("samples", vec![Term::name("S")]), Relation::Le, number(1, 1)));
    let mut objects = Objects::default();
    for name in ["A", "B"] {
        let entry = Entry { object: Object::Sample(sample_of(0)), dependence: Dependence::Known(BTreeSet::new()) };
        objects.entries.insert(name.to_string(), entry);
    }
    let mut claim = drawing(&claim(vcdim(4), Relation::Le, number(4, 1), ratio(1, 20)), &[ratio(1, 20)]);
    claim.draws[0].objects.insert("S".to_string(), Term::name("A"));
    let on = |sample: &str| {
        let bindings = vec![("k".to_string(), number(4, 1)), ("S".to_string(), Term::name(sample))];
        let step = Step::Theorem { name: "t".to_string(), bindings };
        decide(&objects, upper.clone(), &claim, &[step]).map(|checked| checked.verdict())
    };
    assert_eq!(on("A"), Ok(Verdict::Proved));
    assert!(on("B").is_err());
}

/// A failure probability that a fact supplies could itself be wrong with some probability.
#[test]
fn a_failure_probability_rests_on_no_fact() {
    let share = Term::Apply(Op::Div, vec![number(1, 1), vcdim(9)]);
    let by_fact = Theorem { name: "u".to_string(), ..theorem(Relation::Le, vec![], Some(share), Status::Proved) };
    let equal = theorem(Relation::Eq, vec![], None, Status::Proved);
    let theorems = Theorems::from([("t".to_string(), equal), ("u".to_string(), by_fact)]);
    let (objects, nets) = (Objects::default(), BTreeMap::new());
    let mut workspace = Workspace::new(&objects, &theorems, &nets);
    workspace.apply(&apply(9)).expect("vcdim = 9");
    let step = Step::Theorem { name: "u".to_string(), bindings: vec![("k".to_string(), number(4, 1))] };
    assert!(matches!(workspace.apply(&step), Err(EvalError::Undefined(_))));
}

#[test]
fn requirements_must_be_true_not_unknown() {
    let undecided = compare(vcdim(3), Relation::Le, number(5, 1));
    let requires = vec![undecided];
    let at = claim(vcdim(4), Relation::Le, number(4, 1), BigRational::zero());
    let found = decide(&Objects::default(), theorem(Relation::Le, requires, None, Status::Proved), &at, &[apply(4)]);
    assert!(matches!(found, Err(EvalError::Requirement { refuted: false, .. })));
    for bindings in [vec![], vec![("k", 4), ("k", 4)], vec![("k", 4), ("j", 4)], vec![("j", 4)], vec![("k", -4)]] {
        let bindings = bindings.into_iter().map(|(name, n)| (name.to_string(), number(n, 1))).collect();
        let step = Step::Theorem { name: "t".to_string(), bindings };
        let theorem = theorem(Relation::Le, vec![], None, Status::Proved);
        assert!(decide(&Objects::default(), theorem, &at, &[step]).is_err());
    }
}

/// Contradictory facts are an error, never a proof of everything.
#[test]
fn contradictory_facts_prove_nothing() {
    let k = Term::name("k");
    let mut low = theorem(Relation::Ge, vec![], None, Status::Proved);
    low.name = "low".to_string();
    low.ensures = compare(vcdim(4), Relation::Ge, Term::Apply(Op::Add, vec![k, number(1, 1)]));
    let theorems = Theorems::from([
        ("t".to_string(), theorem(Relation::Le, vec![], None, Status::Proved)),
        ("low".to_string(), low),
    ]);
    let steps = [apply(4), Step::Theorem { name: "low".to_string(), bindings: vec![("k".to_string(), number(4, 1))] }];
    let claim = claim(vcdim(4), Relation::Le, number(0, 1), BigRational::zero());
    assert!(check(&Objects::default(), &theorems, &BTreeMap::new(), &claim, &steps).is_err());
}

fn evaluate(term: &Term) -> Result<Value, EvalError> {
    let (objects, theorems, nets) = (Objects::default(), Theorems::new(), BTreeMap::new());
    Workspace::new(&objects, &theorems, &nets).evaluate(term).map(|(value, _)| value)
}

fn truth(formula: &Formula) -> Result<Truth, EvalError> {
    let (objects, theorems, nets) = (Objects::default(), Theorems::new(), BTreeMap::new());
    Workspace::new(&objects, &theorems, &nets).decide(formula).map(|(truth, _)| truth)
}

/// What is kept of a sum of numbers is its value, and nothing is kept of a term with a free name.
#[test]
fn sums_of_numbers_are_computed_once() {
    let sum = |variable: &str, to: Term, body: Term| Term::Big {
        big: Big::Sum,
        variable: variable.to_string(),
        from: Box::new(number(1, 1)),
        to: Box::new(to),
        body: Box::new(body),
    };
    let [i, j] = ["i", "j"].map(Term::name);
    let inner = sum("j", i.clone(), j.clone());
    // 1 + 3 + 6; a variable bound again; 1 + 2 + 3 beside a name that only the inner sum binds.
    let nested = sum("i", number(3, 1), inner.clone());
    let hidden = sum("i", number(2, 1), sum("i", number(3, 1), i.clone()));
    let escaped = Term::Apply(Op::Add, vec![sum("i", number(3, 1), i.clone()), i.clone()]);
    assert!(nested.is_arithmetic() && hidden.is_arithmetic());
    assert!(!inner.is_arithmetic() && !escaped.is_arithmetic());
    assert!(!sum("i", number(2, 1), vcdim(4)).is_arithmetic());
    let (objects, theorems, nets) = (Objects::default(), Theorems::new(), BTreeMap::new());
    for _ in 0..2 {
        for (term, expected) in [(&nested, 10), (&hidden, 12)] {
            let (value, _) = Workspace::new(&objects, &theorems, &nets).evaluate(term).unwrap();
            assert_eq!(value.as_integer(), Some(expected.into()));
        }
        assert!(Workspace::new(&objects, &theorems, &nets).evaluate(&escaped).is_err());
    }
}

#[test]
fn undefined_points_are_errors() {
    let op = |op, terms: &[Term]| Term::Apply(op, terms.to_vec());
    let unknown = vcdim(4);
    let undefined = [
        op(Op::Div, &[number(1, 1), number(0, 1)]),
        op(Op::Div, &[number(1, 1), unknown.clone()]),
        op(Op::Ln, std::slice::from_ref(&unknown)),
        op(Op::Sqrt, &[op(Op::Add, &[unknown.clone(), number(-1, 1)])]),
        op(Op::Pow, &[number(-2, 1), number(1, 2)]),
        op(Op::Pow, &[number(0, 1), number(-1, 1)]),
        op(Op::Max, &[]),
        op(Op::Binomial, &[number(-1, 1), number(2, 1)]),
        Term::Infinity,
        Term::Cases(vec![
            (Some(compare(unknown.clone(), Relation::Le, number(3, 1))), number(1, 1)),
            (None, number(2, 1)),
        ]),
        Term::Cases(vec![(Some(compare(number(2, 1), Relation::Le, number(1, 1))), number(1, 1))]),
    ];
    for term in undefined {
        assert!(evaluate(&term).is_err(), "{term} has a value");
    }
    // The largest and smallest exponents are limits, not overflows.
    for exponent in [i64::MIN, i64::MIN + 1, i64::MAX] {
        let power = op(Op::Pow, &[number(2, 1), number(exponent, 1)]);
        if let Ok(value) = evaluate(&power) {
            assert!(value.enclosure().lo().is_some_and(|lo| !lo.is_negative()));
        }
    }
    assert!(evaluate(&op(Op::Pow, &[number(2, 1), Term::Number(ratio(i64::MAX, 1) * ratio(4, 1))])).is_err());
}

#[test]
fn floors_and_ceilings_take_both_ends() {
    let value = |low: (i64, i64), high: (i64, i64)| {
        Value::ends(Some(&ratio(low.0, low.1)), Some(&ratio(high.0, high.1)), 64).unwrap()
    };
    let ends = |value: &Value| {
        let end = |v: Option<Value>| v.and_then(|v| v.as_rational()).expect("an exact end");
        (end(value.low_end()), end(value.high_end()))
    };
    let x = value((-7, 2), (5, 2));
    assert_eq!(ends(&x.floor(64).unwrap()), (ratio(-4, 1), ratio(2, 1)));
    assert_eq!(ends(&x.ceil(64).unwrap()), (ratio(-3, 1), ratio(3, 1)));
    let integers = value((-3, 1), (2, 1));
    assert_eq!(ends(&integers.floor(64).unwrap()), ends(&integers));
    assert_eq!(ends(&integers.ceil(64).unwrap()), ends(&integers));
    // Towards the inside for quantities that are integers, and nothing is left between 1/3 and 2/3.
    assert_eq!(ends(&x.inner_integers(64).unwrap()), (ratio(-3, 1), ratio(2, 1)));
    assert!(value((1, 3), (2, 3)).inner_integers(64).is_err());
    // The square root of two is not an integer, and its floor and ceiling are not confused by its enclosure.
    let root = Value::integer(2, 64).sqrt(64).unwrap();
    assert_eq!(ends(&root.floor(64).unwrap()), (ratio(1, 1), ratio(1, 1)));
    assert_eq!(ends(&root.neg().ceil(64).unwrap()), (ratio(-1, 1), ratio(-1, 1)));
}

#[test]
fn intervals_of_both_signs_multiply_at_their_corners() {
    let value = |low: i64, high: i64| Value::ends(Some(&ratio(low, 1)), Some(&ratio(high, 1)), 64).unwrap();
    let inside = |value: &Value, low: i64, high: i64| {
        let enclosure = value.enclosure();
        enclosure.lo() <= Some(&Dyadic::from(low)) && enclosure.hi() >= Some(&Dyadic::from(high))
    };
    assert!(inside(&value(-3, 2).mul(&value(-5, 7), 64), -21, 15));
    assert!(inside(&value(-3, -2).mul(&value(-5, -4), 64), 8, 15));
    assert!(inside(&value(-3, 2).mul(&Value::integer(-2, 64), 64), -4, 6));
    assert!(inside(&value(-3, 2).pow(&Value::integer(2, 64), 64).unwrap(), 0, 9));
    assert!(inside(&value(-3, 2).pow(&Value::integer(3, 64), 64).unwrap(), -27, 8));
    assert!(inside(&value(-4, -2).pow(&Value::integer(-2, 64), 64).unwrap().mul(&Value::integer(16, 64), 64), 1, 4));
    assert!(value(-3, 2).div(&value(-1, 1), 64).is_err());
    // A comparison that touches is neither proved nor refuted in the strict sense.
    assert_eq!(value(-3, 2).le(&value(2, 5)), Truth::True);
    assert_eq!(value(-3, 2).lt(&value(2, 5)), Truth::Unknown);
    assert_eq!(value(3, 4).lt(&value(2, 3)), Truth::False);
    assert_eq!(value(3, 4).le(&value(2, 3)), Truth::Unknown);
    assert_eq!(Value::entire().le(&Value::entire()), Truth::Unknown);
    let nothing = Value::approximate(Enclosure::at_least(Some(Dyadic::zero())));
    assert_eq!(nothing.le(&Value::integer(5, 64)), Truth::Unknown);
}

#[test]
fn quantified_formulas_are_three_valued() {
    let x = || Term::name("x");
    let over = |relation, bound| Formula::ForAll {
        variable: "x".to_string(),
        from: number(1, 1),
        to: number(4, 1),
        body: Box::new(compare(x(), relation, bound)),
    };
    assert_eq!(truth(&over(Relation::Le, number(4, 1))), Ok(Truth::True));
    assert_eq!(truth(&over(Relation::Lt, number(4, 1))), Ok(Truth::False));
    // An undecided instance and a false one: false. An undecided one among true ones: unknown.
    assert_eq!(truth(&over(Relation::Le, Term::Apply(Op::Add, vec![vcdim(9), number(2, 1)]))), Ok(Truth::Unknown));
    let real = |relation, bound: i64| Formula::ForReal {
        variable: "x".to_string(),
        from: number(0, 1),
        to: number(2, 1),
        body: Box::new(compare(Term::Apply(Op::Mul, vec![x(), x()]), relation, number(bound, 1))),
    };
    assert_eq!(truth(&real(Relation::Le, 4)), Ok(Truth::True));
    assert_eq!(truth(&real(Relation::Le, 3)), Ok(Truth::Unknown));
    assert_eq!(truth(&real(Relation::Ge, 5)), Ok(Truth::False));
}

fn weights(shape: &[usize], mantissas: &[i64], exponent: i16) -> Tensor {
    Tensor::new(shape.to_vec(), mantissas.iter().map(|&mantissa| Weight { mantissa, exponent }).collect()).unwrap()
}

/// `x -> relu(A x + b) -> C h` with weights on a scale of `2^exponent`.
fn network(exponent: i16) -> Network {
    let dense = |units, source| Node { op: Layer::Dense { units, bias: true }, inputs: vec![source] };
    let relu = Node { op: Layer::Activation(Activation::Relu), inputs: vec![Source::Node(0)] };
    let architecture =
        Architecture { input: vec![2], nodes: vec![dense(2, Source::Input), relu, dense(1, Source::Node(1))] };
    let first = Parameters {
        weight: weights(&[2, 2], &[1, -3, 5, 7], exponent),
        bias: Some(weights(&[2], &[1, -1], exponent)),
    };
    let last = Parameters { weight: weights(&[1, 2], &[3, -1], exponent), bias: Some(weights(&[1], &[1], exponent)) };
    Network::new(architecture, vec![Some(first), None, Some(last)], 64).expect("a network")
}

/// Weights far below and above the grids of the forward pass: an enclosure or a named limit, never an overflow.
#[test]
fn extreme_weights_are_enclosed_or_refused() {
    for exponent in [-1000i16, -300, -200, -128, -127, -64, -10, 0, 10, 40, 63, 100, 1000] {
        let network = network(exponent);
        let scale =
            if exponent >= 0 { ratio(2, 1).pow(i32::from(exponent)) } else { ratio(1, 2).pow(-i32::from(exponent)) };
        for (x, y) in [(1, 1), (-1, 2), (3, -2), (0, 0)] {
            let input = [ratio(x, 1), ratio(y, 1)].map(|v| (v.clone(), v));
            let at = |a: i64, b: i64, c: i64| (ratio(a * x + b * y + c, 1) * &scale).max(BigRational::zero());
            let exact = (at(1, -3, 1) * ratio(3, 1) - at(5, 7, -1) + BigRational::one()) * &scale;
            match forward::Forward::of(&network).and_then(|forward| forward.outputs(&input)) {
                Ok(found) => {
                    assert!(found[0].0 <= exact && exact <= found[0].1, "2^{exponent} at ({x}, {y}): {found:?}")
                }
                Err(error) => assert!(matches!(error, EvalError::TooLarge(_)) && exponent > 0, "{error}"),
            }
        }
    }
}

/// An example is its coordinates times a scale, and the box of that one point: the enclosures are the same, on every grid and for
/// numbers of more than 64 bits, and contain the value by exact arithmetic.
#[test]
fn an_example_is_a_box_of_one_point() {
    let mut decided = 0;
    for exponent in [-80i16, -20, -1, 0, 20] {
        let forward = forward::Forward::of(&network(exponent)).expect("a chain");
        for (m, e) in
            [(0i64, 0i16), (1, 0), (-255, 0), (97, -30), (-3, -300), (i64::MAX, 0), (i64::MIN + 1, -40), (5, 61)]
        {
            for scale in [ratio(1, 1), ratio(1, 255), ratio(-7, 3), ratio(i64::MAX, 5), ratio(1, 10).pow(30)] {
                let row = [Weight { mantissa: m, exponent: e }, Weight { mantissa: -m, exponent: e }];
                let x = ratio(m, 1) * ratio(2, 1).pow(i32::from(e)) * &scale;
                let y = -x.clone();
                let point = forward.outputs_at(&row, &scale);
                assert_eq!(
                    point,
                    forward.outputs(&[(x.clone(), x.clone()), (y.clone(), y.clone())]),
                    "{m} 2^{e} {scale}"
                );
                let Ok(found) = point else { continue };
                let unit = ratio(2, 1).pow(i32::from(exponent));
                let at = |a: i64, b: i64, c: i64| {
                    ((ratio(a, 1) * &x + ratio(b, 1) * &y + ratio(c, 1)) * &unit).max(BigRational::zero())
                };
                let exact = (at(1, -3, 1) * ratio(3, 1) - at(5, 7, -1) + BigRational::one()) * &unit;
                assert!(found[0].0 <= exact && exact <= found[0].1, "{exact} {found:?}");
                decided += 1;
            }
        }
    }
    assert!(decided > 50, "{decided}");
}

fn sample_of(size: usize) -> Sample {
    let atoms = BTreeSet::from(["S".to_string()]);
    Sample { size, atoms, origin: Origin::File, classes: 2, examples: None }
}

#[test]
fn fractions_over_a_power_of_two_are_dyadic() {
    let dyadic = |m: i64, e: i64| Dyadic::new(BigInt::from(m), e).ok();
    for (p, q, expected) in
        [(3, 8, dyadic(3, -3)), (-5, 1, dyadic(-5, 0)), (0, 1, dyadic(0, 0)), (1, 1024, dyadic(1, -10))]
    {
        assert!(expected.is_some());
        assert_eq!(Dyadic::from_rational(&ratio(p, q)), expected, "{p}/{q}");
    }
    for (p, q) in [(1, 3), (5, 6), (7, 1023), (-1, 10)] {
        assert_eq!(Dyadic::from_rational(&ratio(p, q)), None, "{p}/{q}");
    }
}

/// Noise of a thousandth leaves an output of five where it is: every draw of one example errs, or none does.
#[test]
fn draws_far_from_the_boundary_are_decided() {
    let dense = |units| Node { op: Layer::Dense { units, bias: false }, inputs: vec![Source::Input] };
    for (outputs, own) in [(&[1][..], [0u32, 1]), (&[-1, 1], [0, 1])] {
        let units = outputs.len();
        let architecture = Architecture { input: vec![1], nodes: vec![dense(units as u128)] };
        let last = Parameters { weight: weights(&[units, 1], outputs, 0), bias: None };
        let network = Network::new(architecture, vec![Some(last)], 64).expect("a network");
        for (x, class) in [(-5, own[0]), (5, own[1])] {
            for label in [0, 1] {
                let values = vec![Weight { mantissa: x, exponent: 0 }];
                let examples = Examples { dimension: 1, values, scale: BigRational::one(), labels: vec![label] };
                let found = draws::errors(&network, &ratio(1, 1 << 20), &examples, 100).expect("errors");
                let expected = if label == class { (0, 0) } else { (100, 100) };
                assert_eq!(found, expected, "{units} outputs, {x}, label {label}");
            }
        }
    }
}

#[test]
fn examples_that_do_not_fit_are_not_counted() {
    let network = Arc::new(network(0));
    let values = |n: usize| vec![Weight { mantissa: 1, exponent: 0 }; n];
    let examples = |dimension, n, labels: &[u32]| Examples {
        dimension,
        values: values(n),
        scale: BigRational::one(),
        labels: labels.to_vec(),
    };
    // f(1, 1) = 3 relu(-1) - relu(11) + 1 = -10, so class 0 is predicted.
    let count = |examples: Examples| forward::errors(&Memo::default(), &network, &Arc::new(examples));
    assert_eq!(count(examples(2, 4, &[0, 1])), Ok((1, 1)));
    for bad in [
        examples(2, 4, &[0]),
        examples(2, 3, &[0, 1]),
        examples(3, 6, &[0, 1]),
        examples(1, 2, &[0, 1]),
        examples(0, 0, &[0]),
    ] {
        let shown = format!("{bad:?}");
        assert!(count(bad).is_err(), "{shown}");
    }
}

/// A class whose norm bound is negative contains no network: an error, not a negative norm.
#[test]
fn a_negative_norm_bound_is_an_error() {
    let architecture = network(0).architecture().clone();
    let norm = |bound: Term| {
        let constraint = Constraint { part: Part::Weight, layer: 1, norm: "fro".to_string(), bound };
        let net = NetObject { architecture: architecture.clone(), network: None, constraints: vec![constraint] };
        let mut objects = Objects::default();
        objects.entries.insert(
            "C".to_string(),
            Entry { object: Object::Net(net), dependence: Dependence::Known(BTreeSet::new()) },
        );
        objects.entries.insert(
            "X".to_string(),
            Entry {
                object: Object::Domain(Domain::Box(vec![(2, ratio(0, 1), ratio(1, 1))])),
                dependence: Dependence::Unknown,
            },
        );
        let nets = structures(&objects).expect("a structure");
        let theorems = Theorems::new();
        let term = Term::quantity("weight_norm", vec![Term::name("C"), number(1, 1), Term::name("fro")]);
        Workspace::new(&objects, &theorems, &nets).evaluate(&term).map(|(value, _)| value.as_rational())
    };
    assert_eq!(norm(number(3, 2)), Ok(Some(ratio(3, 2))));
    assert_eq!(norm(number(0, 1)), Ok(Some(ratio(0, 1))));
    assert!(norm(number(-1, 1)).is_err());
}

#[test]
fn integers_beyond_words_are_exact() {
    let huge = BigInt::from(10).pow(60);
    let value = Value::integer(huge.clone(), 64);
    assert_eq!(value.add(&Value::integer(1, 64), 64).as_integer(), Some(&huge + 1));
    assert_eq!(value.lt(&value.add(&Value::integer(1, 64), 64)), Truth::True);
    assert_eq!(value.le(&value.add(&Value::rational(&ratio(-1, 7), 64), 64)), Truth::False);
}

/// A theorem `name` whose bound `value(k) <= k` asks that each sample of `requires` is independent, and that `vcdim` is bounded if it says so.
fn bound(name: &str, value: &str, samples: &[&str], rests_on_vcdim: bool) -> Theorem {
    let k = Term::name("k");
    let class = Term::quantity("finite_class", vec![k.clone()]);
    let of = |quantity: &str| Term::quantity(quantity, vec![class.clone()]);
    let mut requires: Vec<Formula> =
        samples.iter().map(|s| Formula::Holds("iid".to_string(), vec![Term::name(s)])).collect();
    if rests_on_vcdim {
        requires.push(compare(of("vcdim"), Relation::Le, k.clone()));
    }
    Theorem {
        name: name.to_string(),
        parameters: vec![("k".to_string(), Sort::Natural)],
        requires,
        ensures: compare(of(value), Relation::Le, k),
        failure: None,
        status: Status::Proved,
    }
}

/// A fact hands on what its premises rest on: conditions that nothing discharges, and the laws of their samples. Facts of two data
/// sets speak of one number only if their laws agree.
#[test]
fn what_a_premise_rests_on_is_handed_on() {
    let mut objects = Objects::default();
    for name in ["S.train", "S.test", "T"] {
        let atoms = BTreeSet::from([name.to_string()]);
        let object = Object::Sample(Sample { atoms, ..sample_of(0) });
        objects
            .entries
            .insert(name.replace('.', "_"), Entry { object, dependence: Dependence::Known(BTreeSet::new()) });
    }
    let check_all = |theorems: Vec<Theorem>| {
        let steps: Vec<Step> = theorems
            .iter()
            .map(|t| Step::Theorem { name: t.name.clone(), bindings: vec![("k".to_string(), number(4, 1))] })
            .collect();
        let theorems: Theorems = theorems.into_iter().map(|t| (t.name.clone(), t)).collect();
        let class = Term::quantity("finite_class", vec![number(4, 1)]);
        let small = compare(Term::quantity("pdim", vec![class]), Relation::Le, number(4, 1));
        let claim = Claim {
            statement: Statement::Formula(small),
            failure: BigRational::zero(),
            draws: Vec::new(),
            stated: BTreeMap::new(),
        };
        check(&objects, &theorems, &structures(&objects).expect("structures"), &claim, &steps).expect("a derivation")
    };
    let first = |samples: &[&str]| bound("first", "vcdim", samples, false);
    let second = |samples: &[&str]| bound("second", "pdim", samples, true);
    // Nothing to discharge.
    let plain = check_all(vec![first(&[]), second(&[])]);
    assert_eq!((plain.verdict(), plain.undischarged().len()), (Verdict::Proved, 0));
    assert!(plain.theorems().keys().eq(["first", "second"]), "{:?}", plain.theorems());
    // The condition of the first is one of the second, which only used its bound.
    let inherited = check_all(vec![first(&["T"]), second(&[])]);
    assert!(inherited.undischarged().iter().any(|text| text.contains("T")), "{:?}", inherited.undischarged());
    // Two parts of one data set have one law; another data set has its own.
    let laws = |found: &Checked| found.undischarged().iter().filter(|text| text.contains("follow one law")).count();
    assert_eq!(laws(&check_all(vec![first(&["S_train"]), second(&["S_test"])])), 0);
    assert_eq!(laws(&check_all(vec![first(&["S_train"]), second(&["T"])])), 1);
}
