//! What a round trip may change, taken out before the comparison.

use crate::chat::{Answer, Event, Opaque, Origin, Part};

/// Without the vendors' own words for why it ended: a decoder notes them, and the generator has none.
pub fn without_words(mut answer: Answer) -> Answer {
    for stop in answer.candidates.iter_mut().filter_map(|candidate| candidate.stop.as_mut()) {
        (stop.raw, stop.detail) = (None, None);
    }
    answer
}

/// With every opaque part claimed by an origin, as a target's decoder does it.
pub fn claimed(mut answer: Answer, origin: &Origin) -> Answer {
    let parts = answer.candidates.iter_mut().flat_map(|candidate| &mut candidate.parts);
    for opaque in parts.filter_map(opaque_of) {
        opaque.origin = Some(origin.clone());
    }
    answer
}

fn opaque_of(part: &mut Part) -> Option<&mut Opaque> {
    match part {
        Part::Text { opaque, .. } => opaque.as_mut(),
        Part::Reasoning(reasoning) => reasoning.opaque.as_mut(),
        Part::ToolCall(call) => call.opaque.as_mut(),
        _ => None,
    }
}

/// The answer that a stream says. Panics if the stream contradicts itself or has not ended.
pub fn folded(events: impl IntoIterator<Item = Event>) -> Answer {
    let mut fold = crate::chat::Fold::default();
    for event in events {
        fold.push(event).expect("a stream that does not contradict itself");
    }
    assert!(fold.is_ended(), "the stream has no end");
    fold.finish()
}
