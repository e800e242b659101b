//! Invariant 7: no failure reaches a client except through `rescue.rs`, and no cut answer ends like a finished one.

use super::{Rule, Violation, numbered};
use crate::mask;
use crate::tree::Tree;

/// The data plane.
const PROXY: &str = "crates/wellhead-proxy/src";

/// Status codes of RFC 9110 (and 429 of RFC 6585) that say that something failed.
const FAILURES: [&str; 26] = [
    "BAD_GATEWAY",
    "BAD_REQUEST",
    "CONFLICT",
    "EXPECTATION_FAILED",
    "FAILED_DEPENDENCY",
    "FORBIDDEN",
    "GATEWAY_TIMEOUT",
    "GONE",
    "HTTP_VERSION_NOT_SUPPORTED",
    "INTERNAL_SERVER_ERROR",
    "LENGTH_REQUIRED",
    "LOOP_DETECTED",
    "METHOD_NOT_ALLOWED",
    "MISDIRECTED_REQUEST",
    "NOT_ACCEPTABLE",
    "NOT_FOUND",
    "NOT_IMPLEMENTED",
    "PAYLOAD_TOO_LARGE",
    "PRECONDITION_FAILED",
    "REQUEST_HEADER_FIELDS_TOO_LARGE",
    "REQUEST_TIMEOUT",
    "SERVICE_UNAVAILABLE",
    "TOO_MANY_REQUESTS",
    "UNAUTHORIZED",
    "UNPROCESSABLE_ENTITY",
    "UNSUPPORTED_MEDIA_TYPE",
];

/// One place answers for failures.
pub(crate) static RULE: Rule = Rule {
    name: "rescue",
    why: "one place decides what a client learns of a failure, so that every failure is explained and nothing leaks",
    fix: "return a Failure and let crates/wellhead-proxy/src/rescue.rs render it",
    check,
};

fn check(tree: &Tree) -> Vec<Violation> {
    let rescue = format!("{PROXY}/rescue");
    let outside = |path: &str| path != format!("{rescue}.rs") && !path.starts_with(&format!("{rescue}/"));
    let mut found = Vec::new();
    for file in tree.rust_in(PROXY).filter(|file| outside(&file.path)) {
        for (line, code) in numbered(&file.code) {
            if let Some(status) = built(code) {
                found.push(RULE.at(&file.path, line, format!("a failure answer ({status}) is built here")));
            }
        }
        for (line, code) in numbered(&file.code_and_strings) {
            if code.contains("[DONE]") {
                found.push(RULE.at(&file.path, line, "the mark of a finished stream is written here"));
            }
        }
    }
    found
}

/// The failing status that a line uses to build something, rather than to compare with.
fn built(code: &str) -> Option<String> {
    let compares = ["==", "!=", "matches!", "=>", "contains(&"].iter().any(|sign| code.contains(sign));
    let named = FAILURES.iter().find(|name| mask::has_word(code, &format!("StatusCode::{name}")));
    if let Some(name) = named.filter(|_| !compares) {
        return Some((*name).to_owned());
    }
    ["status(", "from_u16("].iter().find_map(|call| {
        let argument = code.split_once(call)?.1;
        let digits: String = argument.chars().take_while(char::is_ascii_digit).collect();
        (digits.len() == 3 && digits.starts_with(['4', '5'])).then_some(digits)
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tree::Tree;

    #[test]
    fn a_failure_answered_outside_rescue_is_found() {
        for code in [
            "let r = Response::builder().status(StatusCode::BAD_GATEWAY);",
            "*response.status_mut() = StatusCode::TOO_MANY_REQUESTS;",
            "let r = Response::builder().status(503);",
            "return answer(\n    StatusCode::NOT_FOUND,\n    body,\n);",
            "let end = \"data: [DONE]\\n\\n\";",
        ] {
            let planted = Tree::planted(&[("crates/wellhead-proxy/src/stages/a.rs", code)], &[]);
            assert_eq!(check(&planted).len(), 1, "{code}");
            let rescue = Tree::planted(&[("crates/wellhead-proxy/src/rescue.rs", code)], &[]);
            assert!(check(&rescue).is_empty(), "{code}");
        }
    }

    #[test]
    fn comparing_and_succeeding_are_left_alone() {
        for code in [
            "if status == StatusCode::TOO_MANY_REQUESTS { rest() }",
            "    StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Scope::Key,",
            "let r = Response::builder().status(StatusCode::OK);",
            "let r = Response::builder().status(200);",
        ] {
            let tree = Tree::planted(&[("crates/wellhead-proxy/src/stages/a.rs", code)], &[]);
            assert!(check(&tree).is_empty(), "{code}");
        }
    }
}
