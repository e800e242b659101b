//! What a process starts with, and what it refuses to start with.

use wellhead_control::{ConfigSource, FirstLoadError};

use crate::support::{CONFIG, Instance, config_file};

#[tokio::test]
async fn an_invalid_file_stops_the_start_with_every_diagnostic_even_if_there_is_a_last_good() {
    let dir = tempfile::tempdir().unwrap();
    Instance::start(dir.path(), CONFIG).await.stop().await;
    let file = config_file(dir.path(), "version: 1\nprovidrs: {}\nmodels: 3\n");
    let Err(FirstLoadError::Invalid(diagnostics)) =
        Instance::start_from(dir.path(), ConfigSource::File(file)).await
    else {
        panic!("an invalid file must not start")
    };
    let lines: Vec<u32> = diagnostics.iter().map(|d| d.line).collect();
    assert!(lines.contains(&2) && lines.contains(&3), "{diagnostics:?}");
}

#[tokio::test]
async fn a_missing_file_falls_back_on_the_last_good_configuration_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let first = Instance::start(dir.path(), CONFIG).await;
    let generation = first.published().generation;
    first.stop().await;
    let file = dir.path().join("wellhead.yaml");
    std::fs::remove_file(&file).unwrap();

    let instance = Instance::start_from(dir.path(), ConfigSource::File(file)).await.unwrap();
    let note = instance.first.from_last_good.clone().expect("said loudly");
    assert!(note.contains("wellhead.yaml") && note.contains(&format!("generation {generation}")), "{note}");
    let snapshot = instance.published();
    assert_eq!(snapshot.providers["local"].keys[0].secret.expose(), "sk-upstream-secret");
    assert_eq!(instance.app_of("wh-dev-0123456789abcdef").as_deref(), Some("dev"));
    let status = instance.configurator.status();
    assert!(!status.last_reload_ok && status.last_reload_errors == [note]);
    // And when the file is back, it counts again.
    config_file(dir.path(), CONFIG);
    instance.wait_for_config(|status| status.last_reload_ok).await;
}

#[tokio::test]
async fn without_a_last_good_of_that_very_file_a_missing_file_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let missing = || ConfigSource::File(dir.path().join("missing.yaml"));
    let refused = Instance::start_from(dir.path(), missing()).await;
    assert!(matches!(refused, Err(FirstLoadError::Unreadable { .. })));
    Instance::start(dir.path(), CONFIG).await.stop().await;
    let refused = Instance::start_from(dir.path(), missing()).await;
    assert!(
        matches!(refused, Err(FirstLoadError::Unreadable { .. })),
        "another file's configuration is no rescue"
    );
}

#[tokio::test]
async fn built_in_text_serves_the_first_run() {
    let dir = tempfile::tempdir().unwrap();
    let source = ConfigSource::Builtin { name: "none: defaults".into(), text: CONFIG.into() };
    let instance = Instance::start_from(dir.path(), source).await.unwrap();
    assert_eq!(instance.configurator.status().source, "none: defaults");
    assert!(instance.published().models.contains_key("chat"));
    instance.call("POST", "/api/v1/reload", &[], "").await.expect(200);
}
