//! Forms, pictures and sounds: just enough of each to be valid.

mod form;

pub(crate) use form::Form;
