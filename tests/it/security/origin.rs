//! Nothing that a client sends chooses where a provider's key goes.

use serde_json::json;

use crate::support::{CHAT, Gateway, PROVIDER_KEY, Request, chat, sim, single};

#[tokio::test]
async fn no_field_and_no_header_of_a_request_changes_its_upstream() {
    let (good, evil) = (sim(), sim());
    let gateway = Gateway::start(&single(&good)).await;
    let url = evil.base_url();
    let host = evil.addr().to_string();
    let mut body = chat(false);
    for field in
        ["api_base", "base_url", "api_key", "host", "endpoint", "azure_endpoint", "custom_llm_provider"]
    {
        body[field] = json!(url);
    }
    let headers = [
        "x-forwarded-host",
        "x-original-host",
        "x-upstream-host",
        "x-base-url",
        "x-api-base",
        "x-wellhead-base-url",
        "x-portkey-custom-host",
        "helicone-target-url",
        "x-rewrite-url",
        "x-original-url",
    ];
    let request =
        headers.iter().fold(Request::post(CHAT).json(&body), |request, name| request.header(name, &url));
    let answers = [
        gateway.send(request).await,
        gateway.send(Request::post(CHAT).json(&chat(false)).header("host", &host)).await,
        gateway.send(Request::post(&format!("{CHAT}?api_base={url}")).json(&chat(false))).await,
    ];
    assert!(evil.requests().is_empty(), "{:?}", evil.requests());
    for answer in &answers {
        assert!(!answer.everything().contains(PROVIDER_KEY));
    }
    for seen in good.requests() {
        assert_eq!(seen.header("host"), Some(good.addr().to_string().as_str()), "the provider's own name");
        assert_eq!(seen.key.as_deref(), Some(PROVIDER_KEY));
    }
    assert!(!good.requests().is_empty());
}
