//! Forms, pictures and sounds: just enough of each to be valid.

mod form;
mod png;
mod wav;

pub(crate) use form::Form;
pub(crate) use png::png;
pub(crate) use wav::{pcm, wav};
