//! JSON without its traps. Trust: kernel.
//!
//! Values are texts, integers `0..2^53`, truth values, `null`, lists and maps; a fraction, an exponent, a negative number or a key that
//! occurs twice is refused. Depth is limited by the parser. The canonical spelling sorts the keys of a map, breaks a map or a
//! list that contains a map over lines indented by one blank per level, and puts everything else on one line.

use super::{Reason, Refusal};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// Larger integers are texts.
const INTEGER_LIMIT: u64 = 1 << 53;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    Null,
    Truth(bool),
    Integer(u64),
    Text(String),
    List(Vec<Json>),
    Map(BTreeMap<String, Json>),
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a text, an integer from 0 to 2^53, a truth value, null, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Truth(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        if value < INTEGER_LIMIT { Ok(Json::Integer(value)) } else { Err(E::custom("expected an integer below 2^53")) }
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, value)) = entries.next_entry::<String, Json>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("{DUPLICATE} `{key}`")));
            }
            map.insert(key, value);
        }
        Ok(Json::Map(map))
    }
}

/// The message by which a repeated key is told from other errors of the parser.
const DUPLICATE: &str = "expected every key once, found a second";

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

impl Json {
    /// Reads a whole text. Errors: it is no JSON, ends early, goes on, nests too deeply, repeats a key, or has another spelling.
    pub fn parse(bytes: &[u8]) -> Result<Json, Refusal> {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let json = Json::deserialize(&mut deserializer).map_err(|error| refusal(&error))?;
        deserializer.end().map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            Refusal::new(Reason::Trailing, format!("{place}: expected the end of the certificate, found more"))
        })?;
        let canonical = json.render();
        if canonical.as_bytes() != bytes {
            let line = canonical.as_bytes().split(|b| *b == b'\n').zip(bytes.split(|b| *b == b'\n'));
            let line = line.take_while(|(a, b)| a == b).count() + 1;
            let text =
                format!("line {line}: expected the canonical spelling (sorted keys, fixed line breaks), found another");
            return Err(Refusal::new(Reason::Spelling, text));
        }
        Ok(json)
    }

    /// The canonical spelling, with a line break at its end.
    pub fn render(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, 0);
        text.push('\n');
        text
    }

    fn is_broken(&self) -> bool {
        match self {
            Json::Map(map) => !map.is_empty(),
            Json::List(list) => list.iter().any(Json::is_broken),
            _ => false,
        }
    }

    fn write(&self, text: &mut String, depth: usize) {
        let line = |text: &mut String, depth: usize| {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', depth));
        };
        match self {
            Json::Null => text.push_str("null"),
            Json::Truth(value) => text.push_str(if *value { "true" } else { "false" }),
            Json::Integer(n) => text.push_str(&n.to_string()),
            Json::Text(value) => quote(text, value),
            Json::List(list) => {
                let broken = self.is_broken();
                text.push('[');
                for (i, item) in list.iter().enumerate() {
                    if i > 0 {
                        text.push_str(if broken { "," } else { ", " });
                    }
                    if broken {
                        line(text, depth + 1);
                    }
                    item.write(text, depth + 1);
                }
                if broken {
                    line(text, depth);
                }
                text.push(']');
            }
            Json::Map(map) => {
                text.push('{');
                for (i, (key, value)) in map.iter().enumerate() {
                    if i > 0 {
                        text.push(',');
                    }
                    line(text, depth + 1);
                    quote(text, key);
                    text.push_str(": ");
                    value.write(text, depth + 1);
                }
                if !map.is_empty() {
                    line(text, depth);
                }
                text.push('}');
            }
        }
    }
}

/// Escapes quotes, backslashes and control characters, and nothing else.
fn quote(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            c if c.is_control() => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
}

fn refusal(error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    let reason = if error.is_eof() {
        Reason::Truncated
    } else if text.contains(DUPLICATE) {
        Reason::DuplicateKey
    } else if text.contains("recursion limit") {
        Reason::Limit
    } else {
        Reason::Malformed
    };
    let text = match reason {
        Reason::Limit => {
            format!("expected nesting up to 127, found deeper (line {}, column {})", error.line(), error.column())
        }
        Reason::Truncated => format!("expected a whole certificate, found its end at line {}", error.line()),
        _ => text,
    };
    Refusal::new(reason, text)
}

/// A value and where it stands, for messages.
#[derive(Clone)]
pub struct Field<'j> {
    json: &'j Json,
    place: String,
}

impl<'j> Field<'j> {
    pub fn root(json: &'j Json) -> Field<'j> {
        Field { json, place: String::new() }
    }

    pub fn place(&self) -> &str {
        &self.place
    }

    /// A refusal at this place.
    pub fn refuse<T>(&self, reason: Reason, text: impl fmt::Display) -> Result<T, Refusal> {
        let place = if self.place.is_empty() { "the certificate" } else { &self.place };
        Err(Refusal::new(reason, format!("{place}: {text}")))
    }

    fn wrong<T>(&self, expected: &str) -> Result<T, Refusal> {
        let found = match self.json {
            Json::Null => "null".to_string(),
            Json::Truth(value) => value.to_string(),
            Json::Integer(n) => n.to_string(),
            Json::Text(text) => format!("`{}`", text.chars().take(60).collect::<String>()),
            Json::List(list) => format!("a list of {}", list.len()),
            Json::Map(_) => "a map".to_string(),
        };
        self.refuse(Reason::Field, format!("expected {expected}, found {found}"))
    }

    pub fn is_null(&self) -> bool {
        *self.json == Json::Null
    }

    pub fn is_text(&self) -> bool {
        matches!(self.json, Json::Text(_))
    }

    pub fn is_map(&self) -> bool {
        matches!(self.json, Json::Map(_))
    }

    pub fn text(&self) -> Result<&'j str, Refusal> {
        match self.json {
            Json::Text(text) => Ok(text),
            _ => self.wrong("a text"),
        }
    }

    pub fn truth(&self) -> Result<bool, Refusal> {
        match self.json {
            Json::Truth(value) => Ok(*value),
            _ => self.wrong("true or false"),
        }
    }

    pub fn natural(&self) -> Result<usize, Refusal> {
        match self.json {
            Json::Integer(n) => usize::try_from(*n).or_else(|_| self.wrong("a smaller integer")),
            _ => self.wrong("an integer"),
        }
    }

    pub fn list(&self) -> Result<Vec<Field<'j>>, Refusal> {
        match self.json {
            Json::List(list) => Ok(list
                .iter()
                .enumerate()
                .map(|(i, json)| Field { json, place: format!("{}[{i}]", self.place) })
                .collect()),
            _ => self.wrong("a list"),
        }
    }

    /// The entries of a map whose keys are names.
    pub fn entries(&self) -> Result<Vec<(&'j str, Field<'j>)>, Refusal> {
        match self.json {
            Json::Map(map) => Ok(map.iter().map(|(key, json)| (key.as_str(), self.inner(key, json))).collect()),
            _ => self.wrong("a map"),
        }
    }

    fn inner(&self, key: &str, json: &'j Json) -> Field<'j> {
        let dot = if self.place.is_empty() { "" } else { "." };
        Field { json, place: format!("{}{dot}{key}", self.place) }
    }

    /// The values of a map that has exactly these keys.
    pub fn fields<const N: usize>(&self, keys: [&str; N]) -> Result<[Field<'j>; N], Refusal> {
        let Json::Map(map) = self.json else { return self.wrong("a map") };
        if let Some(key) = map.keys().find(|key| !keys.contains(&key.as_str())) {
            return self.refuse(Reason::Field, format!("expected only {}, found `{key}`", keys.join(", ")));
        }
        if let Some(key) = keys.iter().find(|key| !map.contains_key(**key)) {
            return self.refuse(Reason::Field, format!("expected a field `{key}`, found none"));
        }
        Ok(keys.map(|key| self.inner(key, map.get(key).unwrap_or(&Json::Null))))
    }

    /// The value of one key, where the map has it.
    pub fn find(&self, key: &str) -> Option<Field<'j>> {
        match self.json {
            Json::Map(map) => map.get(key).map(|json| self.inner(key, json)),
            _ => None,
        }
    }

    /// The values of a list of exactly this length.
    pub fn tuple<const N: usize>(&self) -> Result<[Field<'j>; N], Refusal> {
        let list = self.list()?;
        let found = list.len();
        list.try_into().or_else(|_| self.refuse(Reason::Field, format!("expected a list of {N}, found {found}")))
    }
}
