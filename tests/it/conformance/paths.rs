//! Where things are served, and what is said where nothing is.

use crate::support::{CHAT, Gateway, Request, chat, sim, single};

#[tokio::test]
async fn base_urls_with_and_without_v1_and_with_doubled_slashes_work() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let paths = [
        "/v1/chat/completions",
        "/chat/completions",
        "//v1//chat//completions",
        "/v1/v1/chat/completions",
        "/v1/chat/completions/",
        "/v1/chat/completions?api-version=2024-10-21",
    ];
    for path in paths {
        let answer = gateway.send(Request::post(path).json(&chat(false))).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.everything());
    }
    let log = sim.requests();
    assert_eq!(log.len(), paths.len());
    assert!(log.iter().all(|seen| seen.path == CHAT), "{log:?}");
}

#[tokio::test]
async fn an_unknown_path_is_a_json_404_that_names_the_base_url() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    for (method, path) in
        [("GET", "/"), ("GET", "/v1/nope"), ("POST", "/v1/chat/complete"), ("PUT", "/x/y/z")]
    {
        let answer = gateway.send(Request::new(method, path)).await;
        assert_eq!((answer.status, answer.header("content-type")), (404, "application/json"), "{path}");
        let error = answer.error();
        for member in ["type", "message", "param", "code"] {
            assert!(error.get(member).is_some(), "{path}: {member} is missing in {error}");
        }
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(&format!("http://{}/v1", gateway.addr)), "{path}: {message}");
        assert_eq!(answer.header("x-should-retry"), "false", "{path}");
    }
    assert!(sim.requests().is_empty());
}

#[tokio::test]
async fn a_known_path_with_another_method_says_which_method_it_takes() {
    let gateway = Gateway::start(&single(&sim())).await;
    let answer = gateway.send(Request::get(CHAT)).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{}", answer.everything());
}

#[tokio::test]
async fn paths_that_need_state_at_one_vendor_are_refused_by_name() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    for (method, path, name) in [
        ("POST", "/v1/files", "files"),
        ("GET", "/v1/files/file-1/content", "files"),
        ("DELETE", "/v1/files/file-1", "files"),
        ("POST", "/v1/batches", "batches"),
        ("GET", "/v1/batches/b-1", "batches"),
        ("GET", "/v1/responses/resp_1", "responses"),
        ("DELETE", "/v1/responses/resp_1", "responses"),
    ] {
        let answer = gateway.send(Request::new(method, path)).await;
        assert_eq!(answer.status, 501, "{method} {path}: {}", answer.everything());
        assert!(answer.error()["message"].as_str().unwrap().contains(name), "{path}: {}", answer.text());
        assert_eq!(answer.header("x-should-retry"), "false", "an SDK would repeat a 501: {path}");
    }
    assert!(sim.requests().is_empty());
}
