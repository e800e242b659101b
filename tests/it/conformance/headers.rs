//! Which headers cross the gateway, in which direction.

use std::collections::BTreeMap;

use wellhead_sim::{Fault, LoggedRequest, Rule, Sim};

use crate::support::{Answer, CHAT, Gateway, KEY, PROVIDER_KEY, Request, chat, config, sim, single};

async fn ask(headers: &[(&str, &str)]) -> (LoggedRequest, Answer, Gateway) {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let request = Request::post(CHAT).json(&chat(false));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    let answer = gateway.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.everything());
    (sim.requests().remove(0), answer, gateway)
}

#[tokio::test]
async fn the_trace_of_the_client_is_continued() {
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let (seen, answer, gateway) =
        ask(&[("traceparent", &format!("00-{trace}-{parent}-01")), ("tracestate", "vendor=abc,other=1")])
            .await;
    let sent = seen.header("traceparent").unwrap();
    let parts: Vec<&str> = sent.split('-').collect();
    assert_eq!((parts[0], parts[1], parts[3]), ("00", trace, "01"), "{sent}");
    assert!(parts[2] != parent && parts[2].len() == 16 && parts[2] != "0000000000000000", "{sent}");
    assert_eq!(seen.header("tracestate"), Some("vendor=abc,other=1"));
    assert_eq!(gateway.record(answer.header("x-request-id")).await["trace_id"], trace);
}

#[tokio::test]
async fn a_trace_context_that_is_not_valid_starts_a_new_trace() {
    for wrong in [
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "nonsense",
    ] {
        let (seen, answer, gateway) = ask(&[("traceparent", wrong), ("tracestate", "vendor=abc")]).await;
        // None, or one of the gateway's own making.
        let sent = seen.header("traceparent").unwrap_or_default();
        assert!(
            !sent.to_lowercase().contains("4bf92f35") && !sent.contains("nonsense"),
            "{wrong} became {sent}"
        );
        let own = gateway.record(answer.header("x-request-id")).await["trace_id"].clone();
        assert!(
            own.as_str().unwrap().trim_matches('0').len() > 8 && own != "4bf92f3577b34da6a3ce929d0e0e4736",
            "{own}"
        );
        assert_eq!(seen.header("tracestate"), None, "the state belongs to the trace that was dropped");
    }
}

#[tokio::test]
async fn a_valid_request_id_is_kept_and_another_one_replaced_by_a_uuid() {
    for id in ["a", "order-4711.a_b", &"x".repeat(64)] {
        let (_, answer, _) = ask(&[("x-request-id", id)]).await;
        assert_eq!((answer.header("x-request-id"), answer.header("request-id")), (id, id));
    }
    for id in ["a b", "a\"b", "<script>", "ä", &"x".repeat(300), ""] {
        let (_, answer, _) = ask(&[("x-request-id", id)]).await;
        let made = answer.header("x-request-id");
        assert_eq!((made.len(), &made[14..15]), (36, "7"), "{id:?} became {made}");
        assert_eq!(answer.header("request-id"), made);
    }
}

#[tokio::test]
async fn hop_by_hop_and_forwarding_headers_and_cookies_stop_at_the_gateway() {
    let hop = [
        ("connection", "keep-alive, x-named-hop"),
        ("x-named-hop", "1"),
        ("keep-alive", "timeout=5"),
        ("proxy-authorization", "Basic c2VjcmV0"),
        ("proxy-connection", "keep-alive"),
        ("te", "trailers"),
        ("trailer", "x-late"),
        ("cookie", "session=secret"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-host", "evil.example"),
        ("x_forwarded_for", "203.0.113.7"),
        ("x-real-ip", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7"),
        ("x-wellhead-target", "b/m2"),
    ];
    let (seen, _, _) = ask(&hop).await;
    for (name, value) in hop {
        let got = seen.header(name);
        assert!(got.is_none_or(|got| got != value), "{name}: {value} reached the provider");
    }
    assert_eq!(seen.header("x-named-hop"), None);
    for (name, value) in &seen.headers {
        assert!(!value.contains("203.0.113.7") && !value.contains("evil.example"), "{name}: {value}");
    }
}

#[tokio::test]
async fn the_clients_key_stays_and_the_providers_key_goes() {
    let (seen, answer, _) = ask(&[("x-api-key", KEY), ("api-key", KEY)]).await;
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {PROVIDER_KEY}").as_str()));
    for (name, value) in &seen.headers {
        assert!(!value.contains(KEY), "{name} carries the client's key");
    }
    assert!(!answer.everything().contains(PROVIDER_KEY));
}

#[tokio::test]
async fn connection_cannot_take_away_what_the_gateway_needs() {
    let (seen, answer, _) =
        ask(&[("connection", "authorization, content-type, host, content-length, x-request-id")]).await;
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {PROVIDER_KEY}").as_str()));
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn headers_of_the_client_library_are_passed_on() {
    let passed = [
        ("user-agent", "OpenAI/Python 2.9.0"),
        ("openai-beta", "assistants=v2"),
        ("x-stainless-lang", "python"),
    ];
    let (seen, _, _) = ask(&passed).await;
    for (name, value) in passed {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn headers_of_the_configuration_reach_the_provider() {
    let sim = sim();
    let text = config(&format!(
        "providers:\n  a: {{ kind: openai-compatible, base_url: \"{}\", keys: [k-1], headers: {{ X-Team: red }} }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}] }}\n",
        sim.base_url()
    ));
    let gateway = Gateway::start(&text).await;
    assert_eq!(gateway.chat(false).await.status, 200);
    assert_eq!(sim.requests()[0].header("x-team"), Some("red"));
}

#[tokio::test]
async fn the_answer_says_how_it_came_about_and_nothing_of_the_providers_bookkeeping() {
    let (_, answer, _) = ask(&[]).await;
    for (name, value) in [
        ("x-wellhead-survival", "direct"),
        ("x-wellhead-target", "a/m1"),
        ("x-wellhead-route", "chat"),
        ("x-wellhead-attempts", "1"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert!(
        answer.header("x-wellhead-overhead-ms").parse::<f64>().is_ok_and(|ms| ms < 1000.0),
        "{:?}",
        answer.headers
    );
    assert!(!answer.header("x-request-id").starts_with("req_"), "that is the provider's id");
    let limits = answer.headers.iter().filter(|(name, _)| name.to_lowercase().starts_with("x-ratelimit"));
    assert_eq!(limits.count(), 0, "the provider's limits are not the app's: {:?}", answer.headers);
}

async fn redirected(to: &Sim) -> (Answer, Sim) {
    let sim = sim();
    let headers = BTreeMap::from([("location".to_owned(), format!("{}/chat/completions", to.base_url()))]);
    sim.set_fault(Rule::always(Fault::Status {
        code: 307,
        headers,
        body: Some("gone".into()),
        retry_after: None,
    }));
    let gateway = Gateway::start(&single(&sim)).await;
    (gateway.chat(false).await, sim)
}

#[tokio::test]
async fn redirects_of_a_provider_are_never_followed() {
    let evil = sim();
    let (answer, sim) = redirected(&evil).await;
    assert!(evil.requests().is_empty(), "the key went to another origin");
    assert!(!sim.requests().is_empty());
    assert!(!answer.everything().contains(&evil.addr().port().to_string()), "{}", answer.everything());
}
