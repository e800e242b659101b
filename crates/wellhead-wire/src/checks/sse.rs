//! The framer under every way of cutting a stream.

use super::cut;
use crate::sse::{Event, FrameError, Framer, Release, Tail, Verdict};
use bytes::Bytes;

/// Small, so that short inputs reach it.
const EVENT_BYTES_MAX: usize = 48;

type Seen = Vec<(Option<Vec<u8>>, Option<Vec<u8>>, bool)>;

/// What came of a stream.
#[derive(Debug, PartialEq)]
struct Run {
    events: Seen,
    out: Vec<u8>,
    result: Result<Vec<u8>, FrameError>,
}

fn run(chunks: Vec<Bytes>, verdict: &dyn Fn(&Event<'_>) -> Verdict) -> Run {
    let mut framer = Framer::new(EVENT_BYTES_MAX);
    let (mut events, mut out, mut pushed) = (Vec::new(), Vec::new(), Ok(()));
    for chunk in chunks {
        let mut on_event = |event: Event<'_>| {
            events.push((
                event.event().map(<[u8]>::to_vec),
                event.data().map(std::borrow::Cow::into_owned),
                event.is_comment_only(),
            ));
            verdict(&event)
        };
        pushed = framer.push(chunk, &mut on_event, &mut out);
        if pushed.is_err() {
            break;
        }
    }
    assert!(out.iter().all(|piece| !piece.is_empty()));
    let tail = match framer.finish() {
        Tail::Clean => Vec::new(),
        Tail::Incomplete(bytes) => bytes.to_vec(),
    };
    Run { events, out: out.concat(), result: pushed.map(|()| tail) }
}

/// Events, output, tail and error do not depend on where the stream was cut; what passes is what came.
pub fn sse_framer(seed: u64, bytes: &[u8]) {
    let whole = || if bytes.is_empty() { Vec::new() } else { vec![Bytes::copy_from_slice(bytes)] };
    let pass = |_: &Event<'_>| Verdict::Pass;
    let by_data = |event: &Event<'_>| match event.data().map_or(0, |data| data.len()) % 3 {
        0 => Verdict::Pass,
        1 => Verdict::Drop,
        _ => Verdict::Replace(Bytes::from_static(b"data: new\n\n")),
    };
    let keeping = |event: &Event<'_>| match event.data().map_or(0, |data| data.len()) % 4 {
        0 => Verdict::Pass,
        1 => Verdict::Hold,
        kind => Verdict::Release(Release {
            events: kind - 1,
            discard_rest: kind == 2,
            hold: event.event().is_some(),
        }),
    };
    for verdict in [&pass as &dyn Fn(&Event<'_>) -> Verdict, &by_data, &keeping] {
        let reference = run(whole(), verdict);
        assert_eq!(run(cut(seed, bytes), verdict), reference);
        let single = bytes.chunks(1).map(Bytes::copy_from_slice).collect();
        assert_eq!(run(single, verdict), reference);
    }
    let passed = run(cut(seed, bytes), &pass);
    if let Ok(tail) = passed.result {
        assert_eq!([passed.out.clone(), tail].concat(), bytes, "every byte is either delivered or held");
    }
    agrees_with_the_standard(bytes, &passed.events);
}

/// The interpretation of the WHATWG's section 9.2.6, written as it reads there: only events with data are dispatched.
fn agrees_with_the_standard(bytes: &[u8], seen: &Seen) {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'\r' | b'\n' => {
                at += usize::from(text[at..].starts_with(b"\r\n"));
                lines.push(Vec::new());
            }
            byte => lines.last_mut().expect("never empty").push(byte),
        }
        at += 1;
    }
    lines.pop();
    let mut expected: Vec<(Option<Vec<u8>>, Vec<u8>)> = Vec::new();
    let (mut name, mut data): (Option<Vec<u8>>, Option<Vec<u8>>) = (None, None);
    for line in lines {
        if line.is_empty() {
            let name = name.take();
            if let Some(data) = data.take() {
                expected.push((name, data));
            }
            continue;
        }
        let (field, value) = match line.iter().position(|b| *b == b':') {
            Some(0) => continue,
            Some(colon) => {
                let value = &line[colon + 1..];
                (line[..colon].to_vec(), value.strip_prefix(b" ").unwrap_or(value).to_vec())
            }
            None => (line, Vec::new()),
        };
        match &*field {
            b"event" => name = Some(value),
            b"data" => {
                data = Some(match data {
                    Some(before) => [before, b"\n".to_vec(), value].concat(),
                    None => value,
                });
            }
            _ => {}
        }
    }
    let ours: Vec<_> =
        seen.iter().filter_map(|(name, data, _)| data.clone().map(|data| (name.clone(), data))).collect();
    // After an event that is too large nothing more is seen.
    assert_eq!(ours, expected[..ours.len().min(expected.len())]);
}
