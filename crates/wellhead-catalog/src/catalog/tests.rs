//! The shipped data keeps its promises, and wrong data is refused with a place and a remedy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{BUILTIN, Catalog};
use crate::{Auth, Dialect, SOURCES, fits};

/// A right entry; tests change one line of it.
const RIGHT: &str = r#"[acme]
title = "Acme"
dialect = "openai"
base_url = "https://api.acme.example/v1"
auth = "bearer"
key_env = ["ACME_API_KEY"]
otel_name = "acme"
source = "vendor-page"
[acme.quirks]
stream_usage = false
endpoints = ["chat/completions"]
headers = [["x-client", "wellhead"]]
query = [["version", "2"]]
request_id_header = "acme-id"
"#;

fn builtin() -> Catalog {
    Catalog::builtin().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_shipped_file_parses_and_nothing_is_left_out() {
    let names: Vec<String> = builtin().names().map(str::to_owned).collect();
    let written = BUILTIN.iter().flat_map(|(_, text)| text.lines());
    let headers = written.filter(|line| line.starts_with('[') && !line.contains('.')).count();
    assert_eq!(names.len(), headers, "each table is one kind");
    assert!(names.is_sorted());
}

#[test]
fn the_files_are_all_those_of_the_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| std::path::Path::new(name).extension().is_some_and(|e| e == "toml"))
        .map(|name| format!("catalog/{name}"))
        .collect();
    found.sort();
    let mut embedded: Vec<&str> = BUILTIN.iter().map(|(name, _)| *name).collect();
    embedded.sort_unstable();
    assert_eq!(found, embedded);
}

#[test]
fn tables_are_sorted_within_their_file() {
    for (file, text) in BUILTIN {
        let names: Vec<&str> =
            text.lines().filter(|line| line.starts_with('[') && !line.contains('.')).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable_by_key(|name| name.trim_matches(['[', ']']));
        assert_eq!(names, sorted, "{file}");
    }
}

#[test]
fn the_openai_family_is_covered_and_the_three_roots_exist() {
    let catalog = builtin();
    let family = catalog.kinds().filter(|kind| kind.dialect == Dialect::Openai).count();
    assert!(family >= 45, "{family}");
    for root in ["openai", "azure-openai", "openai-compatible"] {
        assert_eq!(catalog.kind(root).map(|kind| kind.dialect), Some(Dialect::Openai), "{root}");
    }
    assert_eq!(catalog.kind("anthropic").map(|kind| kind.dialect), Some(Dialect::Anthropic));
    assert_eq!(catalog.kind("OpenAI"), None, "names are exact");
}

#[test]
fn keys_and_prompts_leave_the_machine_only_encrypted() {
    for kind in builtin().kinds() {
        let Some(url) = &kind.base_url else { continue };
        let local = url.starts_with("http://127.0.0.1:");
        assert!(url.starts_with("https://") || local, "{}: {url}", kind.name);
        if local {
            assert_eq!(kind.auth, Auth::OptionalBearer, "{}", kind.name);
            assert!(kind.key_env.is_empty(), "{}", kind.name);
        } else {
            assert!(!kind.key_env.is_empty(), "{}: a hosted vendor wants a key", kind.name);
        }
    }
}

#[test]
fn every_kind_says_how_it_is_known() {
    for kind in builtin().kinds() {
        assert!(SOURCES.contains(&kind.source.as_str()), "{}: {}", kind.name, kind.source);
    }
}

#[test]
fn two_kinds_never_share_an_address_unless_the_server_is_local_or_the_dialect_differs() {
    let catalog = builtin();
    let mut seen = std::collections::BTreeMap::new();
    for kind in catalog.kinds() {
        let Some(url) = kind.base_url.as_deref().filter(|url| url.starts_with("https")) else { continue };
        let other = seen.insert((url, format!("{:?}", kind.dialect)), &kind.name);
        assert_eq!(other, None, "{}: {url}", kind.name);
    }
}

#[test]
fn every_field_arrives() {
    let catalog = Catalog::parse([("a.toml", RIGHT)]).unwrap();
    let kind = catalog.kind("acme").unwrap();
    assert_eq!((&*kind.name, kind.title.as_str(), kind.otel_name.as_str()), ("acme", "Acme", "acme"));
    assert_eq!(kind.base_url.as_deref(), Some("https://api.acme.example/v1"));
    assert_eq!((&kind.auth, kind.key_env.as_slice()), (&Auth::Bearer, &["ACME_API_KEY".to_owned()][..]));
    let quirks = &kind.quirks;
    assert!(!quirks.stream_usage && !quirks.max_tokens_only);
    assert_eq!(quirks.endpoints, ["chat/completions"]);
    assert_eq!(quirks.headers, [("x-client".to_owned(), "wellhead".to_owned())]);
    assert_eq!(quirks.query, [("version".to_owned(), "2".to_owned())]);
    assert_eq!(quirks.request_id_header, "acme-id");
}

#[test]
fn the_clouds_have_credentials_of_their_own_kind() {
    let catalog = builtin();
    let auth = |name: &str| catalog.kind(name).unwrap().auth.clone();
    assert_eq!(auth("azure-openai"), Auth::AzureEntra);
    assert_eq!((auth("vertex"), auth("vertex-openai")), (Auth::GcpOauth, Auth::GcpOauth));
    let signed = |service: &str| Auth::AwsSigv4(service.to_owned());
    assert_eq!((auth("bedrock"), auth("bedrock-openai")), (signed("bedrock"), signed("bedrock")));
    assert_eq!(auth("bedrock-mantle"), signed("bedrock-mantle"));
}

#[test]
fn wrong_data_is_refused_with_its_line() {
    let table = [
        ("title = \"Acme\"", "title = \" \"", 1, "title is empty"),
        ("title = \"Acme\"", "titel = \"Acme\"", 2, "unknown field `titel`"),
        ("[acme]\n", "[Acme]\n", 1, "a-z, 0-9 and -"),
        ("\"openai\"", "\"opemai\"", 3, "unknown variant `opemai`"),
        ("https://api", "http://api", 1, "only loopback addresses may be http"),
        ("https://api", "ftp://api", 1, "expected https://"),
        ("/v1\"", "/v1/\"", 1, "remove the slash"),
        ("https://api", "https://me:secret@api", 1, "without user"),
        ("auth = \"bearer\"", "auth = { header = \"X-Key\" }", 1, "not a header name in lower case"),
        ("auth = \"bearer\"", "auth = \"none\"", 1, "auth is \"none\""),
        ("auth = \"bearer\"", "auth = { aws-sigv4 = \"Bed rock\" }", 1, "not the name of a service"),
        ("ACME_API_KEY", "acme key", 1, "A-Z, 0-9 and _"),
        ("vendor-page", "a friend", 1, "is not one of: recorded"),
        ("chat/completions", "/chat/completions", 1, "expected a path such as"),
        ("x-client", "authorization", 1, "credentials belong into auth"),
        ("\"wellhead\"", "\"a\\r\\nb: c\"", 1, "not printable ASCII"),
        ("[\"version\"", "[\"a&b\"", 1, "a parameter consists of"),
        ("stream_usage = false", "stream_usage = \"no\"", 10, "expected a boolean"),
        ("otel_name = \"acme\"\n", "", 1, "missing field `otel_name`"),
        ("source = \"vendor-page\"", "source = ", 8, ""),
    ];
    for (from, to, line, message) in table {
        let text = RIGHT.replacen(from, to, 1).replacen(
            "[acme.quirks]",
            if from == "[acme]\n" { "[Acme.quirks]" } else { "[acme.quirks]" },
            1,
        );
        assert_ne!(text, RIGHT, "{from}: the case changes nothing");
        let error = Catalog::parse([("a.toml", text.as_str())]).expect_err(to);
        assert_eq!(error.line, line, "{to}: {error}");
        assert!(error.message.contains(message), "{to}: {error}");
        assert!(error.to_string().starts_with(&format!("a.toml:{line}: ")), "{error}");
    }
}

#[test]
fn a_kind_is_declared_once_over_all_files() {
    let twice = format!("\n{RIGHT}");
    let error = Catalog::parse([("a.toml", RIGHT), ("b.toml", twice.as_str())]).unwrap_err();
    assert_eq!((error.file.as_str(), error.line), ("b.toml", 2));
    assert!(error.message.contains("\"acme\" is declared twice"), "{error}");
    let in_one_file = format!("{RIGHT}{RIGHT}");
    let error = Catalog::parse([("a.toml", in_one_file.as_str())]).unwrap_err();
    assert_eq!((error.file.as_str(), error.line), ("a.toml", 15), "{error}");
}

#[test]
fn a_pattern_fits_names_with_anything_in_the_place_of_its_star() {
    for (pattern, model, is_so) in [
        ("big-4*", "big-4-mini", true),
        ("big-4*", "big-4", true),
        ("big-*-mini", "big-5-mini", true),
        ("big-*-mini", "big-mini", false),
        ("*-mini", "big-mini", true),
        ("one", "one", true),
        ("one", "one-two", false),
        ("*", "", true),
    ] {
        assert_eq!(fits(pattern, model), is_so, "{pattern} {model}");
    }
    for wrong in ["a*b*", ""] {
        let text = format!("{RIGHT}prefill_models = [[\"{wrong}\", \"vllm\"]]\n");
        let error = Catalog::parse([("acme.toml", text.as_str())]).unwrap_err().to_string();
        assert!(error.contains("at most one *"), "{error}");
    }
}
