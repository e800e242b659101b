//! A client's own body for a target of its dialect.

use super::super::Way;
use super::{is_kept, opaque};
use crate::chat::{Dialect, Encoded, Target};
use crate::gemini::UNCHECKED;
use crate::json::{self, Splice, quoted};
use bytes::Bytes;
use serde_json::Value;

/// What some models want otherwise than clients say it, or cannot do: where it differs in what was written for the target,
/// that is sent.
const ANTHROPIC: [&str; 6] = ["max_tokens", "temperature", "top_p", "top_k", "thinking", "output_config"];
const GEMINI: [&str; 6] =
    ["maxOutputTokens", "temperature", "topP", "topK", "candidateCount", "thinkingConfig"];

/// The client's body for a target of its own dialect, with nothing changed but the model and the marks of origins; `written`
/// is what was written for that target. `None`: something has to be different, so that `written` is to be sent.
pub fn kept_request(way: Way, body: &Bytes, written: &Encoded, target: &Target) -> Option<Bytes> {
    if !is_kept(way.dialect) || !written.dropped.is_empty() || differs(way.dialect, body, &written.body) {
        return None;
    }
    let mut splice = Splice::new(body);
    let [model, counted] = json::scan(body, &["model", "generateContentRequest"]).ok()?.members;
    if way.dialect == Dialect::Gemini && counted.is_some() {
        // A request within the request, which names the model again.
        return None;
    }
    match (way.dialect, model) {
        (Dialect::Anthropic, Some(model)) => {
            let name = quoted(&target.origin.model);
            if body.get(model.value.clone())? != name {
                splice.replace(model.value, name);
            }
        }
        (_, Some(model)) => splice.remove(&model),
        (_, None) => {}
    }
    if !opaque::unmark(way.dialect, body, &target.origin, &mut splice) {
        return None;
    }
    Some(if splice.is_empty() { body.clone() } else { splice.finish() })
}

fn differs(dialect: Dialect, body: &[u8], written: &[u8]) -> bool {
    if dialect == Dialect::Anthropic {
        return differ(&ANTHROPIC, body, written);
    }
    let config = |text: &'static str, body: &[u8]| json::find(body, &[text]).map(<[u8]>::to_vec);
    // Calls that were made by somebody else are written with a word in the place of their signature.
    let has_unchecked = |body: &[u8]| memchr::memmem::find(body, UNCHECKED.as_bytes()).is_some();
    let of = |body: &[u8]| config("generationConfig", body).unwrap_or_else(|| b"{}".to_vec());
    differ(&GEMINI, &of(body), &of(written)) || (has_unchecked(written) && !has_unchecked(body))
}

fn differ<const N: usize>(names: &[&'static str; N], own: &[u8], written: &[u8]) -> bool {
    let (Ok(here), Ok(there)) = (json::scan(own, names), json::scan(written, names)) else { return true };
    let value = |body: &[u8], member: Option<json::Member>| -> Option<Value> {
        let value: Value = serde_json::from_slice(body.get(member?.value)?).ok()?;
        Some(value).filter(|value| !value.is_null())
    };
    let pairs = here.members.into_iter().zip(there.members);
    pairs.into_iter().any(|(here, there)| match (value(own, here), value(written, there)) {
        (Some(Value::Number(here)), Some(Value::Number(there))) => here.as_f64() != there.as_f64(),
        (here, there) => here != there,
    })
}
