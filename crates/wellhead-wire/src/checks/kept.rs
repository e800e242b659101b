//! What is passed on within one dialect, with hostile bodies and streams.

use super::cut;
use crate::chat::{Abilities, Dialect, Losses, Origin, Shown, Target};
use crate::gemini::{Framing, Service};
use crate::json;
use crate::openai::Endpoint;
use crate::openai::chat::Options;
use crate::openai::stream::StreamObserver;
use crate::sse::{Framer, Verdict, original};
use crate::translate::{
    Heading, Inbound, Outbound, Way, kept_answer, kept_request, named_answer, read_request, write_request,
};
use bytes::Bytes;

fn origin() -> Origin {
    Origin { provider: "p".into(), model: "m".into() }
}

/// No input panics. What was JSON is JSON when names and marks are changed in it, and whatever a stream is, nothing that
/// rides along is left where it is taken off.
pub(super) fn kept(dialect: Dialect, seed: u64, bytes: &[u8]) {
    stream(dialect, seed, bytes);
    let body = Bytes::copy_from_slice(bytes);
    let is_json = json::validate(bytes).is_ok();
    for origin in [None, Some(&origin())] {
        let named = named_answer(dialect, &kept_answer(dialect, &body, origin), "mo\"del");
        assert!(!is_json || json::validate(&named).is_ok(), "an answer stays JSON");
    }
    let heading = Heading { model: "m", ..Heading::default() };
    let Ok(asked) = read_request(dialect, bytes, heading) else { return };
    let way = Way { dialect, service: Service::AiStudio, quirks: Options::default() };
    let target = Target { origin: origin(), output_tokens_max: None, can: Abilities::default() };
    let Ok(written) = write_request(way, &asked.request, &target, &Losses::allowed(["*"])) else { return };
    if let Some(kept) = kept_request(way, &body, &written, &target) {
        json::validate(&kept).expect("a request stays JSON");
    }
}

fn stream(dialect: Dialect, seed: u64, bytes: &[u8]) {
    let shown = Shown { model: "m".into(), id: "i".into(), created: 0, stream_usage: true };
    let mut inbound =
        Inbound::new(dialect, &origin(), shown.clone(), 1 << 16).carrying(dialect, Some(origin()));
    let mut framer = Framer::new(1 << 18);
    let mut observer = StreamObserver::remembering(Endpoint::ChatCompletions, true).in_order();
    let mut outbound = Outbound::new((dialect, Framing::Sse), &origin(), shown, "r", 1 << 18);
    let mut chunks: Vec<Bytes> = cut(seed, bytes).into_iter().map(|chunk| inbound.push(chunk).0).collect();
    chunks.push(inbound.close().0);
    for chunk in chunks {
        let mut passed = Vec::new();
        let mut failed = false;
        let framed = framer.push(
            chunk,
            &mut |event| {
                let observed = observer.observe(&event);
                failed |= observed.error.is_some();
                if failed { Verdict::Drop } else { observed.verdict }
            },
            &mut passed,
        );
        for events in passed {
            let stripped = original::strip(&events);
            assert!(!stripped.split(|byte| *byte == b'\n').any(|line| line.starts_with(b":wh")));
            outbound.push(events);
        }
        if framed.is_err() || failed {
            return;
        }
    }
    outbound.close();
}
