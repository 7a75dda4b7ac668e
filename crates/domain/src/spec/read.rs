//! YAML or JSON text becomes a JSON value, and each field remembers where it stands.
//!
//! Refused: more than a MiB, deep nesting, aliases that unfold to very much, duplicate keys, keys that are no text, tags,
//! several documents. Nothing is guessed beyond the YAML 1.2 core schema: `no` is text, `1.30` is a number.

use std::{collections::HashMap, rc::Rc};

use saphyr_parser::{Event, Marker, Parser, ScanError, Span};
use serde_json::{Map, Value};

use super::{
    budget::{Budget, Excess, MAX_DEPTH, TOO_DEEP},
    place::{Place, Places, Position, field, item},
    problem::Finding,
    spelling::{join_surrogates, scalar},
};

/// Largest document.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;

/// A document as it is written.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) value: Value,
    pub(super) places: Places,
}

/// Why a text is no document, and where.
#[derive(Debug)]
pub(super) struct ReadError {
    pub(super) findings: Vec<Finding>,
    pub(super) places: Places,
}

/// Reads a text.
pub(super) fn read(text: &str) -> Result<Source, ReadError> {
    if text.len() > MAX_DOCUMENT_BYTES {
        let message = format!("the document has {} bytes", text.len());
        return Err(ReadError::at(Position { line: 1, column: 1 }, message, Some("at most 1 MiB")));
    }
    let text = join_surrogates(text);
    let mut reader = Reader { parser: Parser::new_from_str(&text), anchors: HashMap::new() };
    let root = reader.document()?;
    let mut unfolding = Unfolding::default();
    let value = unfolding.value(String::new(), None, &root)?;
    if unfolding.findings.is_empty() {
        Ok(Source { value, places: unfolding.places })
    } else {
        Err(ReadError { findings: unfolding.findings, places: unfolding.places })
    }
}

impl ReadError {
    fn at(position: Position, message: impl Into<String>, allowed: Option<&str>) -> Self {
        let mut places = Places::default();
        places.insert(String::new(), Place { key: None, value: position, text: None });
        let mut finding = Finding::new("", message);
        finding.allowed = allowed.map(str::to_owned);
        Self { findings: vec![finding], places }
    }

    fn excess(position: Position, excess: &Excess) -> Self {
        Self::at(position, excess.message, Some(excess.allowed))
    }
}

impl From<ScanError> for ReadError {
    fn from(error: ScanError) -> Self {
        Self::at(position(error.marker()), format!("not valid YAML: {}", error.info()), None)
    }
}

#[derive(Debug)]
struct Node {
    position: Position,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Scalar { value: Value, text: String },
    List(Vec<Rc<Node>>),
    Object(Vec<(Key, Rc<Node>)>),
}

#[derive(Debug)]
struct Key {
    position: Position,
    text: String,
    is_text: bool,
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    anchors: HashMap<usize, Rc<Node>>,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Rc<Node>, ReadError> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                Event::Alias(_)
                | Event::Scalar(..)
                | Event::SequenceStart(..)
                | Event::SequenceEnd
                | Event::MappingStart(..)
                | Event::MappingEnd => {
                    if root.is_some() {
                        let allowed = Some("one document in a file");
                        return Err(ReadError::at(
                            position(&span.start),
                            "a second document begins here",
                            allowed,
                        ));
                    }
                    root = Some(self.node(event, span, 0)?);
                }
            }
        }
        root.ok_or_else(|| ReadError::at(Position { line: 1, column: 1 }, "the document is empty", None))
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), ReadError> {
        Ok(self.parser.next_event().unwrap_or_else(|| {
            let end = Marker::new(0, 1, 0);
            Ok((Event::StreamEnd, Span::empty(end)))
        })?)
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Rc<Node>, ReadError> {
        let start = position(&span.start);
        if depth > MAX_DEPTH {
            return Err(ReadError::excess(start, &TOO_DEEP));
        }
        let (anchor, tag, content) = match event {
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).cloned();
                return target
                    .ok_or_else(|| ReadError::at(start, "an alias inside of what it stands for", None));
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(&text, style);
                (anchor, tag, Content::Scalar { value, text: text.into_owned() })
            }
            Event::SequenceStart(anchor, tag) => (anchor, tag, Content::List(self.list(depth)?)),
            Event::MappingStart(anchor, tag) => (anchor, tag, Content::Object(self.object(depth)?)),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => return Err(ReadError::at(start, "the document ends too early", None)),
        };
        if let Some(tag) = tag {
            let message = format!("the tag {tag} is not supported");
            return Err(ReadError::at(start, message, Some("plain values")));
        }
        let node = Rc::new(Node { position: start, content });
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Rc<Node>>, ReadError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(items);
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn object(&mut self, depth: usize) -> Result<Vec<(Key, Rc<Node>)>, ReadError> {
        let mut fields = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(fields);
            }
            let key = self.key(event, span, depth)?;
            let (event, span) = self.next()?;
            fields.push((key, self.node(event, span, depth + 1)?));
        }
    }

    fn key(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Key, ReadError> {
        let node = self.node(event, span, depth + 1)?;
        match &node.content {
            Content::Scalar { value, text } => {
                Ok(Key { position: node.position, text: text.clone(), is_text: value.is_string() })
            }
            Content::List(_) | Content::Object(_) => {
                Err(ReadError::at(node.position, "a key that is a list or an object", Some("text")))
            }
        }
    }
}

#[derive(Default)]
struct Unfolding {
    budget: Budget,
    places: Places,
    findings: Vec<Finding>,
}

impl Unfolding {
    fn value(&mut self, path: String, key: Option<Position>, node: &Node) -> Result<Value, ReadError> {
        let text = match &node.content {
            Content::Scalar { text, .. } => Some(text),
            Content::List(_) | Content::Object(_) => None,
        };
        self.budget
            .value(path.len(), text.map_or(0, String::len))
            .map_err(|excess| ReadError::excess(node.position, &excess))?;
        let value = match &node.content {
            Content::Scalar { value, .. } => value.clone(),
            Content::List(items) => {
                let items = items.iter().enumerate();
                Value::Array(
                    items
                        .map(|(index, node)| self.value(item(&path, index), None, node))
                        .collect::<Result<_, _>>()?,
                )
            }
            Content::Object(fields) => Value::Object(self.object(&path, fields)?),
        };
        self.places.insert(path, Place { key, value: node.position, text: text.cloned() });
        Ok(value)
    }

    fn object(&mut self, path: &str, fields: &[(Key, Rc<Node>)]) -> Result<Map<String, Value>, ReadError> {
        let mut object = Map::new();
        for (key, node) in fields {
            Budget::key(&key.text).map_err(|excess| ReadError::excess(key.position, &excess))?;
            let at = field(path, &key.text);
            let twice = object.contains_key(&key.text);
            let value = self.value(at.clone(), Some(key.position), node)?;
            if twice {
                let hint = "remove one of them";
                self.findings.push(Finding::new(&at, "the key is there twice").about_key().hint(hint));
            } else {
                object.insert(key.text.clone(), value);
            }
            if !key.is_text {
                let hint = format!("write {:?} in quotes", key.text);
                self.findings.push(Finding::new(at, "the key is no text").about_key().hint(hint));
            }
        }
        Ok(object)
    }
}

fn position(marker: &Marker) -> Position {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Position { line: count(marker.line().max(1)), column: count(marker.col().saturating_add(1)) }
}
