#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{Event, FrameError, Framer, Tail, Verdict};
use crate::checks;
use bytes::Bytes;
use proptest::prelude::*;

/// Pushes the chunks; gives the events' (name, data), the output pieces and the tail.
#[expect(clippy::type_complexity, reason = "three lists, read once")]
fn run(chunks: &[&str]) -> (Vec<(Option<String>, Option<String>)>, Vec<Bytes>, Tail) {
    let mut framer = Framer::new(1 << 16);
    let (mut events, mut out) = (Vec::new(), Vec::new());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    for chunk in chunks {
        let mut seen = |event: Event<'_>| {
            events.push((event.event().map(text), event.data().map(|d| text(&d))));
            Verdict::Pass
        };
        framer.push(Bytes::copy_from_slice(chunk.as_bytes()), &mut seen, &mut out).unwrap();
    }
    (events, out, framer.finish())
}

fn data_of(chunks: &[&str]) -> Vec<String> {
    run(chunks).0.into_iter().filter_map(|(_, data)| data).collect()
}

#[test]
fn every_line_end_of_the_standard_ends_lines_and_events() {
    for end in ["\n", "\r", "\r\n"] {
        let text =
            "data: a|data:b|: note|event: x|id: 1|retry: 5|data|data:  c||data: [DONE]||".replace('|', end);
        let (events, out, tail) = run(&[&text]);
        let expected = [(Some("x"), Some("a\nb\n\n c")), (None, Some("[DONE]"))];
        let got: Vec<_> = events.iter().map(|(n, d)| (n.as_deref(), d.as_deref())).collect();
        assert_eq!(got, expected, "{end:?}");
        assert_eq!(out, [text.as_bytes()]);
        assert_eq!(tail, Tail::Clean);
    }
}

#[test]
fn a_chunk_of_whole_events_leaves_as_the_same_memory() {
    let chunk = Bytes::from_static(b"data: 1\n\n: ping\n\ndata: 2\n\n");
    let mut out = Vec::new();
    Framer::new(100).push(chunk.clone(), &mut |_| Verdict::Pass, &mut out).unwrap();
    assert_eq!(out.len(), 1);
    assert_eq!(out[0].as_ptr(), chunk.as_ptr());
    assert_eq!(out[0].len(), chunk.len());
}

#[test]
fn half_an_event_is_never_delivered() {
    let (_, out, tail) = run(&["data: 1\n\ndata: ", "2\n", "\ndata: 3"]);
    assert_eq!(out, [&b"data: 1\n\n"[..], b"data: 2\n\n"]);
    assert_eq!(tail, Tail::Incomplete(Bytes::from_static(b"data: 3")));
}

#[test]
fn a_crlf_torn_apart_is_one_line_end_and_delays_nothing() {
    assert_eq!(data_of(&["data: a\r", "\ndata: b\r\n\r", "\ndata: c\r\n", "\r\n"]), ["a\nb", "c"]);
    let (_, out, _) = run(&["data: a\r\n\r"]);
    assert_eq!(out, [&b"data: a\r\n\r"[..]], "the event is complete with its second CR");
}

#[test]
fn the_lf_behind_a_torn_crlf_shares_its_events_fate() {
    for (verdict, expected) in [
        (Verdict::Pass, "data: a\r\n\r\n"),
        (Verdict::Drop, ""),
        (Verdict::Replace(Bytes::from_static(b"x\n\n")), "x\n\n"),
    ] {
        let mut framer = Framer::new(100);
        let mut out = Vec::new();
        for chunk in [&b"data: a\r\n\r"[..], b"\n"] {
            framer.push(Bytes::from_static(chunk), &mut |_| verdict.clone(), &mut out).unwrap();
        }
        assert_eq!(out.concat(), expected.as_bytes());
    }
}

#[test]
fn utf8_torn_apart_arrives_whole() {
    let text = "data: héé→🦀\n\n";
    for cut in 1..text.len() {
        let mut framer = Framer::new(100);
        let (mut out, mut seen) = (Vec::new(), Vec::new());
        for part in [&text.as_bytes()[..cut], &text.as_bytes()[cut..]] {
            let mut on_event = |event: Event<'_>| {
                seen.push(event.data().unwrap().into_owned());
                Verdict::Pass
            };
            framer.push(Bytes::copy_from_slice(part), &mut on_event, &mut out).unwrap();
        }
        assert_eq!(seen, ["héé→🦀".as_bytes()]);
        assert_eq!(out.concat(), text.as_bytes());
    }
}

#[test]
fn a_byte_order_mark_counts_only_at_the_start() {
    assert_eq!(data_of(&["\u{feff}data: a\n\n\u{feff}data: b\n\ndata: c\n\n"]), ["a", "c"]);
    let (events, out, _) = run(&["\u{feff}: ping\n"]);
    assert_eq!(events, [(None, None)]);
    assert_eq!(out.concat(), "\u{feff}: ping\n".as_bytes());
}

#[test]
fn comments_between_events_do_not_wait_for_the_next_event() {
    let (events, out, tail) = run(&[": OPENROUTER PROCESSING\n"]);
    assert_eq!(events.len(), 1);
    assert_eq!(out.concat(), b": OPENROUTER PROCESSING\n");
    assert_eq!(tail, Tail::Clean);
    let mut kinds = Vec::new();
    let mut on_event = |event: Event<'_>| {
        kinds.push(event.is_comment_only());
        Verdict::Pass
    };
    let chunk = Bytes::from_static(b": a\n\n\ndata: 1\n: b\n\nid: 7\n\n");
    Framer::new(100).push(chunk, &mut on_event, &mut Vec::new()).unwrap();
    assert_eq!(kinds, [true, true, true, false, false]);
}

#[test]
fn dropped_and_replaced_events_leave_their_neighbours_untouched() {
    let chunk =
        Bytes::from_static(b"data: 1\n\ndata: drop\n\ndata: 2\n\ndata: new\n\ndata: 3\n\ndata: 4\n\n");
    let mut on_event = |event: Event<'_>| match &*event.data().unwrap() {
        b"drop" => Verdict::Drop,
        b"new" => Verdict::Replace(Bytes::from_static(b"data: NEW\n\n")),
        _ => Verdict::Pass,
    };
    let mut out = Vec::new();
    Framer::new(100).push(chunk, &mut on_event, &mut out).unwrap();
    assert_eq!(out, [&b"data: 1\n\n"[..], b"data: 2\n\n", b"data: NEW\n\n", b"data: 3\n\ndata: 4\n\n"]);
}

#[test]
fn an_event_may_be_as_long_as_the_limit_and_not_a_byte_longer() {
    for size in 1..12 {
        let error = Err(FrameError::EventTooLarge { event_bytes_max: 11 });
        let mut framer = Framer::new(11);
        let mut out = Vec::new();
        let mut result = Ok(());
        for byte in b"data: abc\n\ndata: abcd\n\n".chunks(size) {
            result = framer.push(Bytes::copy_from_slice(byte), &mut |_| Verdict::Pass, &mut out);
            if result.is_err() {
                break;
            }
        }
        assert_eq!(result, error);
        assert_eq!(out.concat(), b"data: abc\n\n", "what came before is delivered");
        assert_eq!(framer.push(Bytes::from_static(b"\n"), &mut |_| Verdict::Pass, &mut out), error);
    }
}

#[test]
fn a_long_event_in_single_bytes_is_scanned_once() {
    // 4 MiB in one-byte chunks: quadratic work would be 10^13 steps and never end.
    let mut framer = Framer::new(1 << 23);
    let mut out = Vec::new();
    let mut events = 0;
    let mut on_event = |_: Event<'_>| {
        events += 1;
        Verdict::Pass
    };
    framer.push(Bytes::from_static(b"data: "), &mut on_event, &mut out).unwrap();
    for _ in 0..1 << 22 {
        framer.push(Bytes::from_static(b"x"), &mut on_event, &mut out).unwrap();
    }
    framer.push(Bytes::from_static(b"\n\n"), &mut on_event, &mut out).unwrap();
    assert_eq!((events, out.len(), out[0].len()), (1, 1, (1 << 22) + 8));
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events_and_the_same_output(
        seed: u64,
        bytes in prop::collection::vec(prop::sample::select(b"data: eventid:\n\r\n\r\n\r:: x\xef\xbb\xbf\xf0\x9f\xa6\x80[]".to_vec()), 0..120),
    ) {
        checks::sse_framer(seed, &bytes);
    }
}

#[test]
fn what_is_kept_back_goes_out_in_order_or_not_at_all() {
    use super::Release;
    let release = |events, discard_rest, hold| Verdict::Release(Release { events, discard_rest, hold });
    let decide = |event: &Event<'_>| match &*event.data().unwrap() {
        b"hold" => Verdict::Hold,
        b"one" => release(1, false, false),
        b"one, and this later" => release(1, false, true),
        b"all" => release(usize::MAX, false, false),
        b"none" => release(1, true, false),
        _ => Verdict::Pass,
    };
    for (names, expected) in [
        (&["a", "hold", "b"][..], &["a", "b"][..]),
        (&["hold", "hold", "b", "one", "c"], &["b", "hold", "one", "c"]),
        (&["hold", "one, and this later", "b", "all"], &["hold", "b", "one, and this later", "all"]),
        (&["hold", "hold", "hold", "none", "all"], &["hold", "none", "all"]),
        (&["all"], &["all"]),
    ] {
        for end in ["\n", "\r\n", "\r"] {
            let text =
                |names: &[&str]| names.iter().map(|n| format!("data: {n}{end}{end}")).collect::<String>();
            for step in [1, 7, 1000] {
                let (mut framer, mut out) = (Framer::new(100), Vec::new());
                for chunk in text(names).into_bytes().chunks(step) {
                    framer
                        .push(Bytes::copy_from_slice(chunk), &mut |event| decide(&event), &mut out)
                        .unwrap();
                }
                assert_eq!(String::from_utf8(out.concat()).unwrap(), text(expected), "{names:?} by {step}");
            }
        }
    }
    let (mut framer, mut out) = (Framer::new(100), Vec::new());
    framer.push(Bytes::from_static(b"data: hold\n\ndata: all"), &mut |_| Verdict::Hold, &mut out).unwrap();
    assert_eq!(framer.kept_bytes(), 12);
    let Tail::Incomplete(tail) = framer.finish() else { panic!("a tail") };
    framer.settle_tail(&tail, release(1, false, false), &mut out);
    assert_eq!(out.concat(), b"data: hold\n\ndata: all\n\n");
}
