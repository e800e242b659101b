//! Text → `Document`, or everything that is wrong with it.

use crate::check::check;
use crate::diagnostic::{At, Diagnostic, Report, Severity};
use crate::document::{Document, Root};
use crate::excerpt;
use crate::kinds::KindSource;
use crate::lookup::Lookup;
use crate::read::{Element, Reader};
use crate::{overrides, resolve, tree};

/// Largest configuration file. 10,000 routes take about 5 MiB; larger fleets live in the store (decision 25).
pub const FILE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Reads and checks one configuration file. On success: the document, and warnings (fields without effect yet, and
/// things that are allowed but unusual).
///
/// # Errors
/// Everything that is wrong with the text, in the order of the file, warnings among it.
pub fn load(
    file_name: &str,
    text: &str,
    lookup: &dyn Lookup,
    kinds: &dyn KindSource,
) -> Result<(Document, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut report = Report::new(file_name);
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file is {} bytes long", text.len());
        report.error(At::START, "", message).expected(format!("at most {FILE_BYTES_MAX} bytes"));
        return Err(report.finish());
    }
    let mut visible = Vec::new();
    let document = tree::parse(text, &mut report, &mut visible).and_then(|mut node| {
        resolve::resolve(&mut node, text, lookup, &mut report, &mut visible);
        let environment = overrides::apply(&mut node, lookup, &mut report);
        let root = Root::read(&node, &mut Reader::new(&mut report, &mut visible))?;
        let mut document = Document {
            file: file_name.to_owned(),
            environment,
            root,
            kinds: Default::default(),
            facts: Default::default(),
        };
        check(&mut document, kinds, &mut report);
        Some(document)
    });
    let refused = report.has_errors();
    let mut diagnostics = report.finish();
    excerpt::attach(&mut diagnostics, file_name, text, visible);
    match document {
        Some(document) if !refused => Ok((document, diagnostics)),
        _ => {
            debug_assert!(
                diagnostics.iter().any(|d| d.severity == Severity::Error),
                "a refusal gives a reason"
            );
            Err(diagnostics)
        }
    }
}
