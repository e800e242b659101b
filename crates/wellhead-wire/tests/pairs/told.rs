//! Whole answers, and errors instead of one.

use super::golden::{check, pretty};
use super::{Spoken, pairs, shown};
use bytes::Bytes;
use http::HeaderMap;
use std::fmt::Write as _;
use wellhead_wire::chat::{Dialect, ErrorShown};
use wellhead_wire::failure::{classify, upstream_message};
use wellhead_wire::translate::{decode_answer, encode_error, write_answer, write_error};

/// As the gateway does it: what comes is made one of OpenAI's, and that one of the client's.
fn answer(client: &Spoken, target: &Spoken) -> Bytes {
    let own = match target.dialect {
        Dialect::Chat => Bytes::from_static(target.answer),
        dialect => decode_answer(dialect, target.answer, &target.origin(), &shown()).unwrap(),
    };
    match client.dialect {
        Dialect::Chat => own,
        dialect => write_answer(dialect, &own, &target.origin(), &shown()).unwrap(),
    }
}

#[test]
fn what_clients_get() {
    for (client, target) in pairs() {
        let body = pretty(&answer(client, target));
        let head = format!("A client of {} at a target of {}.", client.name(), target.name());
        check(&format!("{}-at-{}.answer.txt", client.name(), target.name()), &format!("{head}\n\n{body}\n"));
    }
}

#[test]
fn what_clients_are_told_of_errors() {
    const NOW_UNIX_S: u64 = 1_700_000_000;
    for (client, target) in pairs() {
        let mut text = format!("A client of {} at a target of {}.\n", client.name(), target.name());
        for (name, status, body) in target.errors {
            let failure = classify(None, *status, &HeaderMap::new(), body.as_bytes(), NOW_UNIX_S);
            let message = upstream_message(body.as_bytes()).unwrap();
            let code = failure.cause.as_str();
            let shown = ErrorShown { status: *status, code, message: &message, param: None, request_id: "" };
            let own = encode_error(&shown);
            let told = match client.dialect {
                Dialect::Chat => own,
                dialect => write_error(dialect, *status, &own, "req-1"),
            };
            let judged = format!(
                "{:?} at {:?}, again: {:?}, wait: {:?}",
                failure.cause, failure.scope, failure.retry, failure.retry_after
            );
            writeln!(text, "\n{name}, {status}: {judged}\n{}", pretty(&told)).unwrap();
        }
        check(&format!("{}-at-{}.error.txt", client.name(), target.name()), &text);
    }
}
