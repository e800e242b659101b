#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{NotCanonical, canonical};
use crate::checks;
use crate::json::NESTING_MAX;
use proptest::prelude::*;
use serde_json::{Map, Value};

fn form(text: &str) -> String {
    String::from_utf8(canonical(text.as_bytes()).unwrap()).unwrap()
}

#[test]
fn spelling_and_order_do_not_matter() {
    let plain = r#"{"a":[1,{"x":true,"y":null}],"b":"ä/\n"}"#;
    for other in [
        " {\t\"b\" : \"\\u00e4\\/\\n\" ,\n \"a\":[ 1 , {\"y\":null,\"x\":true} ] } ",
        r#"{"\u0061":[1,{"x":true,"\u0079":null}],"b":"\u00E4/\u000a"}"#,
    ] {
        assert_eq!(form(other), plain);
    }
    assert_eq!(form("[]"), "[]");
    assert_eq!(form(" {} "), "{}");
}

#[test]
fn everything_else_matters() {
    let base = form(r#"{"temperature":0,"messages":["a","b"],"stop":null}"#);
    for other in [
        r#"{"temperature":0.0,"messages":["a","b"],"stop":null}"#,
        r#"{"temperature":1,"messages":["a","b"],"stop":null}"#,
        r#"{"temperature":"0","messages":["a","b"],"stop":null}"#,
        r#"{"temperature":0,"messages":["b","a"],"stop":null}"#,
        r#"{"temperature":0,"messages":["a","b "],"stop":null}"#,
        r#"{"temperature":0,"messages":["a","b"]}"#,
        r#"{"temperature":0,"messages":["a,b"],"stop":null}"#,
        r#"{"Temperature":0,"messages":["a","b"],"stop":null}"#,
    ] {
        assert_ne!(form(other), base, "{other}");
    }
}

#[test]
fn a_name_that_comes_twice_has_no_meaning() {
    for twice in [r#"{"a":1,"a":1}"#, r#"{"b":0,"a":1,"\u0061":2}"#, r#"[{"x":{"a":1,"b":2,"a":1}}]"#] {
        assert!(matches!(canonical(twice.as_bytes()), Err(NotCanonical::Duplicate { .. })), "{twice}");
    }
    assert!(canonical(br#"[{"a":1},{"a":1}]"#).is_ok());
    assert!(matches!(canonical(b"{\"a\":"), Err(NotCanonical::Invalid(_))));
}

#[test]
fn nesting_is_bounded() {
    let depth = NESTING_MAX as usize;
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert_eq!(form(&nested(depth)), nested(depth));
    assert!(canonical(nested(depth + 1).as_bytes()).is_err());
    let objects = |levels: usize| "{\"b\":0,\"a\":".repeat(levels) + "1" + &"}".repeat(levels);
    checks::json_canonical(objects(depth).as_bytes());
    assert!(canonical(objects(100_000).as_bytes()).is_err());
}

/// Values of all kinds; numbers without fractions, which have one spelling only.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-d]{0,2}|.", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The same with every member the other way round.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let turned: Map<_, _> = map.iter().rev().map(|(name, v)| (name.clone(), reversed(v))).collect();
            Value::Object(turned)
        }
        Value::Array(list) => list.iter().map(reversed).collect(),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn equal_values_and_only_those_have_equal_forms(a in value(), b in value()) {
        let of = |value: &Value| canonical(value.to_string().as_bytes()).unwrap();
        prop_assert_eq!(of(&a), of(&reversed(&a)));
        let pretty = serde_json::to_vec_pretty(&reversed(&a)).unwrap();
        prop_assert_eq!(canonical(&pretty).unwrap(), of(&a));
        prop_assert_eq!(of(&a) == of(&b), a == b);
    }

    #[test]
    fn the_promises_hold_for_valid_texts(value in value()) {
        checks::json_canonical(value.to_string().as_bytes());
    }

    #[test]
    fn the_promises_hold_for_what_nearly_is_json(text in r#"[\[\]{}",:\\ab0-9eu. \n-]{0,40}"#) {
        checks::json_canonical(text.as_bytes());
    }
}
