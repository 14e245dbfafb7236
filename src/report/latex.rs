//! Text for LaTeX. Whatever comes in, what goes out typesets as that text and nothing else.

use super::layout::clean;
use super::symbols::{latex_math, lowered, raised};

/// The text with every special character escaped, in the form for text mode. It needs no package: pdfLaTeX, XeLaTeX and LuaLaTeX take it.
/// A character that they may not know is printed by its number.
pub fn escape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    // Consecutive symbols share one pair of dollars.
    let mut math = String::new();
    let flush = |math: &mut String, result: &mut String| {
        if !math.is_empty() {
            result.push('$');
            result.push_str(math.trim_end());
            result.push('$');
            math.clear();
        }
    };
    let text: Vec<char> = clean(text).chars().collect();
    let mut i = 0;
    while let Some(&c) = text.get(i) {
        let script =
            |table: fn(char) -> Option<char>| -> String { text[i..].iter().map_while(|&c| table(c)).collect() };
        let (above, below) = (script(raised), script(lowered));
        if !above.is_empty() {
            // A script after a script needs a base of its own: x_1^{2} is fine, x^{2}^{3} is not.
            math.push_str(&format!("{{}}^{{{above}}}"));
            i += above.chars().count();
            continue;
        }
        if !below.is_empty() {
            math.push_str(&format!("{{}}_{{{below}}}"));
            i += below.chars().count();
            continue;
        }
        if let Some(symbol) = latex_math(c) {
            math.push_str(symbol);
            i += 1;
            continue;
        }
        flush(&mut math, &mut result);
        let before = i.checked_sub(1).and_then(|j| text.get(j)).copied();
        let after = text.get(i + 1).copied();
        match c {
            '<' | '>' if after == Some('=') => {
                result.push_str(if c == '<' { r"$\le$" } else { r"$\ge$" });
                i += 1;
            }
            '\\' => result.push_str(r"\textbackslash{}"),
            '^' => result.push_str(r"\textasciicircum{}"),
            '~' => result.push_str(r"\textasciitilde{}"),
            '{' | '}' | '$' | '&' | '#' | '%' | '_' => {
                result.push('\\');
                result.push(c);
            }
            '<' | '>' | '|' => {
                result.push('$');
                result.push_str(if c == '|' {
                    r"\vert"
                } else if c == '<' {
                    "<"
                } else {
                    ">"
                });
                result.push('$');
            }
            // Braced: no ligature, no option after `\\`, no shorthand of babel.
            '"' => result.push_str(r"{\char34}"),
            '`' | '[' | ']' | '*' => result.push_str(&format!("{{{c}}}")),
            '\'' | ',' if before == Some(c) => result.push_str(&format!("{{{c}}}")),
            // The minus of a number, not a hyphen; and never the ligature of a dash.
            '-' if after.is_some_and(|c| c.is_ascii_digit()) && !before.is_some_and(char::is_alphanumeric) => {
                result.push_str("$-$");
            }
            '-' if before == Some('-') => result.push_str("{-}"),
            '\u{a0}' => result.push('~'),
            '\u{2009}' | '\u{202f}' => result.push_str(r"\,"),
            '–' => result.push_str("--"),
            '—' => result.push_str("---"),
            c if c.is_ascii() || known(c) => result.push(c),
            c => result.push_str(&format!("\\texttt{{U+{:04X}}}", u32::from(c))),
        }
        i += 1;
    }
    flush(&mut math, &mut result);
    result
}

/// Accented Latin letters that every LaTeX since 2018 typesets without a package.
fn known(c: char) -> bool {
    matches!(c, 'À'..='Ï' | 'Ñ'..='Ö' | 'Ø'..='Ý' | 'ß'..='ï' | 'ñ'..='ö' | 'ø'..='ý' | 'ÿ')
        || "ĂăĆćČčĎďĚěĞğİıŁłŃńŇňŐőŒœŘřŚśŞşŠšŤťŮůŰűŸŹźŻżŽž".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn specials_are_escaped() {
        for (text, latex) in [
            ("<= 7344 < x >= 1", r"$\le$ 7344 $<$ x $\ge$ 1"),
            (r"\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
            ("%_&", r"\%\_\&"),
            ("$x^2~#", r"\$x\textasciicircum{}2\textasciitilde{}\#"),
            ("[1]*", "{[}1{]}{*}"),
            ("?` ,, ''", "?{`} ,{,} '{'}"),
            ("a--b -3 x-3", "a-{-}b $-$3 x-3"),
            ("2⁻¹² ≤ π²", r"2${}^{-12}$ $\le$ $\pi {}^{2}$"),
            ("Erdős, Szegő", "Erdős, Szegő"),
            ("漢", r"\texttt{U+6F22}"),
            ("a\nb\u{7}", r"a b\textbackslash{}u\{7\}"),
            ("269\u{a0}322", "269~322"),
        ] {
            assert_eq!(escape(text), latex);
        }
    }

    proptest! {
        #[test]
        fn no_command_but_ours(text in "[\\\\{}$&#%_^~a-c \\[\\]*-]{0,30}") {
            let mut rest = escape(&text);
            for ours in [
                r"\textbackslash{}", r"\textasciicircum{}", r"\textasciitilde{}", "$-$", r"\{", r"\}", r"\$", r"\&", r"\#", r"\%", r"\_",
                "{[}", "{]}", "{*}", "{-}",
            ] {
                rest = rest.replace(ours, " ");
            }
            prop_assert!(!rest.contains(['\\', '{', '}', '$', '&', '#', '%', '_', '^', '~']), "{rest}");
        }
    }
}
