//! Random answers: whatever a vendor says in its dialect reaches a client of it as it was, and a client whose target is
//! switched at any moment gets a stream that is in order.

use super::streams::{Way, check_order, chunk, whole};
use super::{named, shown};
use crate::chat::{Dialect, Event, Shown};
use crate::checks::chat::{Can, Dice, events, seeds};
use crate::gemini::Framing;
use crate::translate::{Encoder, Manner};
use bytes::Bytes;
use serde_json::json;

/// What a target of this dialect writes.
fn written(dialect: Dialect, events: &[Event]) -> String {
    let shown = Shown { model: "vendors-model".into(), ..shown() };
    let mut encoder = Encoder::new(&Manner::from((dialect, Framing::Sse)), shown);
    let mut out = Vec::new();
    events.iter().for_each(|event| encoder.push(event, &mut out));
    String::from_utf8(out).unwrap()
}

#[test]
fn every_stream_keeps_its_bytes() {
    for dialect in [Dialect::Anthropic, Dialect::Gemini] {
        let can = Can { dialect, ..Can::ALL };
        for seed in 0..seeds() {
            let stream = written(dialect, &events(seed, &can));
            let mut dice = Dice::new(seed);
            let way = whole(dialect, &stream, 1 + dice.below(300));
            // Pings do not wait behind a call that is not whole.
            let parts = |text: &str| -> (String, usize) {
                let (pings, others): (Vec<&str>, Vec<&str>) =
                    text.split_inclusive("\n\n").partition(|event| event.starts_with("event: ping"));
                (others.concat(), pings.len())
            };
            assert_eq!(parts(&way.text()), parts(&named(&stream)), "{dialect:?}, seed {seed}");
        }
    }
}

#[test]
fn a_switch_at_any_moment_leaves_the_stream_in_order() {
    let can = Can { dialect: Dialect::Anthropic, ..Can::ALL };
    for seed in 0..seeds() {
        let stream = written(Dialect::Anthropic, &events(seed, &can));
        let mut dice = Dice::new(seed);
        let all: Vec<&str> = stream.split_inclusive("\n\n").collect();
        let cut = dice.below(all.len());
        let mut way = Way::new(Dialect::Anthropic, None, Framing::Sse);
        way.push(all[..cut].concat().as_bytes());
        if way.text().contains("\"message_delta\"") {
            continue;
        }
        way.deliver(chunk(&json!({"role": "assistant", "content": "and the rest"}), None));
        way.deliver(chunk(&json!({}), Some("stop")));
        way.deliver(Bytes::from_static(b"data: [DONE]\n\n"));
        let events = way.events();
        let last = events.last().map(|event| event["type"].clone());
        assert_eq!(last, Some(json!("message_stop")), "seed {seed}");
        check_order(&events);
        assert!(way.text().contains("and the rest"), "seed {seed}");
    }
}
