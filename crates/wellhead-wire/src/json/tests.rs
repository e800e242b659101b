#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{NESTING_MAX, ScanError, Splice, Text, find, quoted, scan, validate};
use crate::checks;
use proptest::prelude::*;
use serde_json::Value;

fn value_of(body: &[u8], key: &'static str) -> Option<String> {
    let spans = scan(body, &[key]).unwrap();
    let [member] = spans.members;
    member.map(|m| String::from_utf8(body[m.value].to_vec()).unwrap())
}

#[test]
fn finds_top_level_members_only_and_keeps_their_bytes() {
    let body = br#" {"messages":[{"model":"inner"}], "model" : "gpt-x" , "n":2 } "#;
    assert_eq!(value_of(body, "model").as_deref(), Some("\"gpt-x\""));
    assert_eq!(value_of(body, "n").as_deref(), Some("2"));
    assert_eq!(value_of(body, "messages").as_deref(), Some(r#"[{"model":"inner"}]"#));
    assert_eq!(value_of(body, "stream"), None);
}

#[test]
fn an_escaped_name_is_the_same_name() {
    let body = br#"{"mod\u0065l":"a\u0062\"c"}"#;
    let spans = scan(body, &["model"]).unwrap();
    let member = spans.members[0].clone().unwrap();
    assert_eq!(Text::parse(&body[member.value]).unwrap().decode(), "ab\"c");
}

#[test]
fn a_requested_member_that_comes_twice_is_refused_by_name() {
    let twice = br#"{"model":"a","x":1,"mod\u0065l":"b"}"#;
    let error = scan(twice, &["model"]).unwrap_err();
    assert_eq!(error, ScanError::Duplicate { name: "model", at: 19 });
    assert!(error.to_string().contains("`model` appears twice"), "{error}");
    assert!(scan(twice, &["x"]).is_ok(), "a duplicate that nobody asked for is the upstream's business");
}

#[test]
fn errors_say_where_and_what_was_expected() {
    for (body, at, expected) in [
        (&b""[..], 0, "an object"),
        (b"{", 1, "a member name in double quotes"),
        (b"{\"a\" 1}", 5, "`:` after a member name"),
        (b"{\"a\":}", 5, "a value"),
        (b"{\"a\":1 \"b\":2}", 7, "`,` or `}` after a value in an object"),
        (b"{\"a\":[1 2]}", 8, "`,` or `]` after a value in an array"),
        (b"{\"a\":1}x", 7, "the end of the text"),
        (b"{\"a\":\"x\ny\"}", 7, "an escape instead of a bare control character"),
        (b"{\"a\":\"\xff\"}", 6, "valid UTF-8"),
        (b"{\"a\":1e999}", 5, "a number that fits a 64-bit float"),
    ] {
        let error = scan(body, &["model"]).unwrap_err();
        assert_eq!(error, ScanError::Syntax { at, expected }, "{}", String::from_utf8_lossy(body));
    }
    assert_eq!(scan(b" [1] ", &["model"]), Err(ScanError::NotAnObject));
}

#[test]
fn nesting_ends_where_serde_json_ends_it() {
    for depth in [1, 126, 127, 128, 129, 100_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let body = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let ours = validate(body.as_bytes());
            assert_eq!(ours.is_ok(), serde_json::from_str::<Value>(&body).is_ok(), "{open} {depth}");
            assert_eq!(ours.is_ok(), depth <= NESTING_MAX as usize);
        }
    }
    let inside = format!(r#"{{"model":{}{}}}"#, "[".repeat(127), "]".repeat(127));
    assert_eq!(scan(inside.as_bytes(), &["model"]), Err(ScanError::TooDeep { at: 135 }));
}

#[test]
fn corner_cases_are_judged_as_serde_json_judges_them() {
    for text in [
        "0",
        "-0",
        "01",
        "-",
        "1.",
        ".5",
        "1e5",
        "1E+5",
        "1e",
        "1e+",
        "1e308",
        "1e309",
        "-1e309",
        "1e-400",
        "0e999",
        "0e-999",
        "1e00001",
        "2e0308",
        "1e99999999999999999999",
        "+1",
        "NaN",
        "Infinity",
        "tru",
        "true",
        "nul",
        "null ",
        "\u{feff}1",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ud83dx\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\uD83D\\uDE00\"",
        "\"\u{7f}\"",
        "\"\t\"",
        "\"",
        "\"\\",
        "[1,]",
        "[,1]",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "[1}",
        "{\"a\"]",
        "[]x",
        "",
        " ",
        "[\"\\\\\"]",
        "\"12345678\\\"\"",
        "\"1234567",
        "{\"a\":{\"b\":[{}]}}",
    ] {
        checks::json_scan(text.as_bytes());
    }
    for (zeros, point) in [(309, ""), (308, ""), (400, "0.")] {
        checks::json_scan(format!("{point}1{}", "0".repeat(zeros)).as_bytes());
        checks::json_scan(format!("{point}{}1", "0".repeat(zeros)).as_bytes());
    }
}

#[test]
fn a_byte_that_matters_is_seen_wherever_in_a_string_it_stands() {
    let odd = ["\"", "\\n", "\\", "\0", "\u{1f}", " ", "!", "#", "[", "]", "\u{7f}", "\u{a2}", "\u{dc}"];
    for length in 0..72 {
        for at in 0..=length {
            let (before, behind) = ("x".repeat(at), "x".repeat(length - at));
            for odd in odd {
                checks::json_scan(format!("{{\"a\":\"{before}{odd}{behind}\"}}").as_bytes());
            }
        }
        checks::json_scan(format!("\"{}", "x".repeat(length)).as_bytes());
    }
}

#[test]
fn find_follows_a_path_and_says_none_for_everything_odd() {
    let body = br#"{"usage":{"prompt_tokens":7},"a":{"usage":{"prompt_tokens":9}}}"#;
    assert_eq!(find(body, &["usage", "prompt_tokens"]), Some(&b"7"[..]));
    assert_eq!(find(body, &["usage", "prompt_tokens", "x"]), None);
    assert_eq!(find(body, &["usage", "missing"]), None);
    assert_eq!(find(br#"{"a":1,"a":2}"#, &["a"]), Some(&b"2"[..]));
    assert_eq!(find(br#"{"usage":{"prompt_tokens":7}"#, &["usage", "prompt_tokens"]), None, "not JSON");
}

#[test]
fn removal_takes_the_right_comma_whatever_else_is_edited() {
    let body = br#"{ "a" : 1 , "b":2, "c":3 }"#;
    let spans = scan(body, &["a", "b", "c"]).unwrap();
    for mask in 0..8_u32 {
        for with_insert in [false, true] {
            let mut splice = Splice::new(body);
            let mut expected: serde_json::Map<String, Value> = serde_json::from_slice(body).unwrap();
            for (i, member) in spans.members.iter().enumerate() {
                if mask & (1 << i) != 0 {
                    splice.remove(member.as_ref().unwrap());
                    expected.remove(["a", "b", "c"][i]);
                }
            }
            if with_insert {
                splice.insert(spans.object, "new", b"true");
                expected.insert("new".to_owned(), Value::Bool(true));
            }
            let out = splice.finish();
            let got: Value = serde_json::from_slice(&out).unwrap_or_else(|e| panic!("{e}: {out:?}"));
            assert_eq!(got, Value::Object(expected), "{out:?}");
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("[a-d\"\\\\é\n]{0,3}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_get_serde_jsons_verdict(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        checks::json_scan(&bytes);
    }

    #[test]
    fn json_like_text_gets_serde_jsons_verdict(text in r#"[\[\]{}:,"\\/ ntrue0-9.eE+u\-dDfalse\x01é]{0,40}"#) {
        checks::json_scan(text.as_bytes());
    }

    #[test]
    fn damaged_json_gets_serde_jsons_verdict(value in any_json(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut text = serde_json::to_vec(&value).unwrap();
        checks::json_scan(&text);
        let at = at.index(text.len());
        text[at] = byte;
        checks::json_scan(&text);
        text.truncate(at);
        checks::json_scan(&text);
    }

    #[test]
    fn spans_are_the_values_that_serde_json_reads(value in any_json()) {
        let body = serde_json::to_vec_pretty(&serde_json::json!({ "before": value, "model": value, "after": 1 })).unwrap();
        let spans = scan(&body, &["model"]).unwrap();
        let member = spans.members[0].clone().unwrap();
        let read: Value = serde_json::from_slice(&body[member.value.clone()]).unwrap();
        let theirs: Value = serde_json::from_slice(&body).unwrap();
        prop_assert_eq!(&read, &theirs["model"]);
        prop_assert_eq!(find(&body, &["model"]), Some(&body[member.value]));
    }

    #[test]
    fn a_replacement_changes_that_value_and_no_other_byte(value in any_json(), model in any::<String>()) {
        let body = serde_json::to_vec(&serde_json::json!({ "a": value, "model": "old", "z": value })).unwrap();
        let member = scan(&body, &["model"]).unwrap().members[0].clone().unwrap();
        let mut splice = Splice::new(&body);
        splice.replace(member.value.clone(), quoted(&model));
        let out = splice.finish();
        prop_assert!(out.starts_with(&body[..member.value.start]));
        prop_assert!(out.ends_with(&body[member.value.end..]));
        let read: Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(read["model"].as_str(), Some(model.as_str()));
    }

    #[test]
    fn quoting_is_undone_by_serde_json(text in any::<String>()) {
        prop_assert_eq!(serde_json::from_slice::<String>(&quoted(&text)).unwrap(), text);
    }

    #[test]
    fn a_string_says_the_same_however_it_is_written_and_can_be_cut_at_every_character(
        characters in prop::collection::vec((any::<char>(), any::<bool>()), 0..12), before in "\\PC{0,3}",
    ) {
        let text: String = characters.iter().map(|(character, _)| *character).collect();
        let mut written = String::from("\"");
        for (character, escapes) in characters {
            if escapes {
                written.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
            } else {
                let quoted = String::from_utf8(quoted(&character.to_string())).unwrap();
                written.push_str(&quoted[1..quoted.len() - 1]);
            }
        }
        written.push('"');
        let read = Text::parse(written.as_bytes()).unwrap();
        let mut said = before.clone();
        read.push_to(&mut said);
        prop_assert_eq!(&said, &(before + &text));
        for (at, _) in text.char_indices() {
            let rest = format!("\"{}\"", &read.escaped()[read.offset_of(at)..]);
            prop_assert_eq!(serde_json::from_str::<String>(&rest).unwrap(), &text[at..]);
        }
        prop_assert_eq!(read.offset_of(text.len() + 1), read.escaped().len());
    }
}
