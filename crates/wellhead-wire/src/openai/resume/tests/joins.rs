//! Two streams that look like one.

use crate::checks;
use crate::openai::Endpoint;
use crate::openai::request::RequestHead;
use crate::openai::resume::vendor::{Client, Style, first, read, second, stream};
use crate::openai::resume::{Broken, Original, Plan, PrefillForm, Resumed};
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

const CHAT: Endpoint = Endpoint::ChatCompletions;
const FORMS: [PrefillForm; 5] = [
    PrefillForm::LastAssistant,
    PrefillForm::VllmContinue,
    PrefillForm::MistralPrefix,
    PrefillForm::DeepSeekPrefix,
    PrefillForm::Partial,
];

/// What a target that can go on with text answers to a body.
fn continuation(endpoint: Endpoint, body: &[u8], whole: &str, echoes: bool) -> String {
    let body: Value = serde_json::from_slice(body).unwrap();
    let said = if endpoint == CHAT {
        body["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap().to_owned()
    } else {
        body["prompt"].as_str().unwrap()["Q".len()..].to_owned()
    };
    assert!(whole.starts_with(&said), "{whole:?} begins with {said:?}");
    if echoes { whole.to_owned() } else { whole[said.len()..].to_owned() }
}

fn request(endpoint: Endpoint) -> Bytes {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "Q"}], "prompt": "Q"});
    assert!(endpoint.streams_chunks());
    Bytes::from(body.to_string())
}

/// Cuts the first stream behind `end` bytes and has the second one go on. `None` if no rescue is open.
fn rescue(
    plan: Plan,
    whole: &str,
    bytes: &[u8],
    end: usize,
    style: &Style,
    step: usize,
) -> Option<(Client, Result<(), Broken>)> {
    let endpoint = style.endpoint;
    let (mut out, delivered) = first(endpoint, &bytes[..end]);
    let body = request(endpoint);
    let head = RequestHead::parse(endpoint, None, &body).unwrap();
    let asked = Original::read(&body, &head).unwrap().body(plan, &delivered).ok()?;
    let answer = match plan {
        Plan::Prefill(form) => continuation(endpoint, &asked, whole, form.echoes() && endpoint == CHAT),
        _ => whole.to_owned(),
    };
    let mut resumed = Resumed::new(endpoint, plan, delivered, false, 1 << 20);
    let (more, result) = second(endpoint, &mut resumed, &stream(&answer, style), step);
    out.extend(more);
    let client = read(&out);
    assert_eq!(resumed.into_delivered().text(), client.text, "what is remembered is what was seen");
    Some((client, result))
}

fn is_one_stream(client: &Client, whole: &str, plan: Plan) {
    assert_eq!(client.text, whole, "{plan:?}");
    assert_eq!((client.finishes.len(), client.done), (1, 1), "{plan:?}");
    assert_eq!((client.ids.len(), client.models.len(), client.marks.len()), (1, 1, 1), "{plan:?} {client:?}");
    assert!(client.roles <= 1, "{plan:?}");
    assert_eq!(client.marks[0]["resumed"], plan.as_str());
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            "[a-z]{1,4}",
            Just(" ".to_owned()),
            Just("\n".to_owned()),
            Just("  \t".to_owned()),
            Just("\"quoted\\\"".to_owned()),
            Just("😀".to_owned()),
            Just("né\u{301}".to_owned()),
            Just("漢字".to_owned()),
            Just("\u{1}\u{2028}".to_owned()),
            Just("ab".to_owned()),
        ],
        1..9,
    )
    .prop_map(|pieces| pieces.concat())
}

fn style(id: &'static str) -> impl Strategy<Value = Style> {
    (prop::collection::vec(1..7_usize, 1..4), any::<[bool; 5]>()).prop_map(
        move |(sizes, [escapes, crlf, role_with_text, reasoning, chat])| Style {
            sizes,
            escapes,
            crlf,
            role_with_text,
            reasoning,
            endpoint: if chat { CHAT } else { Endpoint::Completions },
            ..Style::plain(id)
        },
    )
}

proptest! {
    // Each case is six rescues per byte.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 8, ..ProptestConfig::default() })]

    #[test]
    fn cut_anywhere_the_client_gets_the_whole_text_once(
        whole in text(), one in style("a"), other in style("b"), step in 1..200_usize, form in 0..5_usize,
    ) {
        let other = Style { endpoint: one.endpoint, ..other };
        let bytes = stream(&whole, &one);
        let finish = memchr::memmem::find(&bytes, b"\"finish_reason\":\"").unwrap();
        let mut rescues = 0;
        for end in 0..finish {
            for plan in [Plan::Restart, Plan::Prefill(FORMS[form])] {
                let Some((client, result)) = rescue(plan, &whole, &bytes, end, &other, step) else { continue };
                prop_assert_eq!(result, Ok(()));
                rescues += 1;
                // Cut before anything came, the names are the second stream's: also one.
                is_one_stream(&client, &whole, plan);
            }
        }
        prop_assert!(rescues >= finish, "a restart is always open");
    }
}

proptest! {
    #[test]
    fn a_restart_that_says_something_else_is_given_up_before_the_client_hears_it(
        whole in text(), other in style("b"), at in any::<prop::sample::Index>(), step in 1..200_usize,
    ) {
        let other = Style { endpoint: CHAT, ..other };
        let bytes = stream(&whole, &Style::plain("a"));
        let finish = memchr::memmem::find(&bytes, b"\"finish_reason\":\"").unwrap();
        let (_, delivered) = first(CHAT, &bytes[..finish]);
        prop_assert_eq!(delivered.text(), &whole);
        let mut chars: Vec<char> = whole.chars().collect();
        let at = at.index(chars.len());
        chars[at] = if chars[at] == 'Z' { 'Y' } else { 'Z' };
        let changed: String = chars.iter().collect();
        let shorter: String = chars[..at].iter().collect();
        for answer in [changed, shorter] {
            let mut resumed = Resumed::new(CHAT, Plan::Restart, delivered.clone(), false, 1 << 20);
            let (out, result) = second(CHAT, &mut resumed, &stream(&answer, &other), step);
            prop_assert_eq!(result, Err(Broken::Mismatch));
            prop_assert_eq!(read(&out), Client::default());
            prop_assert!(!resumed.began());
            prop_assert_eq!(&resumed.into_delivered(), &{ let mut d = delivered.clone(); d.counted(d.tokens()); d });
        }
    }

    #[test]
    fn a_second_cut_is_rescued_like_the_first(
        whole in text(), one in style("a"), other in style("b"), cuts: [prop::sample::Index; 2], prefill: bool,
    ) {
        let other = Style { endpoint: one.endpoint, ..other };
        let (bytes, again) = (stream(&whole, &one), stream(&whole, &other));
        let finish = |bytes: &[u8]| memchr::memmem::find(bytes, b"\"finish_reason\":\"").unwrap();
        let (mut out, delivered) = first(one.endpoint, &bytes[..cuts[0].index(finish(&bytes))]);
        let mut resumed = Resumed::new(one.endpoint, Plan::Restart, delivered, false, 1 << 20);
        let (more, result) = second(one.endpoint, &mut resumed, &again[..cuts[1].index(finish(&again))], 64);
        prop_assert_eq!(result, Ok(()));
        out.extend(more);
        let delivered = resumed.into_delivered();
        let body = request(one.endpoint);
        let head = RequestHead::parse(one.endpoint, None, &body).unwrap();
        let original = Original::read(&body, &head).unwrap();
        let plan = Plan::Prefill(PrefillForm::Partial);
        let (plan, answer) = match original.body(plan, &delivered).ok().filter(|_| prefill) {
            Some(asked) => (plan, continuation(one.endpoint, &asked, &whole, false)),
            None => (Plan::Restart, whole.clone()),
        };
        let third = Style { id: "c", ..other };
        let mut resumed = Resumed::new(one.endpoint, plan, delivered, false, 1 << 20);
        let (more, result) = second(one.endpoint, &mut resumed, &stream(&answer, &third), 7);
        prop_assert_eq!(result, Ok(()));
        out.extend(more);
        let client = read(&out);
        prop_assert_eq!(&client.text, &whole);
        prop_assert_eq!((client.finishes.len(), client.done, client.ids.len()), (1, 1, 1));
    }

    #[test]
    fn an_instructed_continuation_loses_what_it_repeats(
        letters in "[a-z]{40,80}", cut in 20..40_usize, repeated in 0..20_usize, other in style("b"),
    ) {
        let bytes = stream(&letters, &Style { sizes: vec![1], ..Style::plain("a") });
        let events = bytes.split_inclusive(|b| *b == b'\n').collect::<Vec<_>>();
        // A comment, a role and `cut` letters, each with its blank line.
        let (mut out, delivered) = first(CHAT, &events[..2 * (2 + cut)].concat());
        prop_assert_eq!(delivered.text(), &letters[..cut]);
        let mut resumed = Resumed::new(CHAT, Plan::Continue, delivered, false, 1 << 20);
        let answer = &letters[cut - repeated..];
        let (more, result) = second(CHAT, &mut resumed, &stream(answer, &Style { endpoint: CHAT, ..other }), 50);
        prop_assert_eq!(result, Ok(()));
        out.extend(more);
        let client = read(&out);
        let short = repeated < 8;
        let expected = if short { format!("{}{answer}", &letters[..cut]) } else { letters.clone() };
        prop_assert_eq!(&client.text, &expected);
        prop_assert_eq!(&client.marks, &[json!({"resumed": "continued", "seam": cut, "model": "model-b"})]);
        prop_assert_eq!((client.ids.len(), client.finishes.len()), (1, 1));
    }

    #[test]
    fn no_second_stream_breaks_the_seam(
        seed: u64,
        one in text(), other in text(), styles in (style("a"), style("b")), ends: [prop::sample::Index; 2], noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut streams = [stream(&one, &styles.0), stream(&[&*one, &*other].concat(), &styles.1)];
        for (bytes, end) in streams.iter_mut().zip(ends) {
            bytes.truncate(end.index(bytes.len() + 1));
        }
        for (at, byte) in noise {
            let bytes = &mut streams[usize::from(byte & 1)];
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        checks::resumed_stream(seed, &streams[0], &streams[1]);
    }

    #[test]
    fn arbitrary_bytes_break_nothing(seed: u64, one in prop::collection::vec(any::<u8>(), 0..200), other in prop::collection::vec(any::<u8>(), 0..200)) {
        checks::resumed_stream(seed, &one, &other);
    }
}

fn cut_after(whole: &str, events: usize) -> (Vec<u8>, crate::openai::stream::Delivered) {
    let bytes = stream(whole, &Style { sizes: vec![1], ..Style::plain("a") });
    first(CHAT, &bytes.split_inclusive(|b| *b == b'\n').take(2 * (2 + events)).collect::<Vec<_>>().concat())
}

fn data(chunk: &Value) -> String {
    format!("data: {chunk}\n\n")
}

#[test]
fn whitespace_at_the_seam_is_neither_lost_nor_doubled() {
    for (answer, expected) in [
        ("  world", "Hello  world"),
        (" world", "Hello  world"),
        ("world", "Hello  world"),
        ("\nworld", "Hello  \nworld"),
        ("   world", "Hello   world"),
        ("", "Hello  "),
    ] {
        for sizes in [vec![1], vec![2], vec![9]] {
            let (mut out, delivered) = cut_after("Hello  there", 7);
            let mut resumed =
                Resumed::new(CHAT, Plan::Prefill(PrefillForm::LastAssistant), delivered, false, 1 << 20);
            let (more, result) =
                second(CHAT, &mut resumed, &stream(answer, &Style { sizes, ..Style::plain("b") }), 999);
            assert_eq!(result, Ok(()));
            out.extend(more);
            assert_eq!(read(&out).text, expected, "{answer:?}");
        }
    }
}

#[test]
fn an_echo_is_removed_and_what_only_looks_like_one_is_not() {
    let plan = Plan::Prefill(PrefillForm::MistralPrefix);
    for (answer, expected) in
        [("haha!", "haha!"), ("haX", "hahahaX"), ("ha", "hahaha"), ("!", "haha!"), ("haha", "haha")]
    {
        for sizes in [vec![1], vec![3]] {
            let (mut out, delivered) = cut_after("haha", 4);
            let mut resumed = Resumed::new(CHAT, plan, delivered, false, 1 << 20);
            let (more, result) =
                second(CHAT, &mut resumed, &stream(answer, &Style { sizes, ..Style::plain("b") }), 999);
            assert_eq!(result, Ok(()));
            out.extend(more);
            let client = read(&out);
            assert_eq!((client.text.as_str(), client.done), (expected, 1), "{answer}");
        }
    }
    let long = "0123456789".repeat(1000);
    let (_, delivered) = first(
        CHAT,
        stream(&long, &Style::plain("a"))
            .split(|b| *b == b'[')
            .take(3001)
            .collect::<Vec<_>>()
            .join(&b'[')
            .as_slice(),
    );
    let said = delivered.text().to_owned();
    assert!(said.len() > 8192, "{}", said.len());
    let mut resumed = Resumed::new(CHAT, plan, delivered, false, 1 << 20);
    let (_, result) =
        second(CHAT, &mut resumed, &stream(&format!("{}X", &said[..5000]), &Style::plain("b")), 999);
    assert_eq!(result, Err(Broken::Mismatch), "an echo that stops being one is no answer");
}

#[test]
fn usage_covers_the_whole_answer() {
    for (plan, expected) in [
        (Plan::Restart, (20, 7, 27)),
        // Three of five tokens were delivered; the target counts them as input and sends two.
        (Plan::Prefill(PrefillForm::LastAssistant), (17, 10, 27)),
        (Plan::Continue, (17, 10, 27)),
    ] {
        let (mut out, delivered) = cut_after("abcde", 3);
        let mut resumed = Resumed::new(CHAT, plan, delivered, false, 1 << 20);
        let answer = if plan == Plan::Restart { "abcde" } else { "de" };
        let style = Style { usage: (20, 7), ..Style::plain("b") };
        let (more, result) = second(CHAT, &mut resumed, &stream(answer, &style), 999);
        assert_eq!(result, Ok(()));
        out.extend(more);
        let client = read(&out);
        assert_eq!((client.usage, client.text.as_str()), (Some(expected), "abcde"), "{plan:?}");
    }
    // A first stream that counts as it goes is believed.
    let chunk = json!({"id": "a", "choices": [{"index": 0, "delta": {"content": "abc"}}], "usage": {"prompt_tokens": 11, "completion_tokens": 5}});
    let (_, delivered) = first(CHAT, data(&chunk).as_bytes());
    assert_eq!(delivered.tokens(), 5);
    let mut resumed = Resumed::new(CHAT, Plan::Prefill(PrefillForm::Partial), delivered, false, 1 << 20);
    let (out, _) =
        second(CHAT, &mut resumed, &stream("de", &Style { usage: (20, 7), ..Style::plain("b") }), 999);
    assert_eq!(read(&out).usage, Some((11, 12, 23)));
}

#[test]
fn bytes_outside_the_edits_stay_and_the_names_are_the_first_streams() {
    let (_, delivered) = first(CHAT, b"data: {\"id\":\"A\",\"created\":7,\"model\":\"m1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"He\"}}]}\n\n");
    let mut resumed = Resumed::new(CHAT, Plan::Restart, delivered, false, 1 << 20);
    let chunk = "id: 9\r\ndata:{ \"x\" : 1.50, \"id\":\"B\", \"created\":8, \"model\":\"m2\", \"system_fingerprint\":\"f\", \"choices\":[ {\"index\":0,\"delta\":{\"role\":\"assistant\", \"content\":\"\\u0048ell\\uD83D\\uDE00\"}}] }\r\n: tail\r\n\r\n";
    let (out, result) = second(CHAT, &mut resumed, chunk.as_bytes(), 999);
    assert_eq!(result, Ok(()));
    let expected = "id: 9\r\ndata:{\"wellhead\":{\"resumed\":\"restart\",\"seam\":2,\"model\":\"m2\"}, \"x\" : 1.50, \"id\":\"A\", \"created\":7, \"model\":\"m1\", \"system_fingerprint\":\"f\", \"choices\":[ {\"index\":0,\"delta\":{ \"content\":\"ll\\uD83D\\uDE00\"}}] }\r\n: tail\r\n\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    let lines = "data: {\"id\":\"B\",\ndata: \"choices\":[{\"index\":0,\"delta\":{\"content\":\"!\"}}]}\n\n";
    let (out, _) = second(CHAT, &mut resumed, lines.as_bytes(), 999);
    assert_eq!(read(&out).text, "!", "data on several lines is still read");
}

#[test]
fn a_tool_call_behind_the_text_comes_through_and_one_instead_of_it_is_a_mismatch() {
    let call = data(
        &json!({"id": "b", "choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{\"a\":1}"}}]}}]}),
    );
    let finish =
        data(&json!({"id": "b", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}));
    let text = data(&json!({"id": "b", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}));
    // The first stream is cut in the middle of the call.
    let half = data(
        &json!({"id": "a", "choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{"}}]}}]}),
    );
    let (before, delivered) = first(CHAT, [text.as_str(), half.as_str()].concat().as_bytes());
    assert_eq!(before, text.as_bytes());
    let mut resumed = Resumed::new(CHAT, Plan::Restart, delivered.clone(), false, 1 << 20);
    let (out, result) = second(CHAT, &mut resumed, [&*text, &*call, &*finish].concat().as_bytes(), 9);
    let client = read(&out);
    assert_eq!((result, client.text.as_str(), client.calls.as_str()), (Ok(()), "", "{\"a\":1}"));
    assert!(resumed.into_delivered().others().tool_call);
    let mut resumed = Resumed::new(CHAT, Plan::Restart, delivered, false, 1 << 20);
    let (out, result) = second(CHAT, &mut resumed, [&*call, &*finish].concat().as_bytes(), 9);
    assert_eq!((out.len(), result), (0, Err(Broken::Mismatch)));
}

#[test]
fn json_that_does_not_fit_together_never_ends_well() {
    for (answer, expected) in [("\"a\":1}", Ok(())), ("{\"a\":1}", Err(Broken::NotJson))] {
        let (mut out, delivered) = cut_after("{\"a\":1}", 1);
        let mut resumed =
            Resumed::new(CHAT, Plan::Prefill(PrefillForm::VllmContinue), delivered, true, 1 << 20);
        let (more, result) = second(CHAT, &mut resumed, &stream(answer, &Style::plain("b")), 999);
        out.extend(more);
        assert_eq!(
            (result, read(&out).finishes.len()),
            (expected, usize::from(expected.is_ok())),
            "{answer}"
        );
    }
    let (_, delivered) = cut_after("{\"a\":1}", 1);
    let mut resumed = Resumed::new(CHAT, Plan::Prefill(PrefillForm::VllmContinue), delivered, true, 1 << 20);
    let limited = Style { finish: "length", ..Style::plain("b") };
    let (_, result) = second(CHAT, &mut resumed, &stream("\"a", &limited), 999);
    assert_eq!(result, Ok(()), "an answer that its limit cuts need not be whole");
}
