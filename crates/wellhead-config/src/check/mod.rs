//! Meaning: what single values cannot know. References, values that contradict each other, things said twice.

mod app;
mod catalog;
mod credential;
mod fallback;
mod model;
mod process;
mod provider;
mod region;

use crate::diagnostic::{Diagnostic, Report};
use crate::document::Document;
use crate::kinds::KindSource;
use crate::read::Spanned;

pub(crate) use provider::effective_url;

/// Checks a document as far as it could be read, and notes the kinds of its providers in it.
pub(crate) fn check(document: &mut Document, kinds: &dyn KindSource, report: &mut Report) {
    provider::resolve_kinds(document, kinds, report);
    document.facts = catalog::resolve(document, kinds, report);
    let document = &*document;
    process::check(&document.root, report);
    provider::check(document, report);
    model::check(document, report);
    fallback::check(&document.root, report);
    app::check(&document.root, report);
    region::check(&document.root, report);
}

/// Reports at a value's own place.
pub(crate) trait ReportAt {
    /// An error at a value.
    fn error_at<T>(&mut self, place: &Spanned<T>, message: impl Into<String>) -> &mut Diagnostic;
    /// A warning at a value.
    fn warning_at<T>(&mut self, place: &Spanned<T>, message: impl Into<String>) -> &mut Diagnostic;
}

impl ReportAt for Report {
    fn error_at<T>(&mut self, place: &Spanned<T>, message: impl Into<String>) -> &mut Diagnostic {
        self.error(place.place.at, &place.place.path, message)
    }

    fn warning_at<T>(&mut self, place: &Spanned<T>, message: impl Into<String>) -> &mut Diagnostic {
        self.warning(place.place.at, &place.place.path, message)
    }
}
