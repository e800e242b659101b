//! Endpoints beside the chat at vendors whose form is another than the client's: embeddings, as OpenAI asks for them, and
//! rerank, as Cohere and Jina ask for it. Each is written for the vendor, and its answer is put back into the client's form.

mod embed;
mod rerank;

#[cfg(test)]
mod tests;

use super::Untranslatable;
use crate::chat::{Encoded, Losses};
use bytes::Bytes;
use wellhead_types::{Failure, Usage};

/// A vendor's form of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Gemini's `batchEmbedContents`.
    GeminiEmbed,
    /// Cohere's `v2/embed`.
    CohereEmbed,
    /// Ollama's `/api/embed`.
    OllamaEmbed,
    /// Cohere's `v2/rerank`.
    CohereRerank,
    /// Voyage's `rerank`.
    VoyageRerank,
}

/// A request as the vendor wants it.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The body, and what it does not tell.
    pub encoded: Encoded,
    /// What the answer is written by.
    pub kept: Kept,
}

/// What of a request its answer has to be written by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Of embeddings.
    Vectors {
        /// As many vectors have to come back.
        inputs: usize,
        /// The client wants each as base64 of its numbers.
        is_base64: bool,
        /// What the texts are taken for where the vendor does not count.
        tokens_expected: u64,
    },
    /// Of a rerank.
    Ranks {
        /// Numbers of results are below this.
        documents: usize,
        /// The documents, if the client wants them back and the vendor does not send them.
        texts: Option<Vec<String>>,
    },
}

/// An answer in the client's form.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The body.
    pub body: Bytes,
    /// What it used, if the vendor says so. The body may hold an estimate where it does not.
    pub usage: Option<Usage>,
}

/// Writes a client's request for the vendor's model.
pub fn encode(form: Form, body: &[u8], model: &str, losses: &Losses) -> Result<Written, Untranslatable> {
    match form {
        Form::GeminiEmbed | Form::CohereEmbed | Form::OllamaEmbed => embed::encode(form, body, model, losses),
        Form::CohereRerank | Form::VoyageRerank => rerank::encode(form, body, model, losses),
    }
}

/// Reads the body of a 2xx. `model` is what the answer calls the model.
pub fn decode(form: Form, body: &[u8], kept: &Kept, model: &str) -> Result<Read, Failure> {
    match kept {
        Kept::Vectors { inputs, is_base64, tokens_expected } => {
            let vectors = embed::decode(form, body, *inputs)?;
            Ok(embed::write(&vectors, *is_base64, *tokens_expected, model))
        }
        Kept::Ranks { documents, texts } => rerank::decode(form, body, *documents, texts.as_deref(), model),
    }
}
