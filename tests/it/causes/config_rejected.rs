//! A configuration that is refused on reload: the old one serves, and the status says so.

use crate::support::{Gateway, eventually, sim, single};

/// What is wrong with the new text: a name for it, and the change.
const CHANGES: [(&str, &str, &str); 4] = [
    ("an unknown section", "models:", "modles:"),
    ("an unknown provider", "provider: a,", "provider: b,"),
    ("a wrong type", "keys: [", "keys: 7 # ["),
    ("no YAML", "providers:", "providers: }{"),
];

/// Each variant with the printed code.
pub(super) async fn run() -> Vec<(&'static str, String)> {
    let sim = sim();
    let text = single(&sim);
    let gateway = Gateway::start(&text).await;
    let mut all = Vec::new();
    for (variant, from, to) in CHANGES {
        gateway.write_config(&text.replace(from, to));
        let finding = eventually(&format!("{variant} is refused"), async || {
            let status = gateway.status().await;
            let refused = status["config"]["last_reload_ok"] == false;
            refused.then(|| status["findings"][0].clone())
        })
        .await;
        assert_eq!(gateway.chat(false).await.status, 200, "the old one serves");
        let message = finding["message"].as_str().unwrap_or_default();
        assert!(message.contains("wellhead.yaml:") && message.contains("still serving"), "{finding}");
        all.push((variant, finding["code"].as_str().unwrap_or_default().to_owned()));
        gateway.write_config(&text);
        eventually("the repaired file", async || {
            (gateway.status().await["config"]["last_reload_ok"] == true).then_some(())
        })
        .await;
        assert_eq!(gateway.status().await["findings"].as_array().unwrap().len(), 0, "it is mended");
    }
    all
}
