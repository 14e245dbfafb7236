//! Mathematical symbols as ASCII and as LaTeX.

/// A symbol, its ASCII form, its LaTeX form in math mode.
type Symbol = (char, &'static str, &'static str);

const SYMBOLS: &[Symbol] = &[
    ('≤', "<=", r"\le "),
    ('≥', ">=", r"\ge "),
    ('≠', "!=", r"\ne "),
    ('≈', "~", r"\approx "),
    ('≉', "!~", r"\not\approx "),
    ('≡', "==", r"\equiv "),
    ('∼', "~", r"\sim "),
    ('→', "->", r"\to "),
    ('←', "<-", r"\leftarrow "),
    ('↦', "|->", r"\mapsto "),
    ('⇒', "=>", r"\Rightarrow "),
    ('∞', "inf", r"\infty "),
    ('√', "sqrt ", r"\surd "),
    ('·', "*", r"\cdot "),
    ('×', "x", r"\times "),
    ('÷', "/", r"\div "),
    ('±', "+-", r"\pm "),
    ('−', "-", "-"),
    ('∈', "in", r"\in "),
    ('∉', "not in", r"\notin "),
    ('⊂', "in", r"\subset "),
    ('⊆', "in", r"\subseteq "),
    ('∪', "or", r"\cup "),
    ('∩', "and", r"\cap "),
    ('∅', "0", r"\emptyset "),
    ('∀', "forall ", r"\forall "),
    ('∃', "exists ", r"\exists "),
    ('¬', "not ", r"\neg "),
    ('∧', "and", r"\wedge "),
    ('∨', "or", r"\vee "),
    ('∑', "sum", r"\sum "),
    ('∏', "prod", r"\prod "),
    ('∫', "int", r"\int "),
    ('∂', "d", r"\partial "),
    ('∇', "grad ", r"\nabla "),
    ('∘', "o", r"\circ "),
    ('‖', "||", r"\| "),
    ('⌊', "floor(", r"\lfloor "),
    ('⌋', ")", r"\rfloor "),
    ('⌈', "ceil(", r"\lceil "),
    ('⌉', ")", r"\rceil "),
    ('⟂', "_|_", r"\perp "),
    ('⊥', "_|_", r"\perp "),
    ('°', "deg", r"^{\circ}"),
    ('½', "1/2", r"\frac12 "),
    ('¼', "1/4", r"\frac14 "),
    ('¾', "3/4", r"\frac34 "),
    ('ℓ', "l", r"\ell "),
    ('ℝ', "R", r"\mathrm{R}"),
    ('ℕ', "N", r"\mathrm{N}"),
    ('ℤ', "Z", r"\mathrm{Z}"),
    ('†', "*", r"\dagger "),
    ('‡', "**", r"\ddagger "),
    ('✓', "ok", r"\surd "),
    ('✗', "x", r"\times "),
    ('α', "alpha", r"\alpha "),
    ('β', "beta", r"\beta "),
    ('γ', "gamma", r"\gamma "),
    ('δ', "delta", r"\delta "),
    ('ε', "eps", r"\varepsilon "),
    ('ζ', "zeta", r"\zeta "),
    ('η', "eta", r"\eta "),
    ('θ', "theta", r"\theta "),
    ('ι', "iota", r"\iota "),
    ('κ', "kappa", r"\kappa "),
    ('λ', "lambda", r"\lambda "),
    ('μ', "mu", r"\mu "),
    ('ν', "nu", r"\nu "),
    ('ξ', "xi", r"\xi "),
    ('π', "pi", r"\pi "),
    ('ρ', "rho", r"\rho "),
    ('σ', "sigma", r"\sigma "),
    ('τ', "tau", r"\tau "),
    ('φ', "phi", r"\varphi "),
    ('χ', "chi", r"\chi "),
    ('ψ', "psi", r"\psi "),
    ('ω', "omega", r"\omega "),
    ('Γ', "Gamma", r"\Gamma "),
    ('Δ', "Delta", r"\Delta "),
    ('Θ', "Theta", r"\Theta "),
    ('Λ', "Lambda", r"\Lambda "),
    ('Π', "Pi", r"\Pi "),
    ('Σ', "Sigma", r"\Sigma "),
    ('Φ', "Phi", r"\Phi "),
    ('Ψ', "Psi", r"\Psi "),
    ('Ω', "Omega", r"\Omega "),
    ('…', "...", r"\ldots "),
];

/// What is written above or below the line, as pairs of the raised (lowered) and the plain character.
const RAISED: &[(char, char)] = &[
    ('⁰', '0'),
    ('¹', '1'),
    ('²', '2'),
    ('³', '3'),
    ('⁴', '4'),
    ('⁵', '5'),
    ('⁶', '6'),
    ('⁷', '7'),
    ('⁸', '8'),
    ('⁹', '9'),
    ('⁺', '+'),
    ('⁻', '-'),
    ('⁽', '('),
    ('⁾', ')'),
    ('ⁿ', 'n'),
    ('ⁱ', 'i'),
    ('ᵐ', 'm'),
    ('ᵏ', 'k'),
    ('ᵈ', 'd'),
    ('ᵗ', 't'),
    ('ᵀ', 'T'),
];

const LOWERED: &[(char, char)] = &[
    ('₀', '0'),
    ('₁', '1'),
    ('₂', '2'),
    ('₃', '3'),
    ('₄', '4'),
    ('₅', '5'),
    ('₆', '6'),
    ('₇', '7'),
    ('₈', '8'),
    ('₉', '9'),
    ('₊', '+'),
    ('₋', '-'),
    ('ₙ', 'n'),
    ('ᵢ', 'i'),
    ('ⱼ', 'j'),
    ('ₖ', 'k'),
    ('ₘ', 'm'),
];

/// Typographic characters that are plain ones in ASCII.
const PLAIN: &[(char, &str)] = &[
    ('\u{a0}', " "),
    ('\u{2009}', " "),
    ('\u{202f}', " "),
    ('–', "-"),
    ('—', "-"),
    ('‘', "'"),
    ('’', "'"),
    ('“', "\""),
    ('”', "\""),
    ('•', "*"),
];

fn find<T: Copy>(table: &[(char, T)], c: char) -> Option<T> {
    table.iter().find(|(symbol, _)| *symbol == c).map(|&(_, value)| value)
}

pub(super) fn raised(c: char) -> Option<char> {
    find(RAISED, c)
}

pub(super) fn lowered(c: char) -> Option<char> {
    find(LOWERED, c)
}

pub(super) fn latex_math(c: char) -> Option<&'static str> {
    SYMBOLS.iter().find(|(symbol, ..)| *symbol == c).map(|&(_, _, latex)| latex)
}

/// Digits above the line: a footnote's number.
pub fn superscript(n: usize) -> String {
    let above = |digit: char| RAISED.iter().find(|(_, plain)| *plain == digit).map_or(digit, |&(raised, _)| raised);
    n.to_string().chars().map(above).collect()
}

/// The text in ASCII: symbols by their names, `²` as `^2`, `₂` as `_2`, anything else as `\u{...}`.
pub fn ascii(text: &str) -> String {
    let text: Vec<char> = text.chars().collect();
    let mut result = String::with_capacity(text.len());
    let mut i = 0;
    while let Some(&c) = text.get(i) {
        let run = |table: fn(char) -> Option<char>| -> String { text[i..].iter().map_while(|&c| table(c)).collect() };
        let (mark, script) = if raised(c).is_some() { ('^', run(raised)) } else { ('_', run(lowered)) };
        if !script.is_empty() {
            // 2^-12 needs no parentheses, 2^(-2m-3) does.
            let digits = script.strip_prefix('-').unwrap_or(&script);
            let simple = script.len() == 1 || (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
            result.push(mark);
            result.push_str(&if simple { script.clone() } else { format!("({script})") });
            // Scripts are ASCII: as many bytes as characters.
            i += script.len();
            continue;
        }
        if c.is_ascii() {
            result.push(c);
        } else if let Some(&(_, name, _)) = SYMBOLS.iter().find(|(symbol, ..)| *symbol == c) {
            result.push_str(name);
        } else if let Some(name) = find(PLAIN, c) {
            result.push_str(name);
        } else {
            result.extend(c.escape_unicode());
        }
        i += 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_forms() {
        for (text, plain) in [
            ("Lip₂(F) ≤ 8√2 + 7", "Lip_2(F) <= 8sqrt 2 + 7"),
            ("2⁻¹² · π²", "2^-12 * pi^2"),
            ("2⁻²ᵐ⁻³, aᵢⱼ", "2^(-2m-3), a_(ij)"),
            ("x₁² → ∞", "x_1^2 -> inf"),
            ("Erdős 漢", "Erd\\u{151}s \\u{6f22}"),
            ("269\u{a0}322", "269 322"),
            ("plain", "plain"),
        ] {
            assert_eq!(ascii(text), plain);
            assert!(ascii(text).is_ascii());
        }
        assert_eq!(superscript(120), "¹²⁰");
    }

    #[test]
    fn no_symbol_twice() {
        let mut all: Vec<char> = SYMBOLS.iter().map(|s| s.0).collect();
        all.extend(RAISED.iter().chain(LOWERED).map(|s| s.0));
        all.extend(PLAIN.iter().map(|s| s.0));
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
