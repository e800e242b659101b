//! HTTP/2 on both sides, in clear text with prior knowledge.

use wellhead_sim::{Rule, Sim};

use crate::support::{CHAT, Gateway, H2, chat, config, expected, fault, sim, single};

#[tokio::test]
async fn a_client_may_speak_http2_with_prior_knowledge() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let expected = expected().await;
    let mut client = H2::connect(gateway.addr).await;
    for stream in [false, true] {
        let answer = client.post(CHAT, &chat(stream)).await;
        assert_eq!((answer.status, answer.content()), (200, expected.clone()));
        assert_eq!(answer.header("x-wellhead-survival"), "direct");
        assert!(!answer.header("x-request-id").is_empty());
        for hop in ["connection", "transfer-encoding", "keep-alive"] {
            assert_eq!(answer.header(hop), "", "RFC 9113 section 8.2.2 forbids {hop}");
        }
        assert!(!stream || answer.done());
    }
}

#[tokio::test]
async fn many_streams_share_one_connection() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let expected = expected().await;
    let client = H2::connect(gateway.addr).await;
    let streams = (0..40).map(|_| {
        let mut client = client.clone();
        tokio::spawn(async move { client.post(CHAT, &chat(true)).await })
    });
    for stream in streams.collect::<Vec<_>>() {
        let answer = stream.await.unwrap();
        assert!(answer.done());
        assert_eq!(answer.content(), expected);
    }
}

/// Two providers on one simulator, over HTTP/2.
fn upstream(sim: &Sim) -> String {
    let base = sim.base_url();
    config(&format!(
        "providers:\n  \
           a: {{ kind: openai-compatible, base_url: \"{base}\", keys: [k-1], protocol: http2 }}\n  \
           b: {{ kind: openai-compatible, base_url: \"{base}\", keys: [k-2], protocol: http2 }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}, {{ provider: b, model: m2, tier: 1 }}] }}\n"
    ))
}

#[tokio::test]
async fn a_target_may_be_asked_over_http2() {
    let sim = sim();
    let gateway = Gateway::start(&upstream(&sim)).await;
    for stream in [false, true] {
        let answer = gateway.chat(stream).await;
        assert_eq!((answer.status, answer.content()), (200, expected().await));
    }
    assert!(sim.requests().iter().all(|seen| seen.version == "HTTP/2"), "{:?}", sim.requests());
}

#[tokio::test]
async fn failures_of_http2_streams_are_survived() {
    for text in
        ["refuse", "reset-before-headers", "reset-after-headers", "cut-after:0", "status:503", "silence"]
    {
        let sim = sim();
        sim.set_fault(Rule::always(fault(text)).model("m1"));
        let gateway = Gateway::start(
            &upstream(&sim).replace("tier: 1 }] }", "tier: 1 }], timeouts: { first_token: 500ms } }"),
        )
        .await;
        let answer = gateway.chat(true).await;
        assert_eq!(
            (answer.status, answer.content()),
            (200, expected().await),
            "{text}: {}",
            answer.everything()
        );
        assert_eq!(answer.header("x-wellhead-survival"), "failed-over", "{text}");
        assert!(answer.done(), "{text}");
    }
}

#[tokio::test]
async fn a_broken_http2_stream_of_a_target_is_told_to_the_client() {
    for text in ["cut-after:5", "reset-after:5"] {
        let sim = sim();
        sim.set_fault(Rule::always(fault(text)));
        let gateway = Gateway::start(&upstream(&sim)).await;
        let answer = gateway.chat(true).await;
        assert!(!answer.done(), "{text}");
        assert_eq!(answer.stream_error().unwrap()["code"], "upstream_stream_interrupted", "{text}");
    }
}
