//! JSON without its traps. Trust: kernel.
//!
//! Values are texts, integers `0..2^53`, truth values, `null`, lists and maps; a fraction, an exponent, a negative number or a key that
//! occurs twice is refused. There is one spelling: keys are sorted; the lists and maps of the first two levels are broken, each entry on a
//! line of its own; nothing else is broken, and no blank stands outside a text. The reader accepts this spelling only, so it needs neither
//! the whole value nor a second copy of the text to see that a text is canonical.

use super::{COUNT_LIMIT, Reason, Refusal, VALUE_LIMIT};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// Larger integers are texts.
const INTEGER_LIMIT: u64 = 1 << 53;
/// Deepest nesting.
const DEPTH_LIMIT: usize = 127;
/// Lists and maps of these levels stand on several lines: the certificate and its parts.
const BROKEN: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    Null,
    Truth(bool),
    Integer(u64),
    Text(String),
    List(Vec<Json>),
    Map(BTreeMap<String, Json>),
}

/// A position in a text.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// How many values the current entry has so far.
    values: usize,
}

impl<'t> Reader<'t> {
    fn new(bytes: &'t [u8]) -> Result<Reader<'t>, Refusal> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Reader { text, at: 0, values: 0 }),
            Err(error) => Err(Refusal::new(Reason::Malformed, format!("expected UTF-8: {error}"))),
        }
    }

    fn refuse<T>(&self, reason: Reason, text: &str) -> Result<T, Refusal> {
        let line = self.text.as_bytes().iter().take(self.at).filter(|byte| **byte == b'\n').count() + 1;
        Err(Refusal::new(reason, format!("line {line}: {text}")))
    }

    /// A refusal where something else was expected: the text ends, or is spelled otherwise, or is no JSON.
    fn wrong<T>(&self, expected: &str) -> Result<T, Refusal> {
        match self.peek() {
            None => self.refuse(Reason::Truncated, "expected a whole certificate, found its end"),
            Some(b' ' | b'\t' | b'\r' | b'\n') => self.refuse(
                Reason::Spelling,
                "expected the canonical spelling (sorted keys, fixed line breaks, no blanks), found another",
            ),
            Some(_) => {
                let found: String = self.text.get(self.at..).unwrap_or("").chars().take(20).collect();
                self.refuse(Reason::Malformed, &format!("expected {expected}, found `{found}`"))
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Whether the text goes on so; then it is passed.
    fn passes(&mut self, word: &str) -> bool {
        let passes = self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        if passes {
            self.at += word.len();
        }
        passes
    }

    fn take(&mut self, word: &str, expected: &str) -> Result<(), Refusal> {
        if self.passes(word) { Ok(()) } else { self.wrong(expected) }
    }

    fn end(&self) -> Result<(), Refusal> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.refuse(Reason::Trailing, "expected the end of the certificate, found more"),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, Refusal> {
        self.values += 1;
        if self.values > VALUE_LIMIT {
            return self.refuse(Reason::Limit, &format!("expected at most {VALUE_LIMIT} values in one entry"));
        }
        match self.peek() {
            Some(b'[') => {
                let mut list = Vec::new();
                self.entries(depth, ["[", "]"], |reader| {
                    list.push(reader.value(depth + 1)?);
                    Ok(())
                })?;
                Ok(Json::List(list))
            }
            Some(b'{') => {
                let mut map = BTreeMap::new();
                self.keyed(depth, |reader, key| {
                    map.insert(key, reader.value(depth + 1)?);
                    Ok(())
                })?;
                Ok(Json::Map(map))
            }
            Some(b'"') => Ok(Json::Text(self.quoted()?)),
            Some(b'0'..=b'9') => self.integer(),
            _ if self.passes("null") => Ok(Json::Null),
            _ if self.passes("true") => Ok(Json::Truth(true)),
            _ if self.passes("false") => Ok(Json::Truth(false)),
            _ => self.wrong("a text, an integer from 0 to 2^53, a truth value, null, a list or a map"),
        }
    }

    /// Everything between two brackets, entry by entry.
    fn entries(
        &mut self,
        depth: usize,
        [open, close]: [&str; 2],
        mut entry: impl FnMut(&mut Self) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        if depth >= DEPTH_LIMIT {
            return self.refuse(Reason::Limit, &format!("expected nesting up to {DEPTH_LIMIT}, found deeper"));
        }
        self.take(open, "a bracket")?;
        if self.passes(close) {
            return Ok(());
        }
        loop {
            self.line(depth)?;
            entry(self)?;
            if !self.passes(",") {
                break;
            }
        }
        self.line(depth)?;
        self.take(close, &format!("`,` or `{close}`"))
    }

    /// The line break before and after the entries of the first levels.
    fn line(&mut self, depth: usize) -> Result<(), Refusal> {
        if depth >= BROKEN || self.passes("\n") {
            return Ok(());
        }
        match self.peek() {
            None => self.wrong("a line break"),
            Some(_) => self.refuse(Reason::Spelling, "expected the canonical spelling, with a line break here"),
        }
    }

    /// The entries of a map, whose keys rise.
    fn keyed(
        &mut self,
        depth: usize,
        mut entry: impl FnMut(&mut Self, String) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let mut last: Option<String> = None;
        self.entries(depth, ["{", "}"], |reader| {
            let key = reader.quoted()?;
            match &last {
                Some(last) if *last == key => {
                    let text = format!("expected every key once, found a second `{key}`");
                    return reader.refuse(Reason::DuplicateKey, &text);
                }
                Some(last) if *last > key => {
                    let text = format!("expected the canonical spelling (sorted keys), found `{key}` after `{last}`");
                    return reader.refuse(Reason::Spelling, &text);
                }
                _ => last = Some(key.clone()),
            }
            reader.take(":", "`:`")?;
            entry(reader, key)
        })
    }

    fn integer(&mut self) -> Result<Json, Refusal> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = &self.text[start..self.at];
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return self.refuse(Reason::Malformed, "expected an integer, found a floating point number");
        }
        if digits.len() > 1 && digits.starts_with('0') {
            return self
                .refuse(Reason::Malformed, &format!("expected an integer without leading zeros, found {digits}"));
        }
        match digits.parse() {
            Ok(n) if n < INTEGER_LIMIT => Ok(Json::Integer(n)),
            _ => self.refuse(Reason::Malformed, "expected an integer below 2^53, found a larger one"),
        }
    }

    /// A text between quotes. Its escapes are those that [`quote`] writes.
    fn quoted(&mut self) -> Result<String, Refusal> {
        let start = self.at;
        self.take("\"", "a text")?;
        let mut value = String::new();
        loop {
            let Some(c) = self.text[self.at..].chars().next() else { return self.wrong("a text") };
            self.at += c.len_utf8();
            match c {
                '"' => break,
                '\\' => value.push(self.escaped()?),
                c => value.push(c),
            }
        }
        let mut canonical = String::new();
        quote(&mut canonical, &value);
        if canonical == self.text[start..self.at] {
            return Ok(value);
        }
        self.refuse(Reason::Spelling, "expected the canonical spelling of a text, found other escapes")
    }

    fn escaped(&mut self) -> Result<char, Refusal> {
        let known = [
            ("\"", '"'),
            ("\\", '\\'),
            ("n", '\n'),
            ("/", '/'),
            ("t", '\t'),
            ("r", '\r'),
            ("b", '\u{8}'),
            ("f", '\u{c}'),
        ];
        if let Some((_, c)) = known.iter().find(|(word, _)| self.passes(word)) {
            return Ok(*c);
        }
        let digits = self.text.get(self.at + 1..self.at + 5).filter(|_| self.peek() == Some(b'u'));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32) {
            Some(c) => {
                self.at += 5;
                Ok(c)
            }
            None => self.wrong("an escape"),
        }
    }
}

/// A part of a certificate and where its entries stand.
struct Part {
    whole: Range<usize>,
    /// The entries' keys (none in a list), and places. Empty for what is neither a list nor a map.
    entries: Vec<(String, Range<usize>)>,
}

/// A canonical text, read one entry at a time: only the places of the entries are kept beside the text itself.
pub struct Document {
    bytes: Vec<u8>,
    parts: BTreeMap<String, Part>,
}

impl Document {
    /// Errors: the text is no JSON, ends early, goes on, nests too deeply, repeats a key, has another spelling, or too many entries.
    pub fn parse(bytes: Vec<u8>) -> Result<Document, Refusal> {
        let mut parts = BTreeMap::new();
        let mut reader = Reader::new(&bytes)?;
        if reader.peek() == Some(b'[') {
            reader.value(0)?;
            return reader.refuse(Reason::Version, "expected a map, found a list");
        }
        reader.keyed(0, |reader, key| {
            let start = reader.at;
            let mut entries = Vec::new();
            let mut add = |reader: &mut Reader, name: String, start: usize| {
                reader.values = 0;
                if entries.len() == COUNT_LIMIT {
                    return reader.refuse(Reason::Limit, &format!("{key}: expected at most {COUNT_LIMIT} entries"));
                }
                entries.push((name, start..reader.at));
                Ok(())
            };
            match reader.peek() {
                Some(b'[') => reader.entries(1, ["[", "]"], |reader| {
                    let start = reader.at;
                    reader.value(2)?;
                    add(reader, String::new(), start)
                })?,
                Some(b'{') => reader.keyed(1, |reader, name| {
                    let start = reader.at;
                    reader.value(2)?;
                    add(reader, name, start)
                })?,
                _ => drop(reader.value(1)?),
            }
            parts.insert(key, Part { whole: start..reader.at, entries });
            Ok(())
        })?;
        reader.take("\n", "a line break at the end")?;
        reader.end()?;
        Ok(Document { bytes, parts })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The keys of the outermost map.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.parts.keys().map(String::as_str)
    }

    /// A part as a whole; null where there is none.
    pub fn whole(&self, part: &str) -> Result<Json, Refusal> {
        self.parts.get(part).map_or(Ok(Json::Null), |part| self.slice(&part.whole, 1))
    }

    pub fn count(&self, part: &str) -> usize {
        self.parts.get(part).map_or(0, |part| part.entries.len())
    }

    /// An entry of a part and its key. Errors: there is none of this number.
    pub fn entry(&self, part: &str, number: usize) -> Result<(&str, Json), Refusal> {
        match self.parts.get(part).and_then(|part| part.entries.get(number)) {
            Some((key, range)) => Ok((key, self.slice(range, 2)?)),
            None => Err(Refusal::new(
                Reason::Order,
                format!("expected one of {} {part}, found number {number}", self.count(part)),
            )),
        }
    }

    fn slice(&self, range: &Range<usize>, depth: usize) -> Result<Json, Refusal> {
        Reader::new(self.bytes.get(range.clone()).unwrap_or_default())?.value(depth)
    }
}

impl Json {
    /// Reads a whole text.
    pub fn parse(bytes: &[u8]) -> Result<Json, Refusal> {
        let mut reader = Reader::new(bytes)?;
        let json = reader.value(0)?;
        reader.take("\n", "a line break at the end")?;
        reader.end()?;
        Ok(json)
    }

    /// The canonical spelling, with a line break at its end.
    pub fn render(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, 0);
        text.push('\n');
        text
    }

    fn write(&self, text: &mut String, depth: usize) {
        let line = if depth < BROKEN { "\n" } else { "" };
        let separate = |text: &mut String, i: usize| {
            text.push_str(if i > 0 { "," } else { "" });
            text.push_str(line);
        };
        match self {
            Json::Null => text.push_str("null"),
            Json::Truth(value) => text.push_str(if *value { "true" } else { "false" }),
            Json::Integer(n) => text.push_str(&n.to_string()),
            Json::Text(value) => quote(text, value),
            Json::List(list) => {
                text.push('[');
                for (i, item) in list.iter().enumerate() {
                    separate(text, i);
                    item.write(text, depth + 1);
                }
                text.push_str(if list.is_empty() { "" } else { line });
                text.push(']');
            }
            Json::Map(map) => {
                text.push('{');
                for (i, (key, value)) in map.iter().enumerate() {
                    separate(text, i);
                    quote(text, key);
                    text.push(':');
                    value.write(text, depth + 1);
                }
                text.push_str(if map.is_empty() { "" } else { line });
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

/// A value and where it stands, for messages.
#[derive(Clone)]
pub struct Field<'j> {
    json: &'j Json,
    place: String,
}

impl<'j> Field<'j> {
    pub fn new(json: &'j Json, place: impl Into<String>) -> Field<'j> {
        Field { json, place: place.into() }
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

    /// The first entry of a list.
    pub fn first(&self) -> Option<Field<'j>> {
        match self.json {
            Json::List(list) => list.first().map(|json| Field { json, place: format!("{}[0]", self.place) }),
            _ => None,
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
        self.record(keys, []).map(|(fields, [])| fields)
    }

    /// The values of a map that has the first keys and may have the others. What would be null or empty is left out.
    pub fn record<const N: usize, const M: usize>(
        &self,
        keys: [&str; N],
        optional: [&str; M],
    ) -> Result<([Field<'j>; N], [Option<Field<'j>>; M]), Refusal> {
        let Json::Map(map) = self.json else { return self.wrong("a map") };
        let is_known = |key: &&String| keys.contains(&key.as_str()) || optional.contains(&key.as_str());
        if let Some(key) = map.keys().find(|key| !is_known(key)) {
            let known = [keys.as_slice(), optional.as_slice()].concat().join(", ");
            return self.refuse(Reason::Field, format!("expected only {known}, found `{key}`"));
        }
        if let Some(key) = keys.iter().find(|key| !map.contains_key(**key)) {
            return self.refuse(Reason::Field, format!("expected a field `{key}`, found none"));
        }
        let is_nothing = |json: &Json| match json {
            Json::Null => true,
            Json::List(list) => list.is_empty(),
            Json::Map(map) => map.is_empty(),
            _ => false,
        };
        if let Some(key) = optional.iter().find(|key| map.get(**key).is_some_and(is_nothing)) {
            return self.refuse(Reason::Spelling, format!("expected no field `{key}` where there is nothing to say"));
        }
        let fields = keys.map(|key| self.inner(key, map.get(key).unwrap_or(&Json::Null)));
        Ok((fields, optional.map(|key| self.find(key))))
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
