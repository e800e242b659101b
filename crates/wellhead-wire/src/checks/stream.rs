//! Framer and observer together on hostile streams.

use super::cut;
use crate::openai::Endpoint;
use crate::openai::error::ErrorBody;
use crate::openai::stream::{Observed, StreamEnd, StreamObserver};
use crate::sse::{Event, Framer, Tail, Verdict};
use bytes::Bytes;
use wellhead_types::Side;

fn watch(endpoint: Endpoint, asked: bool, chunks: Vec<Bytes>) -> Option<(Vec<Observed>, StreamEnd, Vec<u8>)> {
    let mut framer = Framer::new(1 << 16);
    let mut observer = StreamObserver::new(endpoint, asked);
    let (mut observed, mut out) = (Vec::new(), Vec::new());
    let bytes_pushed: usize = chunks.iter().map(Bytes::len).sum();
    for chunk in chunks {
        let mut on_event = |event: Event<'_>| {
            let seen = observer.observe(&event);
            assert!(!(event.is_comment_only() && seen != observer_pass()), "a comment means nothing");
            let verdict = seen.verdict.clone();
            observed.push(seen);
            verdict
        };
        framer.push(chunk, &mut on_event, &mut out).ok()?;
    }
    if let Tail::Incomplete(tail) = framer.finish()
        && let Some(seen) = observer.observe_tail(&tail)
    {
        framer.settle_tail(&tail, seen.verdict.clone(), &mut out);
        observed.push(seen);
    }
    assert!(framer.kept_bytes() <= bytes_pushed + 2, "no more than came, and a blank line for the last");
    Some((observed, observer.finish(), out.concat()))
}

fn observer_pass() -> Observed {
    Observed { verdict: Verdict::Pass, commits: false, terminal: None, error: None }
}

/// No input panics; what is concluded does not depend on the cuts; errors never look like success; an interruption of
/// any stream is a failure for whoever reads it.
pub fn stream_observer(seed: u64, bytes: &[u8]) {
    for endpoint in
        [Endpoint::ChatCompletions, Endpoint::Completions, Endpoint::Responses, Endpoint::AudioTranscriptions]
    {
        for asked in [false, true] {
            let whole = if bytes.is_empty() { Vec::new() } else { vec![Bytes::copy_from_slice(bytes)] };
            let reference = watch(endpoint, asked, whole);
            assert_eq!(watch(endpoint, asked, cut(seed, bytes)), reference);
            let Some((observed, end, out)) = reference else { continue };
            assert_eq!(end.complete, end.failure.is_none());
            assert_eq!(end.saw_content, observed.iter().any(|seen| seen.commits));
            for seen in &observed {
                assert!(seen.error.is_none() || (!seen.commits && seen.verdict == Verdict::Drop));
                assert!(seen.error.is_none() || !end.complete);
            }
            let error = ErrorBody {
                message: "m".to_owned(),
                kind: "server_error".to_owned(),
                cause: None,
                param: None,
                code: Some("c".to_owned()),
                source: Side::Provider,
                request_id: "r".to_owned(),
                route: None,
                attempts: Vec::new(),
                retry_after_s: None,
                doc: None,
            };
            let interrupted = [&*out, &StreamObserver::new(endpoint, asked).interruption(&error)].concat();
            if let Some((_, end, _)) = watch(endpoint, asked, vec![Bytes::from(interrupted)]) {
                assert!(!end.complete, "an interrupted stream never looks finished");
            }
        }
    }
}
