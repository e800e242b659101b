//! What went wrong last at a target, with the exact words: the breaker remembers the cause only.

use std::sync::{Mutex, PoisonError};
use wellhead_resilience::diagnose::Fault;

/// The newest failure. Written when one happens, read when somebody asks why.
#[derive(Debug, Default)]
pub(crate) struct LastFault(Mutex<Option<Box<Fault>>>);

impl LastFault {
    pub(crate) fn set(&self, fault: Fault) {
        let fault = Some(Box::new(fault));
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *place, fault);
        drop(place);
        drop(old);
    }

    pub(crate) fn get(&self) -> Option<Fault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_deref().cloned()
    }
}
