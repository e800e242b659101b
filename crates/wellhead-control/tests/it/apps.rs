//! Apps over the API: usable at once, changed only by whoever has seen the newest state, read-only when declared in
//! the file.

use serde_json::{Value, json};

use crate::support::{CONFIG, Instance};

async fn create(instance: &Instance, body: &Value) -> Value {
    instance.call("POST", "/api/v1/apps", &[], &body.to_string()).await.expect(201)
}

#[tokio::test]
async fn an_app_and_its_key_work_on_the_data_plane_when_the_answer_comes() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    let body =
        json!({"name": "shop", "models": ["chat"], "limits": {"rpm": 60, "tpm": 1000, "concurrency": 3}});
    let answer = instance.call("POST", "/api/v1/apps", &[], &body.to_string()).await;
    let made = answer.expect(201);
    assert_eq!(answer.header("location"), Some("/api/v1/apps/shop"));
    assert_eq!(
        (&made["models"], &made["limits"], &made["managed_by"]),
        (&body["models"], &body["limits"], &json!("store"))
    );

    let snapshot = instance.published();
    let app = &snapshot.apps["shop"];
    assert_eq!(snapshot.generation, 2);
    assert_eq!(app.models.as_ref().unwrap().iter().map(|m| &**m).collect::<Vec<_>>(), ["chat"]);
    assert_eq!((app.limits.rpm, app.limits.tpm, app.limits.concurrency), (Some(60), Some(1000), Some(3)));

    let key = instance.call("POST", "/api/v1/apps/shop/keys", &[], "").await.expect(201);
    assert_eq!(instance.app_of(key["key"].as_str().unwrap()).as_deref(), Some("shop"));
    assert_eq!(
        instance.app_of("wh-dev-0123456789abcdef").as_deref(),
        Some("dev"),
        "the file's app is still there"
    );
}

#[tokio::test]
async fn apps_and_keys_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    create(&instance, &json!({"name": "shop"})).await;
    let key = instance.call("POST", "/api/v1/apps/shop/keys", &[], "").await.expect(201)["key"].clone();
    let before = instance.published().generation;
    instance.stop().await;
    let again = Instance::start(dir.path(), CONFIG).await;
    assert_eq!(again.app_of(key.as_str().unwrap()).as_deref(), Some("shop"));
    assert!(again.published().generation > before, "generations never count backwards");
}

#[tokio::test]
async fn a_change_needs_the_etag_that_was_read() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    let answer =
        instance.call("POST", "/api/v1/apps", &[], r#"{"name":"shop","limits":{"rpm":5,"tpm":7}}"#).await;
    let etag = answer.header("etag").unwrap().to_owned();
    let patch = |headers: Vec<(&'static str, String)>, body: &'static str| {
        let instance = &instance;
        async move {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            instance.call("PATCH", "/api/v1/apps/shop", &headers, body).await
        }
    };
    patch(vec![], r#"{"limits":{"rpm":6}}"#).await.problem(428, "precondition-required");
    patch(vec![("if-match", "\"v999\"".into())], r#"{"limits":{"rpm":6}}"#)
        .await
        .problem(412, "version-mismatch");
    patch(vec![("if-match", "*".into())], r#"{"limits":{"rpm":6}}"#).await.problem(412, "version-mismatch");
    let changed = patch(vec![("if-match", etag.clone())], r#"{"limits":{"rpm":6}}"#).await;
    let new_etag = changed.header("etag").unwrap().to_owned();
    assert_eq!(
        changed.expect(200)["limits"],
        json!({"rpm": 6, "tpm": 7, "concurrency": null}),
        "the rest stays"
    );
    assert_eq!(instance.published().apps["shop"].limits.rpm, Some(6));
    patch(vec![("if-match", etag)], r#"{"limits":{"rpm":8}}"#).await.problem(412, "version-mismatch");
    let cleared = patch(vec![("if-match", new_etag)], r#"{"limits":{"rpm":null},"models":["chat"]}"#).await;
    let newest = cleared.header("etag").unwrap().to_owned();
    assert_eq!(cleared.expect(200)["limits"], json!({"rpm": null, "tpm": 7, "concurrency": null}));
    assert_eq!(instance.get("/api/v1/apps/shop").await.header("etag"), Some(newest.as_str()));

    instance.call("DELETE", "/api/v1/apps/shop", &[], "").await.problem(428, "precondition-required");
    let stale = instance.call("DELETE", "/api/v1/apps/shop", &[("if-match", "\"v1\"")], "").await;
    stale.problem(412, "version-mismatch");
    let gone = instance.call("DELETE", "/api/v1/apps/shop", &[("if-match", &newest)], "").await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert!(!instance.published().apps.contains_key("shop"));
    instance.get("/api/v1/apps/shop").await.problem(404, "app-not-found");
}

#[tokio::test]
async fn an_app_of_the_file_is_shown_and_the_answer_to_a_change_says_where_to_edit() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    let shown = instance.get("/api/v1/apps/dev").await.expect(200);
    let managed_by = shown["managed_by"].as_str().unwrap().to_owned();
    assert!(managed_by.ends_with("wellhead.yaml:7"), "{managed_by}");
    let keys = instance.get("/api/v1/apps/dev/keys").await.expect(200);
    assert_eq!(keys["items"][0]["managed_by"], managed_by.as_str());
    let id = keys["items"][0]["id"].as_str().unwrap().replace('#', "%23");
    instance.get(&format!("/api/v1/apps/dev/keys/{id}")).await.expect(200);

    for (method, path, body) in [
        ("POST", "/api/v1/apps", r#"{"name":"dev"}"#.to_owned()),
        ("PATCH", "/api/v1/apps/dev", "{}".to_owned()),
        ("DELETE", "/api/v1/apps/dev", String::new()),
        ("POST", "/api/v1/apps/dev/keys", "{}".to_owned()),
        ("DELETE", &format!("/api/v1/apps/dev/keys/{id}"), String::new()),
    ] {
        let problem = instance.call(method, path, &[], &body).await.problem(409, "managed-by-file");
        assert_eq!(problem["managed_by"], managed_by.as_str(), "{method} {path}");
        assert!(problem["detail"].as_str().unwrap().contains(&managed_by));
    }
    assert_eq!(instance.published().generation, 1, "nothing was changed");
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    let body =
        r#"{"name":"no good","models":["chat",7],"limits":{"rpm":0,"tpm":"x","a/b":1},"colour":"red"}"#;
    let problem = instance.call("POST", "/api/v1/apps", &[], body).await.problem(422, "invalid-request");
    let mut pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/colour", "/limits/a~1b", "/limits/rpm", "/limits/tpm", "/models/1", "/name"]);
    for (body, pointer) in [
        ("[]", ""),
        ("{}", "/name"),
        (r#"{"name":null}"#, "/name"),
        (r#"{"name":"a","limits":3}"#, "/limits"),
    ] {
        let problem = instance.call("POST", "/api/v1/apps", &[], body).await.problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    create(&instance, &json!({"name": "once"})).await;
    let twice = instance.call("POST", "/api/v1/apps", &[], r#"{"name":"once"}"#).await;
    assert_eq!(twice.problem(409, "app-exists")["errors"][0]["pointer"], "/name");
}

#[tokio::test]
async fn a_listing_shows_file_and_store_once_each_in_pages() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    for name in ["alpha", "beta", "delta", "gamma", "zeta"] {
        create(&instance, &json!({ "name": name })).await;
    }
    for limit in 1..=7 {
        let mut names = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = instance.get(&format!("/api/v1/apps?limit={limit}{cursor}")).await.expect(200);
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= limit);
            names.extend(items.iter().map(|app| app["name"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(names, ["alpha", "beta", "delta", "dev", "gamma", "zeta"], "limit {limit}");
    }
    for bad in ["limit=0", "limit=501", "limit=x", "colour=red"] {
        instance.get(&format!("/api/v1/apps?{bad}")).await.problem(400, "invalid-parameter");
    }
    instance.get("/api/v1/generations?cursor=x").await.problem(400, "invalid-parameter");
}

#[tokio::test]
async fn an_idempotency_key_makes_a_repeated_creation_the_same_creation() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    create(&instance, &json!({"name": "shop"})).await;
    let once = [("idempotency-key", "8e03978e-40d5-43dd-bc93-6894a57f9324")];
    let first = instance.call("POST", "/api/v1/apps/shop/keys", &once, r#"{"name":"ci"}"#).await.expect(201);
    let second = instance.call("POST", "/api/v1/apps/shop/keys", &once, r#"{"name":"ci"}"#).await.expect(201);
    assert_eq!(first, second);
    let keys = instance.get("/api/v1/apps/shop/keys").await.expect(200);
    assert_eq!(keys["items"].as_array().unwrap().len(), 1);
    let other = instance.call("POST", "/api/v1/apps/shop/keys", &once, r#"{"name":"cd"}"#).await;
    other.problem(422, "idempotency-key-reused");
}

#[tokio::test]
async fn the_file_wins_over_an_app_of_the_store_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::start(dir.path(), CONFIG).await;
    let etag = {
        let answer = instance.call("POST", "/api/v1/apps", &[], r#"{"name":"shop"}"#).await;
        answer.header("etag").unwrap().to_owned()
    };
    let text = CONFIG.replace("  dev:", "  shop: { keys: [wh-shop-0123456789abcdef] }\n  dev:");
    crate::support::config_file(dir.path(), &text);
    instance.call("POST", "/api/v1/reload", &[], "").await.expect(200);
    let status = instance.get("/api/v1/status").await.expect(200);
    assert!(status["config"]["warnings"].to_string().contains("shop"), "{status}");
    assert_eq!(instance.app_of("wh-shop-0123456789abcdef").as_deref(), Some("shop"));
    let listing = instance.get("/api/v1/apps").await.expect(200);
    assert_eq!(listing["items"].as_array().unwrap().len(), 2, "the name is listed once: {listing}");
    // Deleting the hidden one clears the warning.
    assert_eq!(instance.call("DELETE", "/api/v1/apps/shop", &[("if-match", &etag)], "").await.status, 204);
    let status = instance.get("/api/v1/status").await.expect(200);
    assert_eq!(status["config"]["warnings"], json!([]));
}
