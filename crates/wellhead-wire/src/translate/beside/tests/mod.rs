#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod embeddings;
mod hostile;
mod ranks;

use super::{Form, Written, encode};
use crate::chat::Losses;
use crate::translate::Untranslatable;
use serde_json::Value;

pub(super) fn asked(form: Form, body: &Value) -> Result<Written, Untranslatable> {
    encode(form, body.to_string().as_bytes(), "vendor/m", &Losses::NONE)
}

pub(super) fn body(form: Form, body: &Value) -> Value {
    serde_json::from_slice(&asked(form, body).unwrap().encoded.body).unwrap()
}

/// The member at fault.
pub(super) fn refused(form: Form, body: &Value) -> String {
    asked(form, body).unwrap_err().param().unwrap_or_default().to_owned()
}
