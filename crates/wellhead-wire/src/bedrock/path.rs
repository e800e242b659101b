//! What the path of a request says: the model, and whether it streams.

use crate::gemini::percent_decoded;
use std::borrow::Cow;

/// Longest model id that is looked at; the service takes 2,048.
const MODEL_BYTES_MAX: usize = 2048;

/// A request's path, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<'a> {
    /// Percent-decoded: ids have colons, ARNs have slashes too.
    pub model: Cow<'a, str>,
    /// Whether the answer is asked for as a stream.
    pub stream: bool,
}

impl<'a> Call<'a> {
    /// The end of a target's path, after the model.
    pub const fn suffix(stream: bool) -> &'static str {
        if stream { "/converse-stream" } else { "/converse" }
    }

    /// Reads `/model/{id}/converse` and `/model/{id}/converse-stream`. `None` for every other path.
    pub fn parse(path: &'a str) -> Option<Self> {
        let named = path.strip_prefix("/model/")?;
        let (model, stream) = match named.strip_suffix(Self::suffix(true)) {
            Some(model) => (model, true),
            None => (named.strip_suffix(Self::suffix(false))?, false),
        };
        if model.is_empty() || model.len() > MODEL_BYTES_MAX || model.contains('/') {
            return None;
        }
        let model = percent_decoded(model).filter(|model| !model.chars().any(char::is_control))?;
        Some(Self { model, stream })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::Call;

    #[test]
    fn the_model_and_whether_it_streams_are_in_the_path() {
        for (path, model, stream) in [
            ("/model/amazon.nova-lite-v1:0/converse", "amazon.nova-lite-v1:0", false),
            // As botocore writes it (wire.md, row 6).
            (
                "/model/eu.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse-stream",
                "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
                true,
            ),
            (
                "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ax%2Fy/converse",
                "arn:aws:bedrock:us-east-1:1:x/y",
                false,
            ),
        ] {
            let call = Call::parse(path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!((&*call.model, call.stream), (model, stream), "{path}");
        }
        for path in [
            "/model/m/invoke",
            "/model//converse",
            "/model/a/b/converse",
            "/model/%0a/converse",
            "/model/%zz/converse",
            "/v1/model/m/converse",
            "/model/converse",
        ] {
            assert_eq!(Call::parse(path), None, "{path}");
        }
    }
}
