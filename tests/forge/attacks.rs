//! The named attacks.

use super::support::{Forgery, claims, list, rewritten, run_verify, text, written};
use supremum::kernel::certificate::{Json, Reason};

const BASE: &str = "tests/forge/base.spec";
const CONJECTURE: &str = "tests/forge/conjecture.spec";
const OCCAM: &str = "tests/forge/occam.spec";
const DIGITS: &str = "specs/digits.spec";

struct Attack {
    name: &'static str,
    base: &'static str,
    edit: fn(&mut Forgery),
    reason: Reason,
    /// Part of the refusal's message.
    message: &'static str,
}

const fn attack(
    name: &'static str,
    base: &'static str,
    reason: Reason,
    message: &'static str,
    edit: fn(&mut Forgery),
) -> Attack {
    Attack { name, base, edit, reason, message }
}

/// One unit less in the mantissa of a dyadic end.
fn lowered(end: &str) -> String {
    let (mantissa, exponent) = end.split_once("*2^").expect("a dyadic number");
    format!("{}*2^{exponent}", mantissa.parse::<u64>().expect("a mantissa") - 2)
}

/// The place of the last point beside this inverse on this side.
fn point(f: &mut Forgery, inverse: &str, side: &str) -> String {
    let is_asked = |point: &Json| {
        matches!(point, Json::Map(map) if map["side"] == text(side)
            && matches!(&map["inverse"], Json::List(parts) if parts[0] == text(inverse)))
    };
    let last = f.list("points").iter().rposition(is_asked).expect("a point");
    format!("points/{last}")
}

/// Puts the point of the other side in the place of a point.
fn point_of_the_other_side(f: &mut Forgery, inverse: &str, side: &str) {
    let other = point(f, inverse, if side == "above" { "below" } else { "above" });
    let [here, at] = [point(f, inverse, side), f.text(&format!("{other}/at"))];
    f.set(&format!("{here}/at"), text(&at));
}

fn point_missing(f: &mut Forgery, inverse: &str) {
    let last = point(f, inverse, "above");
    let place = last["points/".len()..].parse::<usize>().expect("a number");
    f.list("points").remove(place);
}

const ATTACKS: &[Attack] = &[
    attack("drop_requirement", CONJECTURE, Reason::TheoremText, "my.parameters: expected SHA-256", |f| {
        let statement = f.text("theorems/my.parameters/text").replace("relu_units(N), ", "");
        f.set("theorems/my.parameters/text", text(&statement));
    }),
    attack("drop_assumption", DIGITS, Reason::Grounds, "expected the assumptions", |f| {
        f.list("assumptions").retain(|a| !matches!(a, Json::Map(map) if map.contains_key("iid")));
    }),
    attack("swap_weights", BASE, Reason::Step, "positive semidefinite form", |f| {
        f.reverse("objects/h/is/parameters/0/weight/1", 4);
        f.list("claims").retain(|claim| matches!(claim, Json::Map(map) if map["name"] == text("sdp")));
        f.set("ledger/spent", text("0"));
    }),
    attack("shrink_radius", BASE, Reason::Step, "claim `tree`, step 0", |f| {
        // The proof is about [-1, 1]^2, the claim is now about the larger [-4, 4]^2.
        f.set("objects/X/is/box", list([list([text("2"), text("-4"), text("4")])]));
        f.list("claims").retain(|claim| matches!(claim, Json::Map(map) if map["name"] == text("tree")));
        f.set("ledger/spent", text("0"));
    }),
    attack("round_wrong_way", BASE, Reason::Enclosure, "not the stated bound", |f| {
        let high = f.text("claims/sdp/high");
        f.set("claims/sdp/high", text(&lowered(&high)));
    }),
    attack("tighten_step", BASE, Reason::Enclosure, "claim `sdp`, step 0: the step proves", |f| {
        let high = f.text("claims/sdp/derivation/0/2");
        f.set("claims/sdp/derivation/0/2", text(&lowered(&high)));
    }),
    attack("reuse_delta", BASE, Reason::Ledger, "the sum over all claims", |f| {
        // One event of probability 1/50 pays for both claims.
        f.set("ledger/spent", text("1/50"));
    }),
    attack("unpaid_claim", BASE, Reason::Ledger, "claim `risk`: expected the probability 1/100", |f| {
        f.map("claims/risk").remove("spent");
        f.set("ledger/spent", text("1/50"));
    }),
    attack("overdrawn", BASE, Reason::Ledger, "expected at most the budget 1/1000", |f| {
        f.set("ledger/budget", text("1/1000"));
    }),
    attack("undrawn_event", BASE, Reason::Step, "which the claim does not draw for it", |f| {
        // The event is used, and neither drawn nor paid for.
        f.map("claims/risk").retain(|key, _| key != "draws" && key != "spent");
        f.set("ledger/spent", text("1/50"));
    }),
    attack("negative_draw", BASE, Reason::Number, "expected a probability below 1, found -1/200", |f| {
        // Half of what is drawn is paid back.
        let mut back = f.at("claims/risk/draws/0").clone();
        if let Json::Map(draw) = &mut back {
            draw.insert("probability".to_string(), text("-1/200"));
        }
        f.list("claims/risk/draws").push(back);
        f.set("claims/risk/spent", text("1/200"));
        f.set("ledger/spent", text("1/40"));
    }),
    attack("other_theorem", BASE, Reason::Step, "which the claim does not draw for it", |f| {
        // Another bound looked better on this sample.
        f.set("claims/risk/draws/0/theorem", text("test_set.kl"));
    }),
    attack("other_sample", BASE, Reason::Step, "which the claim does not draw for it", |f| {
        f.set("claims/risk/draws/0/objects/S", text("D.train"));
    }),
    attack("larger_share", BASE, Reason::Step, "which the claim does not draw for it", |f| {
        // The shares are moved to the bound that turned out best: their sum stays.
        f.set("claims/open/draws/0/probability", text("1/1000"));
    }),
    attack("posthoc_lambda", BASE, Reason::Ledger, "claim `open`: expected the probability", |f| {
        // Many bounds were looked at and the best was taken; only the best is paid for.
        let draws = f.list("claims/open/draws");
        draws.drain(..draws.len() - 1);
        let records = f.list("claims/open/derivation").clone();
        let kept = [records.first(), records.last()].into_iter().flatten().cloned().collect();
        f.set("claims/open/derivation", Json::List(kept));
        retain_used(f);
    }),
    attack("prior_saw_sample", BASE, Reason::Step, "`h` depends on `D.train`", |f| {
        let step = f.step("risk");
        f.set(&format!("{step}/bindings/S"), text("D.train"));
    }),
    attack("unknown_theorem", BASE, Reason::Theorem, "expected a theorem of the library", |f| {
        let record = f.map("theorems").remove("vc.halfspaces").expect("a theorem");
        f.map("theorems").insert("vc.magic".to_string(), record);
        let step = f.step("wrong");
        f.set(&format!("{step}/theorem"), text("vc.magic"));
    }),
    attack("unlisted_theorem", BASE, Reason::Theorem, "expected the hash of `vc.halfspaces`", |f| {
        f.map("theorems").remove("vc.halfspaces");
    }),
    attack("swapped_theorem", BASE, Reason::Enclosure, "claim `risk`, step", |f| {
        // Hoeffding's bound has another formula than the one of Clopper and Pearson.
        let step = f.step("risk");
        f.set(&format!("{step}/theorem"), text("test_set.kl"));
        f.set("claims/risk/draws/0/theorem", text("test_set.kl"));
        f.point_again();
    }),
    attack("edited_theorem", BASE, Reason::TheoremText, "vc.halfspaces: expected SHA-256", |f| {
        f.set("theorems/vc.halfspaces/sha256", text(&"0".repeat(64)));
    }),
    attack("own_version", BASE, Reason::Theorem, "the library has a theorem of this name", |f| {
        f.set("theorems/vc.halfspaces/text", text("theorem vc.halfspaces(n : natural)"));
    }),
    attack("promoted_conjecture", CONJECTURE, Reason::TheoremText, "expected the status unproved", |f| {
        f.set("theorems/my.parameters/status", text("proved"));
    }),
    attack("point_missing", BASE, Reason::Step, "expected a point above binomial_tail_inverse(400, 2, ", |f| {
        point_missing(f, "binomial_tail_inverse");
    }),
    attack("point_missing_kl", BASE, Reason::Step, "expected a point above kl_inverse(0.01, ", |f| {
        point_missing(f, "kl_inverse");
    }),
    attack("point_wrong_side", BASE, Reason::Step, "found 0.851", |f| {
        // Below the inverse by one part in 2^120: the bound would be a little better than the truth.
        point_of_the_other_side(f, "binomial_tail_inverse", "above");
    }),
    attack("point_wrong_side_kl", BASE, Reason::Step, "found 0.978", |f| {
        point_of_the_other_side(f, "kl_inverse", "above");
    }),
    attack("point_too_high", BASE, Reason::Step, "expected a point below binomial_tail_inverse(400, 2, ", |f| {
        point_of_the_other_side(f, "binomial_tail_inverse", "below");
    }),
    attack("point_too_high_kl", BASE, Reason::Step, "expected a point below kl_inverse(0.01, ", |f| {
        point_of_the_other_side(f, "kl_inverse", "below");
    }),
    attack("point_on_the_left_branch", BASE, Reason::Step, "found 0.000000000931", |f| {
        // Left of q relative entropy is large as well.
        let place = point(f, "kl_inverse", "above");
        f.set(&format!("{place}/at"), text("1*2^-30"));
    }),
    attack("point_that_says_nothing", BASE, Reason::Enclosure, "the step proves", |f| {
        let place = point(f, "kl_inverse", "above");
        f.set(&format!("{place}/at"), text("1"));
    }),
    attack("point_for_other_arguments", BASE, Reason::Step, "expected a point below kl_inverse(0, ", |f| {
        // A true statement, and not the one that is needed.
        f.set("points/0/inverse/2", text("1"));
    }),
    attack(
        "point_that_nobody_needs",
        BASE,
        Reason::Grounds,
        "points: expected the 18 that the claims need, found 19",
        |f| {
            let mut more = f.at("points/0").clone();
            if let Json::Map(map) = &mut more {
                map.insert("inverse".to_string(), list([text("kl_inverse"), text("0"), text("0")]));
            }
            f.list("points").insert(0, more);
        },
    ),
    attack("points_out_of_order", BASE, Reason::Order, "expected the points in order, each once", |f| {
        f.list("points").swap(0, 1);
    }),
    attack("point_of_another_function", BASE, Reason::Field, "expected kl_inverse or binomial_tail_inverse", |f| {
        f.set("points/0/inverse/0", text("erfc_inverse"));
    }),
    attack("cyclic_step", BASE, Reason::Order, "expected a step before number 1, found number 1", |f| {
        f.list("claims/class/derivation/1").truncate(3);
        f.list("claims/class/derivation/1").push(Json::Integer(1));
    }),
    attack("later_step", BASE, Reason::Order, "expected a step before number 0, found number 1", |f| {
        f.list("claims/class/derivation/0").push(Json::Integer(1));
    }),
    attack("missing_step", BASE, Reason::Order, "found number 4095", |f| {
        f.set("claims/class/derivation/0/0", Json::Integer(4095));
    }),
    attack("missing_premise", BASE, Reason::Enclosure, "the step proves unknown of `lip(F, l2)`", |f| {
        // Without the constant of ReLU the product bound has no factor to multiply.
        f.list("claims/class/derivation").remove(0);
        f.list("claims/class/derivation/0").truncate(3);
    }),
    attack("empty_derivation", BASE, Reason::Verdict, "the derivation does not decide it", |f| {
        f.map("claims/wrong").retain(|key, _| !["derivation", "low", "high"].contains(&key.as_str()));
    }),
    attack("no_claims", BASE, Reason::Verdict, "expected at least one claim", |f| f.list("claims").clear()),
    attack("hole_step", BASE, Reason::Field, "expected a kind of witness, found `trusted`", |f| {
        let step = f.step("sdp");
        f.set(&format!("{step}/witness/kind"), text("trusted"));
    }),
    attack("proves_weaker_claim", BASE, Reason::Verdict, "the derivation refutes it", |f| {
        let four = list([text("lip"), text("F"), text("l2")]);
        f.set("claims/class/statement", list([text("<="), four, text("3")]));
    }),
    attack("misleading_quantity", BASE, Reason::Enclosure, "expected a step on `vcdim(halfspaces(1))`", |f| {
        let step = f.step("wrong");
        f.set(&format!("{step}/of"), text("vcdim(halfspaces(1))"));
    }),
    attack("flipped_verdict", BASE, Reason::Verdict, "claim `wrong`: the derivation refutes it", |f| {
        f.map("claims/wrong").remove("verdict");
    }),
    attack("hidden_condition", OCCAM, Reason::Grounds, "expected the assumptions", |f| {
        f.map("claims/occam").remove("assumptions");
    }),
    attack("nan_bound", BASE, Reason::Number, "found `NaN`", |f| f.set("claims/sdp/high", text("NaN"))),
    attack("no_bound", BASE, Reason::Field, "expected the bound that the claim asks for", |f| {
        f.map("claims/sdp").remove("high");
    }),
    attack("half_a_bound", BASE, Reason::Field, "expected the bound that the claim asks for", |f| {
        f.map("claims/ball").remove("low");
    }),
    attack("swapped_ends", BASE, Reason::Object, "found an empty interval", |f| {
        f.set("claims/ball/low", text("9"));
        f.set("claims/ball/high", text("-9"));
    }),
    attack("empty_interval", BASE, Reason::Object, "expected an interval, found [1, -1]", |f| {
        f.set("objects/X/is/box", list([list([text("2"), text("1"), text("-1")])]));
    }),
    attack("negative_radius", BASE, Reason::Object, "expected a radius >= 0", |f| {
        f.set("objects/Y/is/radius", text("-1"));
    }),
    attack("residual_not_dominant", BASE, Reason::Step, "claim `norm`, step 0", |f| {
        // The square of the norm is 33.75...; below it the factorization leaves a residual that is not dominant.
        let step = f.step("norm");
        f.set(&format!("{step}/witness/bound"), text("33"));
    }),
    attack("factor_wrong_shape", BASE, Reason::Step, "of the neurons", |f| {
        let step = f.step("sdp");
        f.list(&format!("{step}/witness/branches/0/1/0/1")).pop();
    }),
    attack("tree_leaf_missing", BASE, Reason::Step, "expected a complete tree", |f| {
        let step = f.step("tree");
        f.list(&format!("{step}/witness/branches")).pop();
    }),
    attack("tree_overlap", BASE, Reason::Step, "expected the end of the tree, found another branch", |f| {
        let step = f.step("tree");
        let branches = f.list(&format!("{step}/witness/branches"));
        let last = branches.last().expect("a leaf").clone();
        branches.push(last);
    }),
    attack("tree_cut_outside", BASE, Reason::Step, "expected a cut inside the box", |f| {
        let step = f.step("tree");
        let branches = f.list(&format!("{step}/witness/branches"));
        branches[0] = list([text("input"), Json::Integer(0), text("2")]);
    }),
    attack("pattern_infeasible_kept", BASE, Reason::Step, "expected weights that show a region without points", |f| {
        // A leaf is declared empty, without a proof that no point lies in it.
        let step = f.step("tree");
        let branches = f.list(&format!("{step}/witness/branches"));
        *branches.last_mut().expect("a leaf") = list([text("empty"), list([])]);
    }),
    attack("multipliers_scaled_down", BASE, Reason::Step, "claim `sdp`, step 0", |f| {
        let step = f.step("sdp");
        let weight = format!("{step}/witness/branches/0/1/0/0");
        f.set(&weight, list([text("1")]));
    }),
    attack("multipliers_a_little_less", BASE, Reason::Step, "expected a positive semidefinite form", |f| {
        // The optimum of the relaxation lies just below the certified bound: one percent less is false.
        let step = f.step("sdp");
        let weight = format!("{step}/witness/branches/0/1/0/0");
        let stated = f.text(&format!("{weight}/0"));
        let (mantissa, exponent) = stated.split_once("*2^").expect("a dyadic number");
        let less = (mantissa.parse::<u64>().expect("a mantissa") / 100 * 99) | 1;
        f.set(&weight, list([text(&format!("{less}*2^{exponent}"))]));
    }),
    attack("steeper_direction", BASE, Reason::Step, "claim `below`, step 0", |f| {
        // A point far outside the domain.
        let step = f.step("below");
        let witness = format!("{step}/witness");
        let key = if f.map(&witness).contains_key("point") { "point" } else { "from" };
        f.set(&format!("{witness}/{key}"), list([text("5"), text("5")]));
    }),
    attack("class_mislabelled", BASE, Reason::Object, "expected labels below 1", |f| {
        f.set("objects/D.test/is/classes", Json::Integer(1));
    }),
    attack("parameters_of_another_shape", BASE, Reason::Object, "expected parameters of shapes", |f| {
        f.set("objects/h/is/architecture/nodes/0", list([text("dense"), text("9"), Json::Truth(true)]));
    }),
    attack("infinite_weight", BASE, Reason::Number, "expected finite numbers", |f| {
        let offset = f.offset("objects/D.test/is/examples/values");
        f.side[offset..offset + 8].copy_from_slice(&f64::NAN.to_le_bytes());
        f.reseal();
    }),
    attack("renamed_quantity", BASE, Reason::Name, "expected a new name, found `lip`", |f| {
        let definition = Json::Map(
            [("body".to_string(), text("0")), ("parameters".to_string(), list([text("g"), text("p")]))].into(),
        );
        f.definitions().insert("lip".to_string(), definition);
    }),
    attack("name_like_a_term", BASE, Reason::Name, "expected a new name, found `lip(h, l2)`", |f| {
        let definition = Json::Map([("body".to_string(), text("0"))].into());
        f.definitions().insert("lip(h, l2)".to_string(), definition);
    }),
    attack("homoglyph_quantity", BASE, Reason::Name, "expected a new name, found `l\u{456}p`", |f| {
        // A Cyrillic letter: `lip(h, l2) <= 0` would be read, and a definition would be meant.
        let definition = Json::Map(
            [("body".to_string(), text("0")), ("parameters".to_string(), list([text("g"), text("p")]))].into(),
        );
        f.definitions().insert("l\u{456}p".to_string(), definition);
    }),
    attack("reordered_title", BASE, Reason::Field, "expected one line", |f| {
        f.set("spec/title", text("\u{202e}0 => )enoorez ,h(ksir"));
    }),
    attack("narrow_weights", OCCAM, Reason::Step, "expected numbers of a format of 1 bits in `h`", |f| {
        // A class of numbers of one bit is smaller, and the weights are none of its members.
        f.set("objects/h/is/weight_bits", Json::Integer(1));
    }),
    attack("narrow_format", OCCAM, Reason::Step, "expected numbers of a format of 16 bits in `h`", |f| {
        f.set("objects/h/is/weight_bits", Json::Integer(16));
    }),
    attack("value_read_off_the_sample", OCCAM, Reason::Step, "which may have been read off `D.train`", |f| {
        let errors = list([text("errors"), text("h"), text("D.train")]);
        let step = f.step("occam");
        f.set("claims/occam/stated/bits", errors.clone());
        f.set(&format!("{step}/bindings/bits"), errors);
    }),
    attack("other_value_than_stated", OCCAM, Reason::Step, "the claim states bits = 64", |f| {
        f.set("claims/occam/stated/bits", text("64"));
    }),
    attack("same_name_twice", BASE, Reason::Name, "found `sdp` twice", |f| f.set("claims/product/name", text("sdp"))),
    attack("wrong_hash", BASE, Reason::Side, "its SHA-256 is not the certificate's", |f| {
        f.set("side/sha256", text(&"0".repeat(64)));
    }),
    attack("altered_side_file", BASE, Reason::Side, "was altered", |f| f.side[7] ^= 1),
    attack("shortened_side_file", BASE, Reason::Side, "bytes in `base.cert.bin`", |f| {
        f.side.pop();
    }),
    attack("array_beyond_the_end", BASE, Reason::Side, "of the side file, found its end", |f| {
        f.set("objects/D.test/is/examples/values/1", Json::Integer(1 << 40));
    }),
    attack("outside_the_folder", BASE, Reason::Side, "expected the name of a file beside", |f| {
        f.set("side/file", text("../base.cert.bin"));
    }),
    attack("newer_version", BASE, Reason::Version, "expected version 3, found 99", |f| {
        f.set("version", Json::Integer(99));
    }),
    attack("older_version", BASE, Reason::Version, "expected version 3, found 2", |f| {
        f.set("version", Json::Integer(2));
    }),
    attack("other_format", BASE, Reason::Version, "expected the format", |f| f.set("format", text("other"))),
    attack("unknown_field", BASE, Reason::Field, "found `comment`", |f| {
        f.map("claims/size").insert("comment".to_string(), text("trust me"));
    }),
    attack("missing_field", BASE, Reason::Field, "expected a field `statement`", |f| {
        f.map("claims/size").remove("statement");
    }),
    attack("division_by_zero", BASE, Reason::Number, "found `1/0`", |f| f.set("claims/risk/spent", text("1/0"))),
    attack("unreduced", BASE, Reason::Number, "found `2/100`", |f| f.set("claims/risk/spent", text("2/100"))),
    attack("negative_denominator", BASE, Reason::Number, "found `2/-4`", |f| f.set("ledger/spent", text("2/-4"))),
    attack("leading_zeros", BASE, Reason::Number, "found `0033`", |f| f.set("claims/size/high", text("0033"))),
    attack("scientific", BASE, Reason::Number, "found `1e5`", |f| f.set("claims/size/high", text("1e5"))),
    attack("even_mantissa", BASE, Reason::Number, "found `2*2^-3`", |f| f.set("claims/sdp/high", text("2*2^-3"))),
    attack("huge_exponent", BASE, Reason::Limit, "expected an exponent up to", |f| {
        f.set("claims/sdp/high", text("1*2^99999999999999999999"));
    }),
    attack("many_digits", BASE, Reason::Limit, "digits, found 1000000", |f| {
        f.set("claims/size/high", text(&"3".repeat(1_000_000)));
    }),
    attack("many_steps", BASE, Reason::Limit, "expected at most 100000 entries", |f| {
        let step = f.list("steps")[0].clone();
        f.set("steps", Json::List(vec![step; 100_001]));
    }),
    attack("deep_nesting", BASE, Reason::Limit, "expected nesting up to 127", |f| {
        let deep = "[\n[\n".to_string() + &"[".repeat(10_000);
        f.raw = Some(deep.into_bytes());
    }),
    attack("duplicate_key", BASE, Reason::DuplicateKey, "found a second `verdict`", |f| {
        let text =
            f.json.render().replacen("\"verdict\":\"refuted\"", "\"verdict\":\"refuted\",\"verdict\":\"refuted\"", 1);
        f.raw = Some(text.into_bytes());
    }),
    attack("truncated", BASE, Reason::Truncated, "expected a whole certificate", |f| {
        let mut bytes = f.json.render().into_bytes();
        bytes.truncate(bytes.len() / 2);
        f.raw = Some(bytes);
    }),
    attack("trailing_data", BASE, Reason::Trailing, "expected the end of the certificate", |f| {
        let mut bytes = f.json.render().into_bytes();
        bytes.extend(b"{}");
        f.raw = Some(bytes);
    }),
    attack("other_spelling", BASE, Reason::Spelling, "expected the canonical spelling", |f| {
        f.raw = Some(f.json.render().replace("\"version\":3", "\"version\": 3").into_bytes());
    }),
    attack("bare_nan", BASE, Reason::Malformed, "expected", |f| {
        f.raw = Some(f.json.render().replace("\"version\":3", "\"version\":NaN").into_bytes());
    }),
    attack("a_float", BASE, Reason::Malformed, "floating point", |f| {
        f.raw = Some(f.json.render().replace("\"version\":3", "\"version\":3.0").into_bytes());
    }),
];

/// The records of the chosen bound: the error count and the exact binomial bound.
/// Drops steps that no claim uses any more, with the theorems that only they used.
fn retain_used(f: &mut Forgery) {
    let mut used = std::collections::BTreeSet::new();
    let claims = f.list("claims").clone();
    for claim in &claims {
        let Json::Map(claim) = claim else { continue };
        let Some(Json::List(records)) = claim.get("derivation") else { continue };
        used.extend(records.iter().filter_map(|r| match r {
            Json::List(list) => match list[0] {
                Json::Integer(step) => usize::try_from(step).ok(),
                _ => None,
            },
            _ => None,
        }));
    }
    // An unused step keeps its place as a step that is used anyway, so that the numbers stay.
    let first = f.list("steps")[*used.iter().next().expect("a step")].clone();
    let steps = f.list("steps");
    for (i, step) in steps.iter_mut().enumerate() {
        if !used.contains(&i) {
            *step = first.clone();
        }
    }
    let named: Vec<String> = steps
        .iter()
        .filter_map(|step| match step {
            Json::Map(map) => match map.get("theorem") {
                Some(Json::Text(name)) => Some(name.clone()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    f.map("theorems").retain(|name, _| named.contains(name));
}

/// The attacks that any checker of certificates has to withstand; no two of them are answered in the same words.
const CLASSICS: [&str; 26] = [
    "drop_requirement",
    "swap_weights",
    "shrink_radius",
    "round_wrong_way",
    "reuse_delta",
    "posthoc_lambda",
    "prior_saw_sample",
    "unknown_theorem",
    "edited_theorem",
    "cyclic_step",
    "missing_step",
    "proves_weaker_claim",
    "nan_bound",
    "empty_interval",
    "negative_radius",
    "residual_not_dominant",
    "factor_wrong_shape",
    "tree_leaf_missing",
    "tree_overlap",
    "pattern_infeasible_kept",
    "wrong_hash",
    "duplicate_key",
    "huge_exponent",
    "deep_nesting",
    "truncated",
    "trailing_data",
];

#[test]
fn every_attack_is_refused_for_its_own_reason() {
    let mut wrong = Vec::new();
    let mut messages = std::collections::BTreeMap::new();
    for attack in ATTACKS {
        let mut forgery = written(attack.base);
        (attack.edit)(&mut forgery);
        match forgery.judge() {
            Ok(_) => wrong.push(format!("{}: accepted", attack.name)),
            Err(refusal) if refusal.reason == attack.reason && refusal.message.contains(attack.message) => {
                messages.insert(attack.name, refusal.message);
            }
            Err(refusal) => wrong.push(format!("{}: {:?}: {}", attack.name, refusal.reason, refusal.message)),
        }
    }
    // Each reason has its code, as `supremum explain` knows it.
    let reasons: Vec<Reason> = ATTACKS.iter().map(|attack| attack.reason).collect();
    for (i, a) in reasons.iter().enumerate() {
        assert!(a.code().starts_with("E08"), "{a:?}");
        assert!(reasons[..i].iter().all(|b| (a == b) == (a.code() == b.code())), "{a:?}");
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), ATTACKS.len(), wrong.join("\n"));
    assert_eq!(messages.len(), ATTACKS.len(), "a name occurs twice");
    assert!(ATTACKS.len() >= 60);
    let words: std::collections::BTreeSet<&str> = CLASSICS.iter().map(|name| messages[name].as_str()).collect();
    assert_eq!(words.len(), CLASSICS.len(), "{words:#?}");
}

/// The cases on certificates of `tests/data/adversarial/cases.json`, by the attacks that carry them out.
const CASES: &[(&str, &[&str])] = &[
    ("c-digit", &["round_wrong_way", "tighten_step"]),
    ("c-widen", &[]),
    ("c-theorem-swap", &["swapped_theorem", "unknown_theorem"]),
    ("c-spec-swap", &[]),
    ("c-empty", &["empty_derivation", "no_claims"]),
    ("c-hole", &["hole_step"]),
    ("c-dup-key", &["duplicate_key"]),
    ("c-num-format", &["division_by_zero", "negative_denominator", "leading_zeros", "scientific", "unreduced"]),
    ("c-wrong-dir", &["swapped_ends", "empty_interval"]),
    ("c-future-version", &["newer_version"]),
    ("c-bomb", &["many_steps", "many_digits"]),
    ("c-theorem-drift", &["edited_theorem"]),
];

#[test]
fn adversarial_cases_have_their_exit_codes() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/adversarial/cases.json");
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(path).expect("cases")).expect("JSON");
    let cases = json["cases"].as_array().expect("cases").iter().filter(|case| case["group"] == "certificates");
    let expected: std::collections::BTreeMap<&str, u64> = cases
        .map(|case| (case["id"].as_str().expect("a name"), case["exit"].as_u64().expect("an exit code")))
        .collect();
    assert!(expected.keys().copied().eq(std::collections::BTreeSet::from_iter(CASES.iter().map(|(id, _)| *id))));
    for (id, names) in CASES {
        for name in *names {
            let attack = ATTACKS.iter().find(|attack| attack.name == *name).expect("an attack");
            assert_eq!(exit(attack.reason), expected[id] as i32, "{id}: {name}");
        }
        // A wider end is accepted, below; another spec is refused in tests/certificates.rs.
        assert!(!names.is_empty() || ["c-widen", "c-spec-swap"].contains(id), "{id}");
    }
}

fn exit(reason: Reason) -> i32 {
    match reason {
        Reason::Limit => 8,
        Reason::Side => 7,
        _ => 6,
    }
}

/// The binary says the same of the forged files as the kernel of their contents.
#[test]
fn the_binary_refuses_with_code_and_words() {
    let in_cases = |name: &str| CASES.iter().any(|(_, names)| names.contains(&name));
    let asked = |attack: &&Attack| {
        CLASSICS.contains(&attack.name)
            || in_cases(attack.name)
            || matches!(attack.reason, Reason::Side | Reason::Limit)
    };
    let mut asked: Vec<(Forgery, Reason, &str, &str)> = ATTACKS
        .iter()
        .filter(asked)
        .map(|attack| {
            let mut forgery = written(attack.base);
            (attack.edit)(&mut forgery);
            (forgery, attack.reason, attack.message, attack.name)
        })
        .collect();
    // A number of 10^8 digits, as bytes: longer than a certificate may be.
    let mut forgery = written(BASE);
    forgery.raw = Some(vec![b'3'; 100_000_000]);
    asked.push((forgery, Reason::Limit, "expected at most 67108864 bytes, found 100000000", "bomb"));
    for (forgery, reason, message, name) in asked {
        // Without the binary the kernel answers for itself, above.
        let Some((code, printed)) = run_verify(&forgery) else { continue };
        let one_line = printed.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(code, exit(reason), "{name}: {printed}");
        assert!(one_line.contains(reason.code()) && !printed.contains("panicked"), "{name}: {printed}");
        assert!(one_line.contains(message) || printed.contains(message), "{name}: {printed}");
    }
}

#[test]
fn what_was_written_is_accepted_and_written_again() {
    for spec in
        [BASE, CONJECTURE, OCCAM, DIGITS, "tests/forge/small.spec", "tests/forge/gibbs.spec", "tests/forge/smooth.spec"]
    {
        let forgery = written(spec);
        match forgery.judge() {
            Ok(certificate) => {
                let (text, side) = rewritten(&certificate);
                assert!(text == forgery.json.render() && side == forgery.side, "{spec}: other bytes\n{text}");
            }
            Err(refusal) => panic!("{spec}: {refusal}"),
        }
    }
}

#[test]
fn a_wider_enclosure_that_still_follows_is_accepted() {
    let mut forgery = written(BASE);
    forgery.set("claims/sdp/derivation/0/2", text("1000000"));
    forgery.set("claims/sdp/high", text("1000"));
    let certificate = forgery.judge().expect("weaker and still true");
    let claims = claims(&certificate);
    let claim = claims.iter().find(|claim| claim.name == "sdp").expect("the claim");
    let high = claim.high.as_ref().and_then(|high| high.as_integer());
    assert_eq!(high, Some(1000.into()));
}

#[test]
fn a_certificate_of_an_unproved_theorem_has_holes() {
    let certificate = written(CONJECTURE).judge().expect("accepted");
    let theorems = supremum::certificate::theorems(&certificate).expect("known");
    let mut holes: Vec<Vec<String>> = Vec::new();
    certificate.verify(&theorems, |claim| holes.push(claim.holes())).expect("accepted");
    assert_eq!(holes, [vec!["`my.parameters` is unproved".to_string()], vec![]]);
}
