//! The management API: a token in a private file opens it, and nothing else does.

use serde_json::json;

use crate::support::{CHAT, Gateway, KEY, Request, chat, sim, single};

const PROTECTED: &[(&str, &str)] = &[
    ("GET", "/api/v1/status"),
    ("GET", "/api/v1/apps"),
    ("POST", "/api/v1/apps"),
    ("GET", "/api/v1/apps/dev"),
    ("PATCH", "/api/v1/apps/dev"),
    ("DELETE", "/api/v1/apps/dev"),
    ("GET", "/api/v1/apps/dev/keys"),
    ("POST", "/api/v1/apps/dev/keys"),
    ("DELETE", "/api/v1/apps/dev/keys/x"),
    ("GET", "/api/v1/generations"),
    ("POST", "/api/v1/reload"),
];

#[tokio::test]
async fn without_the_token_every_call_is_401() {
    let gateway = Gateway::start(&single(&sim())).await;
    let token = gateway.admin_token();
    let nearly = format!("{}x", &token[..token.len() - 1]);
    for (method, path) in PROTECTED {
        for value in [
            "",
            "Bearer",
            "Bearer wrong",
            &format!("Bearer {nearly}"),
            &format!("Bearer {KEY}"),
            &format!("Basic {token}"),
        ] {
            let mut request = Request::new(method, path).without("authorization").json(&json!({"name": "x"}));
            if !value.is_empty() {
                request = request.header("authorization", value);
            }
            let answer = request.send(gateway.admin).await;
            assert_eq!(answer.status, 401, "{method} {path} with {value:?}: {}", answer.text());
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
        let query = format!("{path}?token={token}&access_token={token}");
        let answer = Request::new(method, &query).without("authorization").send(gateway.admin).await;
        assert_eq!(answer.status, 401, "a token in the query ends in logs: {method} {path}");
    }
    let ok = gateway.api("GET", "/api/v1/apps").send(gateway.admin).await;
    assert_eq!(ok.status, 200, "{}", ok.everything());
}

#[tokio::test]
async fn a_host_of_somebody_else_is_misdirected() {
    let gateway = Gateway::start(&single(&sim())).await;
    for host in ["evil.example", "evil.example:4001", "127.0.0.1.evil.example", "localhost.evil.example"] {
        for path in ["/api/v1/apps", "/status", "/metrics"] {
            let answer = gateway.api("GET", path).header("host", host).send(gateway.admin).await;
            assert_eq!(answer.status, 421, "{host} {path}: DNS rebinding");
        }
    }
    for host in ["localhost", "127.0.0.1", "[::1]:4001"] {
        assert_eq!(
            gateway.api("GET", "/api/v1/apps").header("host", host).send(gateway.admin).await.status,
            200,
            "{host}"
        );
    }
}

#[tokio::test]
async fn the_data_plane_serves_nothing_of_the_admin_plane() {
    let gateway = Gateway::start(&single(&sim())).await;
    for path in ["/api/v1/apps", "/status", "/metrics", "/readyz"] {
        assert_eq!(gateway.send(gateway.api("GET", path)).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_key_made_by_the_api_works_at_once_and_is_shown_once() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let call = async |method: &str, path: &str, body| {
        gateway.api(method, path).json(&body).send(gateway.admin).await
    };
    let app =
        call("POST", "/api/v1/apps", json!({"name": "shop", "models": ["chat"], "limits": {"rpm": 100}}))
            .await;
    assert_eq!(app.status, 201, "{}", app.everything());
    let made = call("POST", "/api/v1/apps/shop/keys", json!({"name": "first"})).await;
    assert_eq!(made.status, 201, "{}", made.everything());
    let (key, id) =
        (made.json()["key"].as_str().unwrap().to_owned(), made.json()["id"].as_str().unwrap().to_owned());
    let ask = async || {
        gateway
            .send(Request::post(CHAT).set("authorization", &format!("Bearer {key}")).json(&chat(false)))
            .await
    };
    let answer = ask().await;
    assert_eq!(
        (answer.status, answer.header("x-ratelimit-limit-requests")),
        (200, "100"),
        "{}",
        answer.everything()
    );
    for path in ["/api/v1/apps/shop/keys", "/api/v1/apps/shop", "/api/v1/apps"] {
        let shown = gateway.api("GET", path).send(gateway.admin).await;
        assert_eq!(shown.status, 200);
        assert!(!shown.text().contains(&key), "{path}");
    }
    let revoked = gateway.api("DELETE", &format!("/api/v1/apps/shop/keys/{id}")).send(gateway.admin).await;
    assert!((200..300).contains(&revoked.status), "{}", revoked.everything());
    assert_eq!(ask().await.status, 401, "a revoked key is out of service at once");
}

#[tokio::test]
async fn a_key_of_the_store_outlives_a_restart_and_a_reload() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let call = async |path: &str, body| gateway.api("POST", path).json(&body).send(gateway.admin).await;
    assert_eq!(call("/api/v1/apps", json!({"name": "shop"})).await.status, 201);
    let key = call("/api/v1/apps/shop/keys", json!({})).await.json()["key"].as_str().unwrap().to_owned();
    let ask = |gateway: &Gateway| {
        Request::post(CHAT)
            .set("authorization", &format!("Bearer {key}"))
            .json(&chat(false))
            .send(gateway.addr)
    };
    assert_eq!(call("/api/v1/reload", json!({})).await.status, 200);
    assert_eq!(ask(&gateway).await.status, 200);
    let dir = gateway.shared_dir();
    let mut gateway = gateway;
    gateway.signal("TERM");
    assert!(gateway.ended().await.success());
    let gateway = Gateway::start_in(dir, Some(&single(&sim)), &[]).await;
    assert_eq!(ask(&gateway).await.status, 200);
}
