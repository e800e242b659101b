//! `kill -9` of a target under load loses no request that had not yet received content.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::support::{Answer, CHAT, Ending, Gateway, Request, SimProcess, chat, eventually, expected, tiers};

const STREAMS: usize = 50;
const ROUNDS: usize = 3;
/// Answers between two events: more than a whole round of the streams.
const ANSWERS: usize = 120;

#[derive(Default)]
struct Tally {
    stop: AtomicBool,
    answers: AtomicUsize,
    rescued: AtomicUsize,
    interrupted: AtomicUsize,
}

/// Why an answer is a loss, if it is one.
fn loss(answer: &Answer, expected: &str) -> Option<String> {
    let complete = answer.status == 200 && answer.done() && answer.content() == expected;
    let told = || {
        let content = answer.content();
        let code = answer.stream_error().map(|error| error["code"].clone());
        !content.is_empty()
            && expected.starts_with(&content)
            && !answer.done()
            && code == Some("upstream_stream_interrupted".into())
    };
    let fine = answer.ending == Ending::Proper && (complete || (answer.status == 200 && told()));
    (!fine).then(|| format!("{:?}: {}", answer.ending, answer.everything()))
}

async fn load(to: std::net::SocketAddr, tally: Arc<Tally>, expected: Arc<str>) -> Vec<String> {
    let mut losses = Vec::new();
    while !tally.stop.load(Ordering::Relaxed) {
        let answer = Request::post(CHAT).json(&chat(true)).send(to).await;
        match loss(&answer, &expected) {
            Some(loss) => losses.push(loss),
            None if !answer.done() => drop(tally.interrupted.fetch_add(1, Ordering::Relaxed)),
            None if answer.header("x-wellhead-survival") != "direct" => {
                tally.rescued.fetch_add(1, Ordering::Relaxed);
            }
            None => {}
        }
        tally.answers.fetch_add(1, Ordering::Relaxed);
    }
    losses
}

async fn more_answers(tally: &Tally) {
    let from = tally.answers.load(Ordering::Relaxed);
    eventually("answers go on coming", async || {
        (tally.answers.load(Ordering::Relaxed) >= from + ANSWERS).then_some(())
    })
    .await;
}

#[tokio::test]
async fn killing_the_first_target_under_load_loses_no_request_without_content() {
    let expected: Arc<str> = expected().await.into();
    let mut first = SimProcess::start(0, "5ms").await;
    let second = SimProcess::start(0, "5ms").await;
    let text = tiers(&first.base_url(), &second.base_url(), "timeouts: { first_token: 5s }");
    let gateway = Gateway::start(&text.replace("workers: 1", "workers: 2")).await;
    let tally = Arc::new(Tally::default());
    let clients: Vec<_> = (0..STREAMS)
        .map(|_| tokio::spawn(load(gateway.addr, Arc::clone(&tally), Arc::clone(&expected))))
        .collect();
    for _ in 0..ROUNDS {
        more_answers(&tally).await;
        first.kill().await;
        more_answers(&tally).await;
        first.restart().await;
    }
    more_answers(&tally).await;
    tally.stop.store(true, Ordering::Relaxed);
    let mut losses = Vec::new();
    for client in clients {
        losses.extend(client.await.unwrap());
    }
    let answers = tally.answers.load(Ordering::Relaxed);
    assert!(losses.is_empty(), "{} of {answers} were lost; the first: {}", losses.len(), losses[0]);
    assert!(tally.rescued.load(Ordering::Relaxed) > 0, "nothing had to be rescued, so nothing was tested");
}
