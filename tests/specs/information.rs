//! What a certificate has to hold: its numbers in binary, and its statements as short as they can be written, each once.
//!
//! Counted are, of numbers of witnesses, objects, facts and bounds, the bits of `p` and `q`, or of `m` and `e`, with their signs; what the side
//! file takes; of each step its quantity and its theorem with the arguments, of each claim its name, statement, assumptions and
//! conditions, of each definition its text, printed without blanks and parentheses around sums and products; the operations of architectures and
//! names of objects; the points beside inverses; 32 bytes for each SHA-256; title and file names; texts of the user's own theorems. Not counted are keys, quotes, brackets,
//! and decimal digits beyond the bits that they stand for.

use supremum::kernel::certificate::Json;

/// The frame of every certificate: format, version, the names of its parts, the ledger's and the spec's fields.
pub const FRAME: usize = 384;

/// Bytes of information in a certificate.
pub fn of(text: &[u8], side: &[u8]) -> usize {
    let root = Json::parse(text).expect("a certificate");
    let entries = |part: &str| entries(field(&root, part));
    let mut bits = 0;
    let mut bytes = side.len() + 32 * (1 + usize::from(!side.is_empty()));
    for (_, step) in entries("steps") {
        let theorem = printed(field(step, "theorem"));
        let arguments: usize = self::entries(field(step, "bindings")).iter().map(|(_, t)| printed(t).len() + 1).sum();
        bytes += theorem.len() + arguments + printed(field(step, "of")).len() + printed(field(step, "subject")).len();
        bits += numbers(field(step, "witness"));
    }
    for (_, claim) in entries("claims") {
        bytes += ["name", "statement"].map(|key| printed(field(claim, key)).len()).iter().sum::<usize>();
        for (_, line) in ["assumptions", "undischarged"].into_iter().flat_map(|key| self::entries(field(claim, key))) {
            bytes += printed(line).len();
        }
        bits += ["derivation", "high", "low", "spent", "failure"]
            .map(|key| numbers(field(claim, key)))
            .iter()
            .sum::<usize>();
    }
    for (_, point) in entries("points") {
        bytes += self::entries(field(point, "inverse")).first().map_or(0, |(_, head)| printed(head).len());
        bits += numbers(point);
    }
    for (name, entry) in entries("objects") {
        let is = field(entry, "is");
        let architecture = field(is, "architecture");
        bytes += name.len() + printed(field(architecture, "input")).len();
        bytes += self::entries(field(architecture, "nodes")).iter().map(|(_, node)| printed(node).len()).sum::<usize>();
        bits +=
            self::entries(is).iter().filter(|(key, _)| key != "architecture").map(|(_, v)| numbers(v)).sum::<usize>();
    }
    for (name, definition) in entries("definitions") {
        bytes +=
            name.len() + ["body", "parameters"].map(|key| printed(field(definition, key)).len()).iter().sum::<usize>();
    }
    for (_, theorem) in entries("theorems") {
        bytes += 32 + printed(field(theorem, "text")).len();
    }
    for (_, file) in entries("files") {
        bytes += 32 + printed(field(file, "path")).len();
    }
    let spec = field(&root, "spec");
    bytes += printed(field(spec, "title")).len() + printed(field(spec, "file")).len();
    bytes + bits.div_ceil(8)
}

/// Null where a map has no such field.
fn field<'j>(json: &'j Json, key: &str) -> &'j Json {
    match json {
        Json::Map(map) => map.get(key).unwrap_or(&Json::Null),
        _ => &Json::Null,
    }
}

fn entries(json: &Json) -> Vec<(String, &Json)> {
    match json {
        Json::Map(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Json::List(list) => list.iter().map(|value| (String::new(), value)).collect(),
        _ => Vec::new(),
    }
}

/// Bits of the numbers at and below a value.
fn numbers(json: &Json) -> usize {
    let length = |digits: &str| {
        let n = digits.trim_start_matches('-').parse::<num_bigint::BigUint>().ok()?;
        Some(n.bits().max(1) as usize + 1)
    };
    match json {
        Json::Integer(n) => 65 - n.max(&1).leading_zeros() as usize,
        Json::Text(text) => text.replace("*2^", "/").split('/').map(length).sum::<Option<usize>>().unwrap_or(0),
        other => entries(other).iter().map(|(_, value)| numbers(value)).sum(),
    }
}

/// A term or formula as short as it can be read.
fn printed(json: &Json) -> String {
    match json {
        Json::Null => String::new(),
        Json::Truth(value) => value.to_string(),
        Json::Integer(n) => n.to_string(),
        Json::Text(text) => text.clone(),
        Json::Map(map) => map.values().map(printed).collect::<Vec<_>>().join(","),
        Json::List(list) => {
            let Some((Json::Text(head), rest)) = list.split_first() else {
                return list.iter().map(printed).collect::<Vec<_>>().join(",");
            };
            let rest: Vec<String> = rest.iter().map(printed).collect();
            match head.as_str() {
                "+" | "*" | "/" | "^" | "<=" | "<" | ">=" | ">" | "=" => rest.join(head),
                "and" => rest.join(" and "),
                "-" => format!("-{}", rest.concat()),
                _ => format!("{head}({})", rest.join(",")),
            }
        }
    }
}
