#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod lane;
mod lives;
mod log;
mod outbox;

use super::{Accepted, Finished, How, Id, Record};

pub(super) fn accepted(id: u128, app: &str, model: &str) -> Accepted {
    Accepted {
        id: Id(id),
        order: u64::try_from(id).unwrap(),
        app: app.into(),
        key_id: format!("{app}#1").into(),
        model: model.into(),
        endpoint: "/v1/chat/completions".to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        key: None,
        digest: String::new(),
        request_id: "r".to_owned(),
        accepted_ms: 1_000,
        expires_ms: 50_000,
    }
}

pub(super) fn accept(id: u128, app: &str, model: &str) -> Record {
    Record::Accepted(Box::new(accepted(id, app, model)))
}

pub(super) fn start(id: u128) -> Record {
    Record::Started { id: Id(id), at_ms: 2_000, target: "p/m".into(), doubt: None }
}

pub(super) fn back(id: u128, certain: bool) -> Record {
    Record::Returned { id: Id(id), at_ms: 3_000, certain, cause: "server_error".to_owned() }
}

pub(super) fn end(id: u128, how: How, status: u16) -> Record {
    let end = Finished {
        how,
        at_ms: 4_000,
        keep_until_ms: 90_000,
        status,
        headers: Vec::new(),
        code: None,
        notify: false,
    };
    Record::Finished { id: Id(id), end: Box::new(end) }
}
