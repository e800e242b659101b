#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{
    Answer, Candidate, Delta, Dialect, Event, Fields, Fold, FoldError, Loss, Losses, Opaque, Origin, Part,
    PartKind, Reasoning, Rest, Stop, StopKind, ToolCall,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn origin(provider: &str, model: &str) -> Origin {
    Origin { provider: provider.into(), model: model.into() }
}

#[test]
fn opaque_data_is_only_for_where_it_came_from() {
    let here = origin("anthropic", "claude-x");
    let tagged = Opaque { dialect: Dialect::Anthropic, origin: Some(here.clone()), data: "sig".into() };
    assert!(tagged.is_for(Dialect::Anthropic, &here));
    assert!(!tagged.is_for(Dialect::Gemini, &here), "another dialect cannot read it");
    assert!(!tagged.is_for(Dialect::Anthropic, &origin("anthropic", "claude-y")), "another model refuses it");
    assert!(!tagged.is_for(Dialect::Anthropic, &origin("bedrock", "claude-x")));
    let untagged = Opaque { origin: None, ..tagged };
    assert!(untagged.is_for(Dialect::Anthropic, &here), "the client's own dialect, passed untouched before");
    assert!(!untagged.is_for(Dialect::Responses, &here));
}

#[test]
fn a_vendors_own_text_is_never_taken_for_a_tagged_one() {
    for text in ["", "wh1", "wh1~", "wh1~gemini~a~b", "wh1~nobody~a~b~c", "ErUBCkYIBxgCIkD=="] {
        let read = Opaque::from_text(Dialect::Gemini, text);
        assert_eq!((read.origin, &*read.data), (None, text), "{text}");
    }
}

proptest! {
    #[test]
    fn an_origin_survives_its_way_through_a_client(provider in ".{0,20}", model in ".{0,20}", data in ".{0,40}") {
        for dialect in Dialect::ALL {
            let opaque = Opaque { dialect, origin: Some(origin(&provider, &model)), data: data.clone().into() };
            // Whatever dialect the client speaks.
            prop_assert_eq!(Opaque::from_text(Dialect::Cohere, &opaque.to_text()), opaque);
        }
    }
}

fn fields(value: Value) -> Fields {
    Fields::new(Dialect::Chat, "messages[3]", value).unwrap()
}

#[test]
fn errors_name_the_member_and_what_was_expected() {
    let said = |bad: super::BadField| (bad.param, bad.message, bad.code);
    assert_eq!(
        said(Fields::new(Dialect::Chat, "", json!([1])).unwrap_err()),
        (String::new(), "the request body is a list: expected an object".to_owned(), "invalid_type")
    );
    assert_eq!(
        said(fields(json!({"role": 7})).need_text("role").unwrap_err()),
        (
            "messages[3].role".into(),
            "`messages[3].role` is a number: expected a string".into(),
            "invalid_type"
        )
    );
    assert_eq!(
        said(fields(json!({"role": null})).need_text("role").unwrap_err()).2,
        "missing_required_parameter",
        "null is absent"
    );
    let bad = fields(json!({"stop": ["a", 1]})).texts("stop").unwrap_err();
    assert_eq!(bad.param, "messages[3].stop[1]");
    let bad = fields(json!({"content": [{}, "x"]})).objects("content").unwrap_err();
    assert_eq!(bad.param, "messages[3].content[1]");
    assert!(fields(json!({"n": -1})).count("n").is_err());
    assert!(fields(json!({"n": 1.5})).count("n").is_err());
    assert_eq!(fields(json!({"n": 100.0})).count("n").unwrap(), Some(100));
    assert!(fields(json!({"n": 1e300})).integer("n").is_err());
    assert!(fields(json!({"n": u64::MAX})).count("n").is_err(), "beyond what anybody means");
}

#[test]
fn what_nobody_takes_is_kept_in_order_for_its_own_dialect() {
    let mut fields = fields(json!({"z": 1, "role": "user", "b": {"c": 2}, "gone": null, "a": 3}));
    assert_eq!(fields.need_text("role").unwrap(), "user");
    let rest = fields.rest();
    let names: Vec<&String> = rest.of(Dialect::Chat).unwrap().keys().collect();
    assert_eq!(names, ["z", "b", "a"]);
    assert!(rest.of(Dialect::Gemini).is_none());
    assert_eq!(rest.foreign_to(Dialect::Gemini).collect::<Vec<_>>(), ["z", "b", "a"]);
    assert_eq!(rest.foreign_to(Dialect::Chat).count(), 0);
    let mut object = json!({"a": "mine"}).as_object().unwrap().clone();
    rest.add_to(Dialect::Chat, &mut object);
    assert_eq!(Value::Object(object), json!({"a": "mine", "z": 1, "b": {"c": 2}}));
}

#[test]
fn what_cannot_be_done_is_refused_by_name_or_left_out_as_the_setting_says() {
    let refused = Loss::new(&Losses::NONE).cannot("top_k", "is unknown to this model").unwrap_err();
    assert_eq!(&*refused.param, "top_k");
    assert!(refused.message.starts_with("`top_k` is unknown to this model;"), "{}", refused.message);
    let allowed = Losses::allowed(["top_k"]);
    let mut loss = Loss::new(&allowed);
    loss.cannot("top_k", "is unknown to this model").unwrap();
    loss.cannot("top_k", "is unknown to this model").unwrap();
    assert!(loss.cannot("seed", "is unknown to this model").is_err());
    loss.note("metadata");
    let dropped: Vec<_> = loss.finish("{}".into()).dropped.into_iter().map(|dropped| dropped.param).collect();
    assert_eq!(dropped, ["top_k", "metadata"], "each once");
    let all = Losses::allowed(["*"]);
    assert!(Loss::new(&all).cannot("seed", "is unknown").is_ok());
}

fn text_part() -> impl Strategy<Value = Part> {
    let citation =
        prop::collection::vec(any::<u8>().prop_map(|n| (Dialect::Anthropic, json!({"at": n}))), 0..3);
    (".{0,30}", citation, prop::option::of(opaque())).prop_map(|(text, citations, opaque)| Part::Text {
        text,
        citations,
        cache: None,
        opaque,
    })
}

fn opaque() -> impl Strategy<Value = Opaque> {
    ".{0,20}".prop_map(|data| Opaque {
        dialect: Dialect::Gemini,
        origin: Some(origin("p", "m")),
        data: data.into(),
    })
}

fn part() -> impl Strategy<Value = Part> {
    let reasoning = (".{0,30}", any::<bool>(), prop::option::of(opaque()), any::<bool>()).prop_map(
        |(text, is_summary, opaque, is_redacted)| {
            Part::Reasoning(Reasoning { text, is_summary, opaque, is_redacted, id: None })
        },
    );
    let call = ("[a-z]{1,8}", "[a-z_]{1,8}", ".{0,30}", any::<bool>(), prop::option::of(opaque())).prop_map(
        |(id, name, arguments, is_custom, opaque)| {
            let (id, name) = (id.into(), name.into());
            Part::ToolCall(ToolCall { id, name, arguments, is_custom, opaque, cache: None })
        },
    );
    let whole = Just(Part::Other(Dialect::Responses, json!({"type": "web_search_call"})));
    prop_oneof![text_part(), ".{0,30}".prop_map(Part::Refusal), reasoning, call, whole]
}

fn answer() -> impl Strategy<Value = Answer> {
    let candidates = prop::collection::vec(prop::collection::vec(part(), 0..5), 0..3);
    candidates.prop_map(|candidates| Answer {
        id: Some("a1".into()),
        model: Some("m".into()),
        created: Some(7),
        candidates: candidates
            .into_iter()
            .zip(0..)
            .map(|(parts, index)| Candidate {
                index,
                parts,
                stop: Some(Stop::new(StopKind::End)),
                logprobs: Some(json!({"content": [index]})),
                rest: Rest::default(),
            })
            .collect(),
        usage: Some(wellhead_types::Usage { input_tokens: 3, ..Default::default() }),
        ..Answer::default()
    })
}

proptest! {
    #[test]
    fn an_answer_and_its_stream_say_the_same(answer in answer()) {
        let mut fold = Fold::default();
        for event in answer.clone().into_events() {
            fold.push(event).unwrap();
        }
        prop_assert!(fold.is_ended());
        prop_assert_eq!(fold.finish(), answer);
    }
}

fn start(part: u32) -> Event {
    Event::PartStart { candidate: 0, part, kind: PartKind::Text }
}

fn delta(part: u32, delta: Delta) -> Event {
    Event::Delta { candidate: 0, part, delta }
}

#[test]
fn a_stream_that_contradicts_itself_is_no_answer() {
    let last = |events: Vec<Event>| {
        let mut fold = Fold::default();
        events.into_iter().map(|event| fold.push(event)).last().unwrap()
    };
    let text = || Delta::Text("x".to_owned());
    assert_eq!(last(vec![start(1)]), Err(FoldError::OutOfOrder(1)));
    assert_eq!(last(vec![start(0), start(0)]), Err(FoldError::OutOfOrder(0)));
    assert_eq!(last(vec![delta(0, text())]), Err(FoldError::NotOpen(0)));
    let end = Event::PartEnd { candidate: 0, part: 0 };
    assert_eq!(last(vec![start(0), end.clone(), delta(0, text())]), Err(FoldError::NotOpen(0)));
    assert_eq!(last(vec![start(0), end.clone(), end]), Err(FoldError::NotOpen(0)));
    assert_eq!(last(vec![start(0), delta(0, Delta::Arguments("{".into()))]), Err(FoldError::Mismatch(0)));
    assert_eq!(
        last(vec![Event::PartStart { candidate: u32::MAX, part: 0, kind: PartKind::Text }]),
        Err(FoldError::TooLarge)
    );
    // Parts may be open side by side.
    assert_eq!(last(vec![start(0), start(1), delta(0, text()), delta(1, text())]), Ok(()));
}

#[test]
fn probabilities_of_chunks_are_joined() {
    let mut fold = Fold::default();
    for content in [json!([1, 2]), json!([3])] {
        let logprobs = json!({"content": content, "refusal": null});
        fold.push(Event::Logprobs { candidate: 0, logprobs }).unwrap();
    }
    let answer = fold.finish();
    assert_eq!(answer.candidates[0].logprobs, Some(json!({"content": [1, 2, 3], "refusal": null})));
}
