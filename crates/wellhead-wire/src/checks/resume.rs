//! A second stream of any kind joined to a first one.

use super::cut;
use crate::openai::Endpoint;
use crate::openai::resume::{Plan, PrefillForm, Resumed};
use crate::openai::stream::StreamObserver;
use crate::sse::{Event, Framer, Tail, Verdict};
use bytes::Bytes;

/// No first and second stream panic, whatever the plan and the cuts; what comes out is whole events, and what they
/// say does not depend on the cuts.
pub fn resumed_stream(seed: u64, first: &[u8], second: &[u8]) {
    for plan in [
        Plan::Restart,
        Plan::Continue,
        Plan::Prefill(PrefillForm::LastAssistant),
        Plan::Prefill(PrefillForm::MistralPrefix),
    ] {
        let whole = join(plan, vec![Bytes::copy_from_slice(first)], vec![Bytes::copy_from_slice(second)]);
        assert_eq!(join(plan, cut(seed, first), cut(seed, second)), whole, "{plan:?}");
    }
}

/// The data of the events that the client gets of the second stream, up to the first error.
fn join(plan: Plan, first: Vec<Bytes>, second: Vec<Bytes>) -> Option<Vec<Option<Vec<u8>>>> {
    let mut observer = StreamObserver::remembering(Endpoint::ChatCompletions, true);
    feed(&mut observer, first, &mut |_| true)?;
    let mut resumed =
        Resumed::new(Endpoint::ChatCompletions, plan, observer.take_delivered()?, true, 1 << 16);
    let mut observer = StreamObserver::new(Endpoint::ChatCompletions, true);
    let mut out = Vec::new();
    feed(&mut observer, second, &mut |events| resumed.push(events, &mut out).is_ok())?;
    let (mut framer, mut said) = (Framer::new(1 << 20), Vec::new());
    let mut on_event = |event: Event<'_>| {
        said.push(event.data().map(std::borrow::Cow::into_owned));
        Verdict::Pass
    };
    framer.push(Bytes::from(out.concat()), &mut on_event, &mut Vec::new()).ok()?;
    assert_eq!(framer.finish(), Tail::Clean, "whole events only");
    assert!(resumed.into_delivered().text().len() <= crate::openai::stream::DELIVERED_BYTES_MAX);
    Some(said)
}

/// Feeds a stream until it fails or `each` does not want more of it.
fn feed(
    observer: &mut StreamObserver,
    chunks: Vec<Bytes>,
    each: &mut dyn FnMut(Bytes) -> bool,
) -> Option<()> {
    let mut framer = Framer::new(1 << 16);
    for chunk in chunks {
        let (mut out, mut failed) = (Vec::new(), false);
        let mut on_event = |event: Event<'_>| {
            if failed {
                return Verdict::Drop;
            }
            let seen = observer.observe(&event);
            failed |= seen.error.is_some();
            seen.verdict
        };
        framer.push(chunk, &mut on_event, &mut out).ok()?;
        if !out.into_iter().all(&mut *each) || failed {
            return Some(());
        }
    }
    Some(())
}
