//! A secret is never repeated, wherever it was written and whatever is wrong around it.

use wellhead_config::{Diagnostic, render};

use crate::support::{files, folder, loaded, try_load};

const CANARY: &str = "sk-canary-4242";

fn said(text: &str) -> (String, Vec<Diagnostic>) {
    let all = match try_load(text) {
        Ok((document, warnings)) => {
            assert!(!format!("{document:?}").contains(CANARY), "Debug of the document shows it:\n{text}");
            warnings
        }
        Err(all) => all,
    };
    (format!("{}{}", render(&all), serde_json::to_string(&all).unwrap()), all)
}

#[test]
fn no_diagnostic_shows_a_key() {
    let head = "version: 1\nproviders:\n  a:\n    kind: openai\n";
    let texts = [
        format!("{head}    keys: [{CANARY}, {CANARY}]\n"),
        format!("{head}    key: {CANARY}\n    keys: [{CANARY}]\n"),
        format!("{head}    keys: {CANARY}\n"),
        format!("{head}    keys: {{ {CANARY} }}\n"),
        format!("{head}    keys: [{{ {CANARY} }}]\n"),
        format!("{head}    keys: [{{ {CANARY}: 1, {CANARY}: 2 }}]\n"),
        format!("{head}    keys: {{ {CANARY}: \"${{MISSING}}\" }}\n"),
        format!("{head}    keys: [{{ secret: {CANARY}, id: [{CANARY}] }}]\n"),
        format!("{head}    api_keey: {CANARY}\n"),
        format!("{head}    keyy: [{CANARY}]\n"),
        format!("{head}    key: \"{CANARY}\\n\"\n"),
        format!("{head}    key: \"{CANARY}-${{MISSING}}\"\n"),
        format!("{head}    key: {CANARY}   # {CANARY}\n    wrong: 1   # {CANARY}\n"),
        format!("{head}    key: \"{CANARY}\n"),
        format!("{head}    keys: [{CANARY}\n  b: {{ kind: openai }}\n"),
        format!("{head}    key: *{CANARY}\n"),
        format!("{head}    key: ${{MISSING:{CANARY}}}\n"),
        format!("{head}    key: |\n      {CANARY}\n     bad\n"),
        format!("{head}    headers: {{ authorization: {CANARY}, x-a: \"{CANARY}\\r\" }}\n"),
        format!("{head}    key: x\n    base_url: https://{CANARY}:{CANARY}@host\n"),
        format!("{head}    key: x\n    base_url: https://host/v1?key={CANARY}\n"),
        format!("{head}    key: x\n    base_url: {CANARY}@host\n"),
        format!(
            "version: 1\napps: {{ a: {{ keys: [{CANARY}, {CANARY}, short] }}, b: {{ keys: [{CANARY}] }} }}\n"
        ),
    ];
    for text in texts {
        let (said, all) = said(&text);
        assert!(!all.is_empty(), "something is wrong with\n{text}");
        assert!(!said.contains(CANARY), "{text}\n=>\n{said}");
        assert!(!said.contains("4242"), "{text}\n=>\n{said}");
    }
}

#[test]
fn substituted_text_is_never_repeated() {
    let text = "version: ${WORD}
listen: { gateway: \"${WORD}\" }
limits: { connections_max: \"${WORD}\", header_timeout: \"${WORD}\" }
telemetry: { access_log: \"${WORD}\" }
";
    let (said, all) = said(text);
    assert_eq!(all.len(), 5, "{said}");
    assert!(!said.contains("canary-of-the-environment"), "{said}");
}

#[test]
fn what_was_read_of_a_secret_does_not_print() {
    for (_, text) in files(&folder("right")) {
        let (document, _) = loaded(&text);
        let debug = format!("{document:?}");
        for secret in ["sk-upstream", "wh-dev-0123456789abcdef", "sk-from-environment", "sk-from-file"] {
            assert!(!debug.contains(secret), "{secret} in {debug}");
        }
    }
}
