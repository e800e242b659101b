//! The span scanner against `serde_json`.

use crate::json::{ScanError, Splice, Text, find, quoted, scan, validate};
use serde_json::Value;

/// `serde_json` gives this name a meaning of its own, which no other parser knows.
const PRIVATE: &[u8] = b"$serde_json::private";

/// The scanner agrees with `serde_json` on what is valid, finds what it finds, and edits without damage.
pub fn json_scan(body: &[u8]) {
    if memchr::memmem::find(body, PRIVATE).is_some() {
        return;
    }
    let theirs = serde_json::from_slice::<Value>(body);
    let ours = validate(body);
    assert_eq!(ours.is_ok(), theirs.is_ok(), "{ours:?} {:?}", theirs.as_ref().err());
    match (scan(body, &["model", "a"]), &theirs) {
        (Ok(spans), Ok(Value::Object(map))) => {
            assert_eq!(spans.object.is_empty, map.is_empty());
            for (name, member) in ["model", "a"].into_iter().zip(&spans.members) {
                let value = member.as_ref().map(|member| &body[member.value.clone()]);
                let read =
                    value.map(|value| serde_json::from_slice::<Value>(value).expect("a span is a value"));
                assert_eq!(read.as_ref(), map.get(name));
                assert_eq!(value, find(body, &[name]));
                if let (Some(value), Some(Value::String(text))) = (value, &read) {
                    assert_eq!(&*Text::parse(value).expect("a string").decode(), text);
                }
            }
            edits(body, &spans.members, spans.object, map);
        }
        // A name twice is reported where it is met, whatever follows.
        (Err(ScanError::Duplicate { .. }), Ok(Value::Object(_)) | Err(_)) => {}
        (Err(ScanError::NotAnObject), Ok(other)) => assert!(!other.is_object()),
        (Err(ScanError::Syntax { at, .. } | ScanError::TooDeep { at }), Err(_)) => assert!(at <= body.len()),
        (ours, theirs) => panic!("{ours:?} {theirs:?}"),
    }
}

fn edits(
    body: &[u8],
    members: &[Option<crate::json::Member>],
    object: crate::json::ObjectSpan,
    before: &serde_json::Map<String, Value>,
) {
    let mut splice = Splice::new(body);
    let mut expected = before.clone();
    if let Some(member) = &members[0] {
        splice.replace(member.value.clone(), quoted("new\n"));
        expected.insert("model".to_owned(), Value::from("new\n"));
    }
    if let Some(member) = &members[1] {
        splice.remove(member);
        expected.remove("a");
    }
    // A name that the body already holds would be there twice.
    if !before.contains_key("inserted") {
        splice.insert(object, "inserted", b"[1]");
        expected.insert("inserted".to_owned(), Value::from(vec![1]));
    }
    let text = bytes::Bytes::copy_from_slice(body);
    let parts: Vec<_> = splice.clone().parts().iter().map(|part| part.of(&text)).collect();
    let whole = splice.finish();
    assert_eq!(parts.concat(), whole, "parts and copy say the same");
    let after: Value = serde_json::from_slice(&whole).expect("an edited object is JSON");
    assert_eq!(after, Value::Object(expected));
}
