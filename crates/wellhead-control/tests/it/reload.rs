//! Changing the configuration: valid takes effect whole, invalid changes nothing and is reported everywhere.

use std::process::Command;

use crate::support::{CONFIG, Instance, config_file};

const WRONG: &str =
    "version: 1\nproviders: {}\nmodels:\n  chat: { targets: [{ provider: nobody, model: m }] }\n";

fn with_model(name: &str) -> String {
    CONFIG.replace("  chat:", &format!("  {name}: {{ targets: [{{ provider: local, model: m }}] }}\n  chat:"))
}

#[tokio::test]
async fn a_changed_file_takes_effect_without_anybody_asking() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    config_file(dir.path(), &with_model("fresh"));
    instance.wait_for_snapshot(|snapshot| snapshot.models.contains_key("fresh")).await;
    assert_eq!(instance.published().generation, 2);
    // Editors and config maps replace the file instead of writing into it.
    std::fs::write(dir.path().join("new"), with_model("fresher")).unwrap();
    std::fs::rename(dir.path().join("new"), dir.path().join("wellhead.yaml")).unwrap();
    instance.wait_for_snapshot(|snapshot| snapshot.models.contains_key("fresher")).await;
}

#[tokio::test]
async fn sighup_loads_at_once_and_even_the_same_text() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    // The handler is there when the first probe is answered: both tasks were started before it.
    instance.get("/livez").await;
    let pid = std::process::id().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    instance.wait_for_snapshot(|snapshot| snapshot.generation == 2).await;
    let history = instance.get("/api/v1/generations").await.expect(200);
    assert_eq!(
        (&history["items"][0]["reason"], &history["items"][1]["reason"]),
        (&"SIGHUP".into(), &"start".into())
    );
}

#[tokio::test]
async fn an_invalid_file_changes_nothing_and_is_reported_with_lines_until_it_is_right_again() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    config_file(dir.path(), WRONG);
    let status = instance.wait_for_config(|status| !status.last_reload_ok).await;
    assert_eq!(status.generation, 1);
    assert!(
        status.last_reload_errors.iter().any(|e| e.contains("wellhead.yaml:4:") && e.contains("nobody")),
        "{status:?}"
    );
    assert_eq!(instance.published().generation, 1);
    let text = instance.get("/status?format=text").await.text;
    assert!(text.contains("refused") && text.contains("wellhead.yaml:4:"), "{text}");
    let newest = instance.get("/api/v1/generations?limit=1").await.expect(200)["items"][0].clone();
    assert_eq!((&newest["outcome"], &newest["generation"]), (&"rejected".into(), &1.into()));
    assert!(newest["messages"].to_string().contains("wellhead.yaml:4:"));

    // A change over the API still works, and does not hide that the file is wrong.
    instance.call("POST", "/api/v1/apps", &[], r#"{"name":"shop"}"#).await.expect(201);
    let status = instance.wait_for_config(|status| status.generation == 2).await;
    assert!(!status.last_reload_ok && !status.last_reload_errors.is_empty());
    assert!(instance.published().models.contains_key("chat"));

    config_file(dir.path(), CONFIG);
    let status = instance.wait_for_config(|status| status.last_reload_ok).await;
    assert_eq!((status.generation, status.last_reload_errors.len()), (3, 0));
    assert!(instance.published().apps.contains_key("shop"));
}

#[tokio::test]
async fn asking_for_a_reload_answers_with_the_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    config_file(dir.path(), WRONG);
    let problem =
        instance.call("POST", "/api/v1/reload", &[], "").await.problem(422, "invalid-configuration");
    let diagnostic = &problem["diagnostics"][0];
    assert_eq!(
        (diagnostic["line"].as_u64(), &diagnostic["severity"]),
        (Some(4), &"error".into()),
        "{problem}"
    );
    config_file(dir.path(), &with_model("fresh"));
    let applied = instance.call("POST", "/api/v1/reload", &[], "").await.expect(200);
    assert_eq!(applied["generation"], 2);
    assert!(instance.published().models.contains_key("fresh"));
    std::fs::remove_file(dir.path().join("wellhead.yaml")).unwrap();
    let problem =
        instance.call("POST", "/api/v1/reload", &[], "").await.problem(422, "invalid-configuration");
    assert!(problem["messages"][0].as_str().unwrap().contains("wellhead.yaml"), "{problem}");
    assert!(instance.published().models.contains_key("fresh"), "a file that is gone changes nothing");
}

#[tokio::test]
async fn a_rotated_secret_file_takes_effect_although_the_configuration_stays() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("secret"), "sk-first-secret\n").unwrap();
    let text = CONFIG.replace("sk-upstream-secret", "'${file:secret}'");
    let instance = Instance::start(dir.path(), &text).await;
    let key =
        |snapshot: &wellhead_config::Snapshot| snapshot.providers["local"].keys[0].secret.expose().to_owned();
    assert_eq!(key(&instance.published()), "sk-first-secret");
    std::fs::write(dir.path().join("secret"), "sk-second-secret\n").unwrap();
    instance.wait_for_snapshot(|snapshot| key(snapshot) == "sk-second-secret").await;
}

#[tokio::test]
async fn a_setting_that_needs_a_restart_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    config_file(dir.path(), &format!("{CONFIG}server: {{ workers: 3 }}\n"));
    let applied = instance.call("POST", "/api/v1/reload", &[], "").await.expect(200);
    assert!(applied["warnings"].to_string().contains("server.workers"), "{applied}");
}
