//! Errors of the OpenAI dialect: writing our own. Reading those of vendors is [`crate::failure`].

mod body;

#[cfg(test)]
mod tests;

pub use body::{Attempt, ErrorBody};
