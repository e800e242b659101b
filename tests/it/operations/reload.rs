//! A new configuration takes over whole, without losing a request; an invalid one changes nothing and says why.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::support::{CHAT, Ending, Gateway, LIMIT, Request, chat, eventually, fault, sim, single};

async fn generation(gateway: &Gateway) -> u64 {
    gateway.status().await["config"]["generation"].as_u64().unwrap()
}

fn with_comment(text: &str, number: usize) -> String {
    // A model more, so that it is another configuration and not only another file.
    format!("{text}  extra-{number}: {{ targets: [{{ provider: a, model: m9 }}] }}\n")
}

#[tokio::test]
async fn reloading_ten_times_under_load_loses_nothing() {
    let sim = sim();
    let text = single(&sim);
    let gateway = Arc::new(Gateway::start(&text.replace("workers: 1", "workers: 2")).await);
    let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..16)
        .map(|index| {
            let (gateway, stop, answers) = (Arc::clone(&gateway), Arc::clone(&stop), Arc::clone(&answers));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let stream = index % 2 == 0;
                    let answer = gateway.chat(stream).await;
                    let whole =
                        answer.status == 200 && answer.ending == Ending::Proper && (!stream || answer.done());
                    assert!(whole, "{}", answer.everything());
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for round in 0..10 {
        let before = generation(&gateway).await;
        gateway.write_config(&with_comment(&text.replace("workers: 1", "workers: 2"), round));
        if round % 2 == 0 {
            gateway.signal("HUP");
        }
        eventually("the new generation", async || (generation(&gateway).await > before).then_some(())).await;
        let list = gateway.send(Request::get("/v1/models")).await.text().to_owned();
        assert!(list.contains(&format!("extra-{round}")), "{list}");
        let from = answers.load(Ordering::Relaxed);
        eventually("answers go on", async || (answers.load(Ordering::Relaxed) > from + 20).then_some(()))
            .await;
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
}

#[tokio::test]
async fn an_invalid_file_changes_nothing_and_says_why_with_file_and_line() {
    let sim = sim();
    let text = single(&sim);
    let gateway = Gateway::start(&text).await;
    let before = generation(&gateway).await;
    gateway.write_config(&text.replace("models:", "modles:"));
    let config = eventually("the refusal", async || {
        let config = gateway.status().await["config"].clone();
        (config["last_reload_ok"] == false).then_some(config)
    })
    .await;
    assert_eq!(config["generation"], before);
    let line = text.lines().position(|line| line.starts_with("models:")).unwrap() + 1;
    let errors = config["last_reload_errors"].to_string();
    assert!(errors.contains(&format!("wellhead.yaml:{line}:")) && errors.contains("modles"), "{errors}");
    assert!(gateway.metrics().await.contains("wellhead_config_last_reload_success 0"));
    assert!(gateway.output().contains("modles"), "the log says it too");
    assert_eq!(gateway.admin_get("/readyz").await.status, 200);
    assert_eq!(gateway.chat(true).await.status, 200, "the old one serves");
    gateway.write_config(&with_comment(&text, 1));
    eventually("the repaired file", async || {
        (gateway.status().await["config"]["last_reload_ok"] == true).then_some(())
    })
    .await;
    assert!(gateway.metrics().await.contains("wellhead_config_last_reload_success 1"));
}

#[tokio::test]
async fn a_stream_outlives_the_configuration_that_it_began_under() {
    let sim = sim();
    sim.set_fault(wellhead_sim::Rule::always(fault("slow-tokens:50")));
    let text = single(&sim);
    let gateway = Gateway::start(&text).await;
    let mut client = Request::post(CHAT).json(&chat(true)).open(gateway.addr).await;
    assert_eq!(client.head().await, 200);
    gateway.write_config(&text.replace("  chat:", "  renamed:"));
    eventually("the model is gone", async || (gateway.chat(false).await.status == 404).then_some(())).await;
    let answer = client.answer().await;
    assert!(answer.done(), "{}", answer.text());
    sim.wait_for(|log| log.iter().all(|seen| seen.ended.is_some()), LIMIT).await.unwrap();
}

#[tokio::test]
async fn a_reload_forgets_no_rest_of_a_key() {
    let sim = sim();
    sim.set_fault(wellhead_sim::Rule::always(fault("status:429,retry-after=60")));
    let text = single(&sim);
    let gateway = Gateway::start(&text).await;
    assert_eq!(gateway.chat(false).await.status, 429);
    let asked = sim.requests().len();
    gateway.write_config(&with_comment(&text, 1));
    eventually("the new generation", async || (generation(&gateway).await > 1).then_some(())).await;
    assert_eq!(gateway.chat(false).await.status, 429);
    assert_eq!(sim.requests().len(), asked, "state outlives configurations: the limited key was asked again");
}
