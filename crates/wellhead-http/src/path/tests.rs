#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{PATH_BYTES_MAX, PathError, model_id, normalize};
use crate::fuzz::fuzz_path;
use proptest::prelude::*;
use std::borrow::Cow;

#[test]
fn every_spelling_of_an_endpoint_is_one_path() {
    let spellings = [
        "/v1/chat/completions",
        "/chat/completions",
        "//v1//chat///completions",
        "/v1/v1/chat/completions",
        "/v1/v1/v1/chat/completions/",
        "/v1/chat/completions/",
        "/chat/completions//",
    ];
    for path in spellings {
        assert_eq!(normalize(path).as_deref(), Ok("/v1/chat/completions"), "{path}");
    }
    for path in ["/", "//", "/v1", "/v1/", "/v1/v1", "/v1//v1/"] {
        assert_eq!(normalize(path).as_deref(), Ok("/v1"), "{path}");
    }
}

#[test]
fn only_the_first_segments_are_the_version() {
    assert_eq!(normalize("/v1/models/v1").as_deref(), Ok("/v1/models/v1"));
    assert_eq!(normalize("/v1beta/models").as_deref(), Ok("/v1/v1beta/models"));
    assert_eq!(normalize("/v1.1/x").as_deref(), Ok("/v1/v1.1/x"));
}

#[test]
fn a_canonical_path_is_not_copied() {
    for path in ["/v1/chat/completions", "/v1", "/v1/models/meta-llama/Llama-3.1-8B:free", "/v1/models/a%2Fb"]
    {
        assert!(matches!(normalize(path), Ok(Cow::Borrowed(same)) if same == path), "{path}");
    }
}

#[test]
fn what_servers_read_differently_is_refused() {
    let table = [
        ("", PathError::NotAbsolute),
        ("*", PathError::NotAbsolute),
        ("v1/chat", PathError::NotAbsolute),
        ("/v1/../admin", PathError::DotSegment),
        ("/v1/./chat", PathError::DotSegment),
        ("/..", PathError::DotSegment),
        ("/v1/%2e%2e/admin", PathError::Escape(b'.')),
        ("/v1/%2E%2E/admin", PathError::Escape(b'.')),
        ("/v1/.%2e/admin", PathError::Escape(b'.')),
        ("/v1/chat%2fcompletions", PathError::Escape(b'/')),
        ("/v1/chat%2Fcompletions", PathError::Escape(b'/')),
        ("/v1%2fchat", PathError::Escape(b'/')),
        ("/v1/chat%5ccompletions", PathError::Escape(b'\\')),
        ("/v1/chat%00", PathError::Escape(0)),
        ("/v1/chat%0d%0aHost:x", PathError::Escape(b'\r')),
        ("/v1/chat%3Fx", PathError::Escape(b'?')),
        ("/v1/chat%23x", PathError::Escape(b'#')),
        ("/v1/chat%3bx", PathError::Escape(b';')),
        ("/v1/%252e%252e/admin", PathError::Escape(b'%')),
        ("/v1/models/a%252fb", PathError::Escape(b'%')),
        ("/v1/%c0%ae%c0%ae/admin", PathError::NotUtf8),
        ("/v1/%c0%af", PathError::NotUtf8),
        ("/v1/%ed%a0%80", PathError::NotUtf8),
        ("/v1/%ff", PathError::NotUtf8),
        ("/v1/%", PathError::BadEscape),
        ("/v1/%2", PathError::BadEscape),
        ("/v1/%zz", PathError::BadEscape),
        ("/v1/%u002e", PathError::BadEscape),
        ("/v1/chat;x=y", PathError::Byte(b';')),
        ("/v1/..;x=/admin", PathError::Byte(b';')),
        ("/v1\\chat", PathError::Byte(b'\\')),
        ("/v1/chat#x", PathError::Byte(b'#')),
        ("/v1/chat?x", PathError::Byte(b'?')),
        ("/v1/chat\r\nX: y", PathError::Byte(b'\r')),
        ("/v1/chat\0", PathError::Byte(0)),
        ("/v1/a b", PathError::Byte(b' ')),
        ("/v1/\u{2025}", PathError::Byte(0xe2)),
        ("/v1/\u{ff0e}\u{ff0e}/x", PathError::Byte(0xef)),
        ("/v1/\"", PathError::Byte(b'"')),
        ("/v1/{id}", PathError::Byte(b'{')),
    ];
    for (path, why) in table {
        assert_eq!(normalize(path), Err(why), "{path:?}");
    }
}

#[test]
fn harmless_escapes_pass_as_they_are() {
    assert_eq!(normalize("/v1/models/gr%C3%BCn%20x").as_deref(), Ok("/v1/models/gr%C3%BCn%20x"));
}

#[test]
fn slashes_belong_to_names_of_models_only() {
    assert_eq!(normalize("/models/meta-llama%2FLlama-3").as_deref(), Ok("/v1/models/meta-llama%2FLlama-3"));
    assert_eq!(normalize("/v1/models/a%2f..%2fb"), Err(PathError::DotSegment));
    assert_eq!(normalize("/v1/models/..%2fb"), Err(PathError::DotSegment));
    assert_eq!(normalize("/v1/models%2fb"), Err(PathError::Escape(b'/')));
}

#[test]
fn the_name_of_a_model_is_decoded() {
    let table = [
        ("/v1/models/gpt-4o", Some("gpt-4o")),
        ("/v1/models/meta-llama/Llama-3", Some("meta-llama/Llama-3")),
        ("/v1/models/meta-llama%2FLlama-3", Some("meta-llama/Llama-3")),
        ("/v1/models/gr%C3%BCn%20x", Some("gr\u{fc}n x")),
        ("/v1/models", None),
        ("/v1/chat/completions", None),
    ];
    for (path, name) in table {
        assert_eq!(model_id(&normalize(path).unwrap()).as_deref(), name, "{path}");
    }
}

#[test]
fn long_paths_are_refused() {
    let longest = format!("/v1/{}", "a".repeat(PATH_BYTES_MAX - 4));
    assert!(normalize(&longest).is_ok());
    assert_eq!(normalize(&format!("{longest}a")), Err(PathError::TooLong(PATH_BYTES_MAX + 1)));
}

#[test]
fn a_refusal_says_why() {
    let text = |path| normalize(path).unwrap_err().to_string();
    assert_eq!(text("/v1/a%2Fb"), "the path contains %2F (an encoded '/'), which is ambiguous");
    assert_eq!(text("/v1/a\0"), "the path contains NUL, which is not allowed there");
    assert_eq!(text("/v1/../x"), "the path contains a '.' or '..' segment, which is ambiguous");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(4_096)))]

    /// Made of the pieces that attacks are made of.
    #[test]
    fn nothing_ambiguous_survives(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "/", "/", "v1", "models", "chat", ".", "..", "%2e", "%2F", "%2f", "%5C", "\\", ";", "%00", "%25", "%",
                "%c3%bc", "%c0%ae", "?", "#", ":", "a", "\u{e9}", "%0A", " ",
            ]),
            0..12,
        ),
    ) {
        fuzz_path(pieces.concat().as_bytes());
        fuzz_path(format!("/{}", pieces.concat()).as_bytes());
        fuzz_path(format!("/v1/models/{}", pieces.concat()).as_bytes());
    }

    #[test]
    fn no_bytes_panic(data in prop::collection::vec(any::<u8>(), 0..64)) {
        fuzz_path(&data);
    }

    /// What normalising changes is only slashes and the version: the other segments stay, byte for byte.
    #[test]
    fn segments_are_kept(
        segments in prop::collection::vec("[a-zA-Z0-9_~!$&'()*+,=:@-]{1,8}", 1..6),
        slashes in prop::collection::vec(1_usize..4, 6),
        versions in 0_usize..3,
    ) {
        prop_assume!(segments[0] != "v1");
        let all = std::iter::repeat_n("v1", versions).chain(segments.iter().map(String::as_str));
        let mut path = String::new();
        for (index, segment) in all.enumerate() {
            path.push_str(&"/".repeat(slashes[index % slashes.len()]));
            path.push_str(segment);
        }
        let expected = format!("/v1/{}", segments.join("/"));
        prop_assert_eq!(normalize(&path), Ok(Cow::Owned(expected)));
    }
}
