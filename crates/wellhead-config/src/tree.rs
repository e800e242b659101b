//! YAML (and JSON, its subset) as a tree in which every key and value knows its place.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};

use crate::diagnostic::{At, Report};
use crate::excerpt;

/// Nesting of lists and mappings. The language itself needs 8; the rest is room for a clear message.
const DEPTH_MAX: usize = 64;
/// Values in one document: 10,000 models of 20 values each, five times over.
const NODES_MAX: usize = 1_000_000;
/// Values that anchors and aliases may add: enough to share settings, too few for an alias bomb.
const SHARED_NODES_MAX: usize = 100_000;

/// A value at its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) at: At,
    /// Bytes of the source; of a list or mapping only its beginning is certain.
    pub(crate) range: Range<usize>,
    pub(crate) value: Value,
}

/// What was written.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
    /// Something about which an error has been reported already.
    Broken,
}

/// A single value as text; its type is decided by the field that reads it.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Written without quotes: `5` is a number, `"5"` is text.
    pub(crate) plain: bool,
    /// Contains text that was substituted; such text is never shown and has no type of its own.
    pub(crate) substituted: bool,
}

/// The key of a mapping's entry.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) at: At,
    pub(crate) range: Range<usize>,
    pub(crate) plain: bool,
}

impl Node {
    /// How many values it holds, itself included.
    fn count(&self) -> usize {
        1 + match &self.value {
            Value::Scalar(_) | Value::Broken => 0,
            Value::List(items) => items.iter().map(Self::count).sum(),
            Value::Map(entries) => entries.iter().map(|(_, value)| value.count()).sum(),
        }
    }
}

/// Reads the one document of a file. `None` when it cannot be read at all; then an error has been reported.
pub(crate) fn parse(source: &str, report: &mut Report, visible: &mut Vec<Range<usize>>) -> Option<Node> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    };
    let mut builder = Builder::new(report);
    for next in Parser::new_from_str_with_options(source, options) {
        let (event, span) = match next {
            Ok(next) => next,
            Err(error) => {
                syntax_error(&error, source, builder.report, visible);
                return None;
            }
        };
        if !builder.take(event, span) {
            return None;
        }
    }
    if builder.root.is_none() && !builder.report.has_errors() {
        builder.report.error(At::START, "", "the file is empty").expected("at least `version: 1`");
    }
    builder.root
}

fn syntax_error(error: &ScanError, source: &str, report: &mut Report, visible: &mut Vec<Range<usize>>) {
    let at = at(*error.marker());
    visible.extend(excerpt::leading_key(source, at.line));
    let mut message = format!("not valid YAML: {}", plain_words(&error.info()));
    let line = source.lines().nth((at.line as usize).saturating_sub(1)).unwrap_or("");
    let indent = line.len() - line.trim_start().len();
    if line[..indent].contains('\t') {
        message.push_str("; the line is indented with a tab, YAML wants spaces");
    }
    report.error(at, "", message);
}

/// The parser's words may quote the source, and so a secret: quoted parts are dropped.
fn plain_words(info: &str) -> String {
    let mut quoted = false;
    let mut out = String::new();
    for c in info.chars().take(300) {
        match c {
            '`' | '"' => {
                quoted = !quoted;
                out.push(c);
            }
            c if quoted && c.is_alphanumeric() => out.push('•'),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn at(marker: Marker) -> At {
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    At { line: narrow(marker.line()).max(1), column: narrow(marker.col()).saturating_add(1) }
}

enum Frame {
    List { start: Node, items: Vec<Node>, anchor: usize },
    Map { start: Node, entries: Vec<(Key, Node)>, key: Option<Key>, anchor: usize },
}

struct Builder<'r> {
    report: &'r mut Report,
    stack: Vec<Frame>,
    root: Option<Node>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    shared: usize,
    documents: usize,
}

impl<'r> Builder<'r> {
    fn new(report: &'r mut Report) -> Self {
        let (stack, anchors) = (Vec::new(), HashMap::new());
        Self { report, stack, root: None, anchors, nodes: 0, shared: 0, documents: 0 }
    }

    /// Takes one event; `false` when reading has to stop.
    fn take(&mut self, event: Event<'_>, span: Span) -> bool {
        let place = at(span.start);
        let range = span.byte_range().unwrap_or(0..0);
        let node = |value| Node { at: place, range: range.clone(), value };
        if let Event::Scalar(_, _, _, Some(_))
        | Event::SequenceStart(_, _, Some(_))
        | Event::MappingStart(_, _, Some(_)) = &event
        {
            self.report.error(place, "", "a YAML tag (`!…`) has no meaning here").expected("the value alone");
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.report
                        .error(place, "", "a second YAML document begins here (`---`)")
                        .expected("one document per file");
                    return false;
                }
            }
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let value = Scalar { text: text.into_owned(), plain, substituted: false };
                return self.done(node(Value::Scalar(value)), anchor);
            }
            Event::SequenceStart(_, anchor, _) => {
                self.stack.push(Frame::List { start: node(Value::Broken), items: Vec::new(), anchor });
            }
            Event::MappingStart(_, anchor, _) => {
                let start = node(Value::Broken);
                self.stack.push(Frame::Map { start, entries: Vec::new(), key: None, anchor });
            }
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop() {
                Some(Frame::List { start, items, anchor }) => {
                    return self.done(Node { value: Value::List(items), ..start }, anchor);
                }
                Some(Frame::Map { start, entries, anchor, .. }) => {
                    return self.done(Node { value: Value::Map(entries), ..start }, anchor);
                }
                None => {}
            },
            Event::Alias(id) => return self.alias(id, place),
            _ => {}
        }
        true
    }

    fn alias(&mut self, id: usize, place: At) -> bool {
        let Some(node) = self.anchors.get(&id).cloned() else {
            self.report.error(place, "", "this alias stands within its own anchor, so it would never end");
            return false;
        };
        self.share(&node, place) && self.done(node, 0)
    }

    /// Counts a copy of a node against the limit of shared values.
    fn share(&mut self, node: &Node, place: At) -> bool {
        self.shared += node.count();
        if self.shared > SHARED_NODES_MAX {
            let message = format!("anchors and aliases add more than {SHARED_NODES_MAX} values here");
            self.report.error(place, "", message).expected("fewer aliases: write the values out");
        }
        self.shared <= SHARED_NODES_MAX
    }

    /// Puts a finished value where it belongs.
    fn done(&mut self, node: Node, anchor: usize) -> bool {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let message = format!("the document has more than {NODES_MAX} values");
            self.report
                .error(node.at, "", message)
                .expected("a smaller file; large fleets live in the store");
            return false;
        }
        if anchor != 0 {
            if !self.share(&node, node.at) {
                return false;
            }
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map { entries, key, .. }) => match (key.take(), node) {
                (Some(key), node) => entries.push((key, node)),
                (None, Node { at, range, value: Value::Scalar(scalar) }) => {
                    *key = Some(Key { text: scalar.text, at, range, plain: scalar.plain });
                }
                (None, node) => {
                    self.report.error(node.at, "", "a list or mapping stands where a key was expected");
                    return false;
                }
            },
        }
        true
    }
}
