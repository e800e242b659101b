//! What the path of a request says: the service, the model, the method.

use super::Service;
use std::borrow::Cow;

/// Longest model name that is looked at; catalogues have none above 200.
const MODEL_BYTES_MAX: usize = 512;

/// What is asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the methods have their names in Google's API")]
pub enum Method {
    GenerateContent,
    StreamGenerateContent,
    CountTokens,
    EmbedContent,
    BatchEmbedContents,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 5] = [
        Self::GenerateContent,
        Self::StreamGenerateContent,
        Self::CountTokens,
        Self::EmbedContent,
        Self::BatchEmbedContents,
    ];

    /// The word after the colon.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GenerateContent => "generateContent",
            Self::StreamGenerateContent => "streamGenerateContent",
            Self::CountTokens => "countTokens",
            Self::EmbedContent => "embedContent",
            Self::BatchEmbedContents => "batchEmbedContents",
        }
    }

    /// The end of a target's path, after the model. Streams are asked for as events: the other form, one JSON list in
    /// pieces, has no ends that could be seen.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::GenerateContent => ":generateContent",
            Self::StreamGenerateContent => ":streamGenerateContent?alt=sse",
            Self::CountTokens => ":countTokens",
            Self::EmbedContent => ":embedContent",
            Self::BatchEmbedContents => ":batchEmbedContents",
        }
    }
}

/// How the pieces of a streamed answer are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Server-sent events: `alt=sse`.
    Sse,
    /// One JSON list that comes in pieces: everything else.
    List,
}

impl Framing {
    /// As the query of the request asks for it.
    pub fn asked(query: Option<&str>) -> Self {
        let sse =
            query.is_some_and(|query| query.split('&').any(|pair| pair.eq_ignore_ascii_case("alt=sse")));
        if sse { Self::Sse } else { Self::List }
    }

    /// The media type of the answer.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream",
            Self::List => "application/json; charset=UTF-8",
        }
    }
}

/// A request's path, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<'a> {
    /// Which of the two services has such paths.
    pub service: Service,
    /// `v1`, `v1beta`, `v1beta1`, `v1alpha`.
    pub version: &'a str,
    /// Percent-decoded. May hold slashes and colons: the gateway's own names do.
    pub model: Cow<'a, str>,
    /// What is asked of it.
    pub method: Method,
}

impl<'a> Call<'a> {
    /// Reads `/{version}/models/{model}:{method}`, and the forms that Vertex AI has: `publishers/google/models/…` with or
    /// without `projects/{p}/locations/{l}` before it. `None` for every other path.
    pub fn parse(path: &'a str) -> Option<Self> {
        let (version, rest) = path.strip_prefix('/')?.split_once('/')?;
        if !matches!(version, "v1" | "v1beta" | "v1beta1" | "v1alpha") {
            return None;
        }
        let (service, named) = match rest.strip_prefix("models/") {
            Some(named) => (Service::AiStudio, named),
            None => (Service::Vertex, published(rest)?),
        };
        // The last colon: names such as `llama3:8b` have one of their own.
        let (model, method) = named.rsplit_once(':')?;
        let method = Method::ALL.into_iter().find(|known| known.as_str() == method)?;
        if model.len() > MODEL_BYTES_MAX {
            return None;
        }
        let model = decode(model)?;
        let clean = !model.is_empty()
            && !model.chars().any(char::is_control)
            && model.split('/').all(|segment| !matches!(segment, "" | "." | ".."));
        clean.then_some(Self { service, version, model, method })
    }
}

/// What follows `publishers/google/models/`.
fn published(rest: &str) -> Option<&str> {
    let rest = match rest.strip_prefix("projects/") {
        None => rest,
        Some(rest) => {
            let (project, rest) = rest.split_once('/')?;
            let (location, rest) = rest.strip_prefix("locations/")?.split_once('/')?;
            if project.is_empty() || location.is_empty() {
                return None;
            }
            rest
        }
    };
    rest.strip_prefix("publishers/google/models/")
}

/// Percent-decodes; `None` if that is not text.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{Call, Framing, Method, Service};

    #[test]
    fn both_services_paths_are_read() {
        for (path, service, model, method) in [
            (
                "/v1beta/models/gemini-3.8-flash:generateContent",
                Service::AiStudio,
                "gemini-3.8-flash",
                Method::GenerateContent,
            ),
            // The SDK's default since 3.0 (wire.md, 0.3).
            (
                "/v1/models/gemini-3.8-flash:streamGenerateContent",
                Service::AiStudio,
                "gemini-3.8-flash",
                Method::StreamGenerateContent,
            ),
            (
                "/v1/models/vendor/llama3:8b:countTokens",
                Service::AiStudio,
                "vendor/llama3:8b",
                Method::CountTokens,
            ),
            ("/v1beta/models/llama3%3A8b:embedContent", Service::AiStudio, "llama3:8b", Method::EmbedContent),
            ("/v1beta/models/e:batchEmbedContents", Service::AiStudio, "e", Method::BatchEmbedContents),
            ("/v1/publishers/google/models/g:generateContent", Service::Vertex, "g", Method::GenerateContent),
            (
                "/v1beta1/projects/p-1/locations/global/publishers/google/models/g:streamGenerateContent",
                Service::Vertex,
                "g",
                Method::StreamGenerateContent,
            ),
        ] {
            let call = Call::parse(path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!((call.service, &*call.model, call.method), (service, model, method), "{path}");
        }
    }

    #[test]
    fn every_other_path_belongs_to_somebody_else() {
        for path in [
            "",
            "/",
            "/v1/models",
            "/v1/models/gemini",
            "/v1/models/gemini:",
            "/v1/models/:generateContent",
            "/v1/models/../x:generateContent",
            "/v1/models/%2e%2e/x:generateContent",
            "/v1/models/a%0ab:generateContent",
            "/v1/models/a%zz:generateContent",
            "/v1/models/a%f:generateContent",
            "/v1/models/%ff:generateContent",
            "/v2/models/g:generateContent",
            "/v1/chat/completions",
            "/v1/projects//locations/l/publishers/google/models/g:generateContent",
            "/v1/projects/p/locations/l/publishers/anthropic/models/c:rawPredict",
            "/v1/models/g:deleteModel",
        ] {
            assert_eq!(Call::parse(path), None, "{path}");
        }
        let long = format!("/v1/models/{}:generateContent", "m".repeat(600));
        assert_eq!(Call::parse(&long), None);
    }

    #[test]
    fn events_are_sent_to_those_who_ask_for_them() {
        assert_eq!(Framing::asked(Some("key=x&alt=sse")), Framing::Sse);
        assert_eq!(Framing::asked(Some("alt=json")), Framing::List);
        assert_eq!(Framing::asked(None), Framing::List);
    }
}
