//! Who is asking: keys in the headers that SDKs use, and nothing else.

use crate::support::{CHAT, Gateway, KEY, Request, chat, sim, single};

#[tokio::test]
async fn a_key_is_taken_from_each_header_that_sdks_send_it_in() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    for (name, value) in [
        ("authorization", format!("Bearer {KEY}")),
        ("Authorization", format!("bearer {KEY}")),
        ("x-api-key", KEY.to_owned()),
        ("api-key", KEY.to_owned()),
    ] {
        let request = Request::post(CHAT).without("authorization").header(name, &value).json(&chat(false));
        assert_eq!(gateway.send(request).await.status, 200, "{name}: {value}");
    }
}

#[tokio::test]
async fn without_a_valid_key_nothing_is_answered_and_nothing_reaches_a_provider() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let none = Request::post(CHAT).without("authorization").json(&chat(false));
    let wrong =
        ["", "Bearer", "Bearer ", "Bearer wh-dev-wrong", "Basic d2g6d2g=", "Bearer wh-dev-0123456789abcdeg"];
    let wrong = wrong.iter().map(|value| none.clone().header("authorization", value));
    let other = [
        none.clone(),
        none.clone().header("x-api-key", "nope"),
        none.clone().header("api-key", "' OR 1=1 --"),
    ];
    let query =
        Request::post(&format!("{CHAT}?api_key={KEY}&key={KEY}")).without("authorization").json(&chat(false));
    for request in wrong.chain(other).chain([query]) {
        let answer = gateway.send(request.clone()).await;
        let code = answer.code();
        assert_eq!(answer.status, 401, "{request:?}");
        assert!(["invalid_api_key", "missing_api_key"].contains(&code.as_str()), "{code} for {request:?}");
        assert_eq!(answer.header("x-should-retry"), "false");
        assert!(!answer.everything().contains("wh-dev-wrong"), "a key is not repeated");
    }
    assert!(sim.requests().is_empty());
}

#[tokio::test]
async fn models_are_not_listed_without_a_key() {
    let gateway = Gateway::start(&single(&sim())).await;
    for path in ["/v1/models", "/v1/models/chat"] {
        assert_eq!(gateway.send(Request::get(path).without("authorization")).await.status, 401, "{path}");
    }
}
