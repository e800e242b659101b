#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::Trace;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn headers(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
    }
    map
}

fn random() -> [u8; 24] {
    std::array::from_fn(|i| u8::try_from(i).unwrap() + 1)
}

fn trace(value: &[u8]) -> Trace {
    Trace::from_headers(&headers(&[("traceparent", value)]), random())
}

#[test]
fn a_valid_parent_is_continued() {
    let trace = trace(VALID.as_bytes());
    assert_eq!(trace.trace_id[..4], [0x0a, 0xf7, 0x65, 0x19]);
    assert_eq!(trace.parent_id.unwrap()[..2], [0xb7, 0xad]);
    assert_eq!(trace.span_id, [17, 18, 19, 20, 21, 22, 23, 24]);
    assert!(trace.sampled);
    let sent_on = trace.traceparent(trace.span_id);
    assert_eq!(sent_on, "00-0af7651916cd43dd8448eb211c80319c-1112131415161718-01");
}

#[test]
fn flags_are_passed_on_as_far_as_they_are_known() {
    for (flags, sampled, sent) in
        [("00", false, "00"), ("02", false, "02"), ("03", true, "03"), ("ff", true, "03")]
    {
        let value = format!("{}{flags}", &VALID[..53]);
        let trace = trace(value.as_bytes());
        assert_eq!(trace.sampled, sampled, "{flags}");
        assert!(trace.traceparent([1; 8]).to_str().unwrap().ends_with(&format!("-{sent}")), "{flags}");
    }
}

#[test]
fn a_later_version_is_read_as_far_as_it_is_known() {
    let later = format!("01{}-more", &VALID[2..]);
    assert!(trace(later.as_bytes()).parent_id.is_some());
    assert!(trace(format!("01{}", &VALID[2..]).as_bytes()).parent_id.is_some());
    assert!(trace(format!("01{}more", &VALID[2..]).as_bytes()).parent_id.is_none());
}

#[test]
fn a_malformed_parent_begins_a_new_trace() {
    let zero_trace = format!("00-{}-b7ad6b7169203331-01", "0".repeat(32));
    let zero_span = format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", "0".repeat(16));
    let malformed = [
        "",
        &VALID[..54],
        &format!("{VALID}-x"),
        &format!("{VALID}0"),
        &format!("ff{}", &VALID[2..]),
        &VALID.to_uppercase(),
        &VALID.replace('-', "_"),
        &VALID.replace("0af7", "0ag7"),
        &zero_trace,
        &zero_span,
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
    ];
    for value in malformed {
        let trace = trace(value.as_bytes());
        assert_eq!(trace.parent_id, None, "{value:?}");
        assert_eq!(
            trace.traceparent(trace.span_id),
            "00-0102030405060708090a0b0c0d0e0f10-1112131415161718-03"
        );
    }
    let twice = headers(&[("traceparent", VALID.as_bytes()), ("traceparent", VALID.as_bytes())]);
    assert_eq!(Trace::from_headers(&twice, random()).parent_id, None);
    assert_eq!(trace(&[0xff; 55]).parent_id, None);
}

#[test]
fn ids_are_never_all_zero() {
    let trace = Trace::from_headers(&HeaderMap::new(), [0; 24]);
    assert!(trace.trace_id != [0; 16] && trace.span_id != [0; 8]);
    assert_ne!(super::span_id([0; 8]), [0; 8]);
    assert_eq!(super::span_id([7; 8]), [7; 8]);
}

fn state(values: &[&str]) -> Option<String> {
    let mut map = headers(&[("traceparent", VALID.as_bytes())]);
    for value in values {
        map.append("tracestate", HeaderValue::from_str(value).unwrap());
    }
    let state = Trace::from_headers(&map, random()).tracestate(&map)?;
    Some(state.to_str().unwrap().to_owned())
}

#[test]
fn well_formed_state_is_passed_on() {
    for value in ["a=1", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", "t@v=x y", "1a/_-*=~", "a=1 , ,\tb=2"] {
        assert_eq!(state(&[value]).as_deref(), Some(value), "{value}");
    }
    assert_eq!(state(&["a=1", "b=2,c=3"]).as_deref(), Some("a=1,b=2,c=3"));
    let most = (0..32).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join(",");
    assert_eq!(state(&[&most]), Some(most.clone()));
    assert_eq!(state(&[&most, "more=v"]), None);
}

#[test]
fn malformed_state_is_left_behind() {
    let long_value = format!("a={}", "x".repeat(257));
    let long_list = format!("a={},b={}", "x".repeat(255), "y".repeat(255));
    for value in ["", ",", "a", "a=", "=1", "A=1", "a=1,a=2", "a=b=c", "_a=1", &long_value, &long_list] {
        assert_eq!(state(&[value]), None, "{value}");
    }
    assert_eq!(state(&[]), None);
    let orphan = headers(&[("tracestate", b"a=1")]);
    assert_eq!(
        Trace::from_headers(&orphan, random()).tracestate(&orphan),
        None,
        "state of a trace that is not continued"
    );
}

proptest! {
    #[test]
    fn what_is_written_can_be_read(ids in any::<[u8; 24]>(), sampled: bool, span in any::<[u8; 8]>()) {
        prop_assume!(span != [0; 8]);
        let first = Trace { sampled, ..Trace::from_headers(&HeaderMap::new(), ids) };
        let value = first.traceparent(span);
        let next = trace(value.as_bytes());
        prop_assert_eq!((next.trace_id, next.parent_id, next.sampled), (first.trace_id, Some(span), sampled));
    }

    #[test]
    fn no_value_panics(value in prop::collection::vec(0x20_u8..=0xff, 0..80)) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            let mut map = HeaderMap::new();
            map.insert("traceparent", value.clone());
            map.insert("tracestate", value);
            let _ = Trace::from_headers(&map, [1; 24]).tracestate(&map);
        }
    }
}
