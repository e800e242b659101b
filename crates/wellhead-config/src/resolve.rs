//! `${VAR}`, `${VAR:-default}`, `${file:path}` and `$${` (a literal `${`) in every scalar; and duplicate keys,
//! which can only be seen once keys are final. What is substituted stays text: it never becomes YAML structure.

use std::collections::HashMap;
use std::ops::Range;

use crate::diagnostic::{At, Report};
use crate::lookup::Lookup;
use crate::path::Path;
use crate::tree::{Node, Scalar, Value};

/// Bytes that one variable or file may bring: certificates and long keys fit, a wrong file does not.
const SUBSTITUTE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes that all substitutions of a document may bring together.
const SUBSTITUTES_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Replaces every reference in the tree. What cannot be replaced is reported and becomes [`Value::Broken`].
pub(crate) fn resolve(
    root: &mut Node,
    source: &str,
    lookup: &dyn Lookup,
    report: &mut Report,
    visible: &mut Vec<Range<usize>>,
) {
    let mut walk = Walk { source, lookup, report, visible, path: Path::default(), spent: 0, hidden: false };
    walk.node(root);
}

/// Fields whose values are secrets.
const SECRET_FIELDS: [&str; 3] = ["keys", "key", "secret"];

struct Walk<'a> {
    source: &'a str,
    lookup: &'a dyn Lookup,
    report: &'a mut Report,
    visible: &'a mut Vec<Range<usize>>,
    path: Path,
    spent: usize,
    /// Below a field that holds keys: what stands there as a name may be a secret by mistake.
    hidden: bool,
}

impl Walk<'_> {
    fn node(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::Broken => {}
            Value::Scalar(scalar) if scalar.text.contains("${") => {
                let Scalar { text, plain, .. } = scalar;
                node.value = match self.text(text, node.at, &node.range) {
                    Some((text, substituted)) => Value::Scalar(Scalar { text, plain: *plain, substituted }),
                    None => Value::Broken,
                };
            }
            Value::Scalar(_) => {}
            Value::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.path.enter_index(index);
                    self.node(item);
                    self.path.leave();
                }
            }
            Value::Map(entries) => {
                let mut seen: HashMap<String, u32> = HashMap::with_capacity(entries.len());
                entries.retain_mut(|(key, value)| {
                    let keep = self.key(key, &mut seen);
                    let before = self.hidden;
                    self.enter(&key.text);
                    self.hidden |= SECRET_FIELDS.contains(&key.text.as_str());
                    self.node(value);
                    self.hidden = before;
                    self.path.leave();
                    keep
                });
            }
        }
    }

    fn enter(&mut self, key: &str) {
        let shown = !self.hidden || SECRET_FIELDS.contains(&key) || key == "id";
        self.path.enter_key(if shown { key } else { "…" });
    }

    /// Makes a key final; `false` when its entry has to be dropped.
    fn key(&mut self, key: &mut crate::tree::Key, seen: &mut HashMap<String, u32>) -> bool {
        if key.text.contains("${") {
            match self.text(&key.text, key.at, &key.range) {
                Some((text, _)) => key.text = text,
                None => return false,
            }
        }
        if key.plain && key.text == "<<" {
            let message = "merge keys (`<<`) belong to YAML 1.1 and are not read";
            self.report
                .error(key.at, self.path.text(), message)
                .expected("the fields written out, or an alias as value");
            return false;
        }
        if let Some(line) = seen.get(&key.text) {
            self.enter(&key.text);
            if !self.hidden {
                self.visible.push(key.range.clone());
            }
            let message = format!("duplicate key; it was first written in line {line}");
            self.report.error(key.at, self.path.text(), message).expected("each key once");
            self.path.leave();
            return false;
        }
        seen.insert(key.text.clone(), key.at.line);
        true
    }

    /// The text with its references replaced, and whether any was; `None` after an error.
    fn text(&mut self, text: &str, at: At, range: &Range<usize>) -> Option<(String, bool)> {
        self.show_references(range);
        let mut out = String::with_capacity(text.len());
        let (mut rest, mut substituted, mut ok) = (text, false, true);
        while let Some(start) = rest.find("${") {
            if rest[..start].ends_with('$') {
                out.push_str(&rest[..start - 1]);
                out.push_str("${");
                rest = &rest[start + 2..];
                continue;
            }
            out.push_str(&rest[..start]);
            let after = &rest[start + 2..];
            let Some(end) = after.find('}') else {
                self.report
                    .error(at, self.path.text(), "`${` without its `}`")
                    .expected("${NAME}, ${NAME:-default} or ${file:path}; write $${ for a literal ${");
                return None;
            };
            match self.reference(&after[..end], at) {
                Some(value) => out.push_str(&value),
                None => ok = false,
            }
            substituted = true;
            rest = &after[end + 1..];
        }
        out.push_str(rest);
        ok.then_some((out, substituted))
    }

    /// What stands between `${` and `}`.
    fn reference(&mut self, inner: &str, at: At) -> Option<String> {
        let found = match inner.strip_prefix("file:") {
            Some(path) => self.file(path, at)?,
            None => self.variable(inner, at)?,
        };
        self.spent = self.spent.saturating_add(found.len());
        if found.len() > SUBSTITUTE_BYTES_MAX || self.spent > SUBSTITUTES_BYTES_MAX {
            let message = format!("substituted text of {} bytes is too large", found.len());
            let expected =
                format!("at most {SUBSTITUTE_BYTES_MAX} bytes each and {SUBSTITUTES_BYTES_MAX} bytes in all");
            self.report.error(at, self.path.text(), message).expected(expected);
            return None;
        }
        Some(found)
    }

    fn variable(&mut self, inner: &str, at: At) -> Option<String> {
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(good) || name.starts_with(|c: char| c.is_ascii_digit()) {
            self.report
                .error(at, self.path.text(), "`${…}` does not name a variable")
                .expected("${NAME} with letters, digits and _; ${NAME:-default}; or ${file:path}");
            return None;
        }
        if default.is_some_and(|default| default.contains("${")) {
            let message = format!("the default of ${{{name}:-…}} contains another ${{…}}");
            self.report.error(at, self.path.text(), message).expected("a default that is plain text");
            return None;
        }
        let value = self.lookup.variable(name);
        // As in a shell: `:-` also stands in for a variable that is set but empty.
        match (value, default) {
            (Some(value), None) => Some(value),
            (Some(value), Some(_)) if !value.is_empty() => Some(value),
            (_, Some(default)) => Some(default.to_owned()),
            (None, None) => {
                let message = format!("the environment variable {name} is not set");
                let expected = format!("{name} in the environment, or a default: ${{{name}:-…}}");
                self.report.error(at, self.path.text(), message).expected(expected);
                None
            }
        }
    }

    fn file(&mut self, path: &str, at: At) -> Option<String> {
        match self.lookup.file(path) {
            // Editors end files with a line feed that is no part of the secret.
            Ok(text) => {
                let text = text.strip_suffix('\n').unwrap_or(&text);
                Some(text.strip_suffix('\r').unwrap_or(text).to_owned())
            }
            Err(reason) => {
                let message = format!("the file {path:?} cannot be read: {reason}");
                self.report.error(at, self.path.text(), message).expected("a readable text file");
                None
            }
        }
    }

    /// The names of variables may be shown, whatever surrounds them.
    fn show_references(&mut self, range: &Range<usize>) {
        let Some(raw) = self.source.get(range.clone()) else { return };
        for (start, _) in raw.match_indices("${") {
            let name = &raw[start + 2..];
            let length = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(0);
            self.visible.push(range.start + start..range.start + start + 2 + length);
        }
    }
}
