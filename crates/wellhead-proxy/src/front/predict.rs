//! Anthropic Messages as Vertex AI has it: `publishers/anthropic/models/{model}:rawPredict`, with the version in the body. It
//! is what coding agents speak whose vendor's base URL is set to the gateway.

use super::{Asks, Front};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use wellhead_wire::anthropic::Version;
use wellhead_wire::chat::{BadField, Dialect};
use wellhead_wire::json::{self, Splice, quoted};
use wellhead_wire::translate::Untranslatable;

/// Longest model name that is looked at.
const MODEL_BYTES_MAX: usize = 512;
/// The model that stands for "count, whatever the body names".
const COUNTS: &str = "count-tokens";

/// A path, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Predict<'a> {
    model: Cow<'a, str>,
    streamed: bool,
}

impl<'a> Predict<'a> {
    /// With or without the version of the API in front; with project and location or without.
    pub(super) fn parse(path: &'a str) -> Option<Self> {
        let (before, named) = path.split_once("/publishers/anthropic/models/")?;
        let place =
            ["/v1", "/v1beta1"].iter().find_map(|version| before.strip_prefix(version)).unwrap_or(before);
        let mut segments = place.split('/');
        let is_place =
            match (segments.next(), segments.next(), segments.next(), segments.next(), segments.next()) {
                (Some(""), None, ..) => true,
                (Some(""), Some("projects"), Some(project), Some("locations"), Some(location)) => {
                    !project.is_empty() && !location.is_empty() && segments.next().is_none()
                }
                _ => false,
            };
        let (model, method) = named.rsplit_once(':').filter(|(model, _)| model.len() <= MODEL_BYTES_MAX)?;
        let streamed = match method {
            "rawPredict" => false,
            "streamRawPredict" => true,
            _ => return None,
        };
        let model = percent_decode_str(model).decode_utf8().ok()?;
        let clean = is_place && !model.is_empty() && !model.chars().any(char::is_control);
        clean.then_some(Self { model, streamed })
    }

    pub(super) fn front(self) -> Front {
        if self.model == COUNTS {
            return Front::new(Dialect::Anthropic, Asks::Count, "/v1/messages/count_tokens");
        }
        let template = match self.streamed {
            true => "/v1/publishers/anthropic/models/{model}:streamRawPredict",
            false => "/v1/publishers/anthropic/models/{model}:rawPredict",
        };
        let path = Some((self.model.as_ref().into(), self.streamed));
        Front { path, ..Front::new(Dialect::Anthropic, Asks::Predict, template) }
    }
}

/// The body as it would be at `/v1/messages`, and the version that it names, if it does. `said` is what the path says: the
/// model, and whether a stream is asked for.
pub(super) fn plain_messages(
    body: &Bytes,
    said: Option<(&str, bool)>,
) -> Result<(Bytes, Option<Version>), Untranslatable> {
    // What is wrong with it is told better by who reads all of it.
    let Ok(spans) = json::scan(body, &["model", "stream", "anthropic_version"]) else {
        return Ok((body.clone(), None));
    };
    let [named, stream, version] = spans.members;
    let mut splice = Splice::new(body);
    match (named, said) {
        (Some(named), Some((model, _))) => splice.replace(named.value, quoted(model)),
        (None, Some((model, _))) => splice.insert(spans.object, "model", &quoted(model)),
        (_, None) => {}
    }
    if stream.is_none() && said.is_some_and(|(_, streamed)| streamed) {
        splice.insert(spans.object, "stream", b"true");
    }
    let mut known = None;
    if let Some(member) = version {
        let text = body.get(member.value.clone()).and_then(json::Text::parse).map(|text| text.decode());
        let read = text.as_deref().and_then(Version::from_header).ok_or_else(|| BadField {
            param: "anthropic_version".to_owned(),
            message: "`anthropic_version` names a version that is not known: expected vertex-2023-10-16 or 2026-10-21".to_owned(),
            code: "invalid_value",
        })?;
        known = Some(read);
        splice.remove(&member);
    }
    Ok((splice.finish(), known))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{Predict, Version, plain_messages};
    use bytes::Bytes;

    #[test]
    fn paths_of_vertex_are_read_and_no_others() {
        let of = |model: &'static str, streamed| Some(Predict { model: model.into(), streamed });
        for (path, expected) in [
            (
                "/v1/projects/p/locations/global/publishers/anthropic/models/claude@20260101:rawPredict",
                of("claude@20260101", false),
            ),
            ("/projects/p/locations/l/publishers/anthropic/models/c%40d:streamRawPredict", of("c@d", true)),
            ("/v1/publishers/anthropic/models/chat:rawPredict", of("chat", false)),
            ("/v1/projects//locations/l/publishers/anthropic/models/c:rawPredict", None),
            ("/v1/projects/p/locations/l/x/publishers/anthropic/models/c:rawPredict", None),
            ("/v1/projects/p/locations/l/publishers/anthropic/models/c:predict", None),
            ("/v1/projects/p/locations/l/publishers/anthropic/models/:rawPredict", None),
            ("/v1/projects/p/locations/l/publishers/google/models/c:rawPredict", None),
        ] {
            assert_eq!(Predict::parse(path), expected, "{path}");
        }
    }

    #[test]
    fn model_and_version_go_where_they_stand_elsewhere() {
        let plain = |body: &'static str| {
            plain_messages(&Bytes::from_static(body.as_bytes()), Some(("chat", true)))
                .map(|(body, version)| (String::from_utf8(body.to_vec()).unwrap(), version))
        };
        assert_eq!(
            plain(r#"{ "anthropic_version": "2026-10-21", "stream": false, "max_tokens": 1}"#).unwrap(),
            (r#"{"model":"chat",  "stream": false, "max_tokens": 1}"#.to_owned(), Some(Version::V2026))
        );
        assert_eq!(plain(r#"{"anthropic_version":"vertex-2023-10-16"}"#).unwrap().1, Some(Version::V2023));
        assert_eq!(plain("{}").unwrap(), (r#"{"model":"chat","stream":true}"#.to_owned(), None));
        assert!(
            plain(r#"{"anthropic_version":"1999"}"#).unwrap_err().to_string().contains("vertex-2023-10-16")
        );
    }
}
