//! Keys over the API: shown once, revoked at once, expiring by themselves.

use serde_json::json;

use crate::support::{CONFIG, Instance};

async fn with_app(dir: &std::path::Path) -> Instance {
    let instance = Instance::start(dir, CONFIG).await;
    instance.call("POST", "/api/v1/apps", &[], r#"{"name":"shop"}"#).await.expect(201);
    instance
}

#[tokio::test]
async fn the_text_of_a_key_is_shown_once_and_kept_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let instance = with_app(dir.path()).await;
    let answer = instance.call("POST", "/api/v1/apps/shop/keys", &[], r#"{"name":"ci"}"#).await;
    let made = answer.expect(201);
    let text = made["key"].as_str().unwrap().to_owned();
    assert!(text.starts_with("wh_live_") && text.ends_with(made["tail"].as_str().unwrap()));
    let id = made["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/api/v1/apps/shop/keys/{id}").as_str()));
    for path in [
        format!("/api/v1/apps/shop/keys/{id}"),
        "/api/v1/apps/shop/keys".into(),
        "/api/v1/apps/shop".into(),
        "/api/v1/generations".into(),
        "/api/v1/status".into(),
    ] {
        let answer = instance.get(&path).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.text.contains(&text[8..40]), "{path}");
        assert!(!answer.text.contains("hash"), "{path}");
    }
    let data = instance.stop().await;
    for entry in std::fs::read_dir(data).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(32).any(|w| w == &text.as_bytes()[8..40]));
    }
}

#[tokio::test]
async fn a_revoked_key_is_out_of_service_when_the_answer_comes() {
    let dir = tempfile::tempdir().unwrap();
    let instance = with_app(dir.path()).await;
    let made = instance.call("POST", "/api/v1/apps/shop/keys", &[], "").await.expect(201);
    let (text, path) =
        (made["key"].as_str().unwrap(), format!("/api/v1/apps/shop/keys/{}", made["id"].as_str().unwrap()));
    assert_eq!(instance.app_of(text).as_deref(), Some("shop"));
    let revoked = instance.call("DELETE", &path, &[], "").await.expect(200);
    assert_eq!(revoked["state"], "revoked");
    assert_eq!(instance.app_of(text), None);
    let generation = instance.published().generation;
    assert_eq!(instance.call("DELETE", &path, &[], "").await.expect(200), revoked, "twice is the same");
    assert_eq!(instance.published().generation, generation, "and changes nothing");
    instance.call("DELETE", "/api/v1/apps/shop/keys/key_0", &[], "").await.problem(404, "key-not-found");
    instance.call("POST", "/api/v1/apps/nobody/keys", &[], "").await.problem(404, "app-not-found");
}

#[tokio::test]
async fn a_key_that_expires_goes_out_of_service_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let instance = with_app(dir.path()).await;
    let made =
        instance.call("POST", "/api/v1/apps/shop/keys", &[], r#"{"expires_in_s":1}"#).await.expect(201);
    assert_eq!(made["expires_at_ms"].as_u64().unwrap() - made["created_at_ms"].as_u64().unwrap(), 1000);
    assert_eq!(instance.published().apps["shop"].keys.len(), 1);
    instance.wait_for_snapshot(|snapshot| snapshot.apps["shop"].keys.is_empty()).await;
    let path = format!("/api/v1/apps/shop/keys/{}", made["id"].as_str().unwrap());
    assert_eq!(instance.get(&path).await.expect(200)["state"], "expired");
}

#[tokio::test]
async fn wrong_wishes_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let instance = with_app(dir.path()).await;
    for (body, pointer) in [
        (json!({"name": ""}), "/name"),
        (json!({"name": "a\nb"}), "/name"),
        (json!({"name": "x".repeat(101)}), "/name"),
        (json!({"expires_in_s": 0}), "/expires_in_s"),
        (json!({"expires_in_s": -1}), "/expires_in_s"),
        (json!({"expires_in_s": 1.5}), "/expires_in_s"),
        (json!({"key": "my-own"}), "/key"),
    ] {
        let answer = instance.call("POST", "/api/v1/apps/shop/keys", &[], &body.to_string()).await;
        assert_eq!(answer.problem(422, "invalid-request")["errors"][0]["pointer"], pointer, "{body}");
    }
}

#[tokio::test]
async fn a_change_takes_effect_although_its_client_has_gone() {
    let dir = tempfile::tempdir().unwrap();
    let instance = with_app(dir.path()).await;
    instance.send_and_leave("POST", "/api/v1/apps/shop/keys").await;
    instance.wait_for_snapshot(|snapshot| snapshot.apps["shop"].keys.len() == 1).await;
}
