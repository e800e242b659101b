//! Where provider kinds come from. The catalog's loader is the caller's choice; tests bring their own few.

use std::sync::Arc;

use wellhead_catalog::{Catalog, Kind};

/// Knows provider kinds by the word in `kind:`.
pub trait KindSource {
    /// The kind of that name.
    fn kind(&self, name: &str) -> Option<Arc<Kind>>;
    /// Every name, for "did you mean".
    fn names(&self) -> Vec<String>;
}

impl KindSource for Catalog {
    fn kind(&self, name: &str) -> Option<Arc<Kind>> {
        Self::kind(self, name)
    }

    fn names(&self) -> Vec<String> {
        Self::names(self).map(str::to_owned).collect()
    }
}

impl KindSource for [Arc<Kind>] {
    fn kind(&self, name: &str) -> Option<Arc<Kind>> {
        self.iter().find(|kind| &*kind.name == name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.iter().map(|kind| kind.name.to_string()).collect()
    }
}

impl KindSource for Vec<Arc<Kind>> {
    fn kind(&self, name: &str) -> Option<Arc<Kind>> {
        self.as_slice().kind(name)
    }

    fn names(&self) -> Vec<String> {
        self.as_slice().names()
    }
}
