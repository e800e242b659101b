//! A fresh install: private files, no secret that two installs share, and an answer without any configuration.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use crate::support::{CHAT, Gateway, Request, chat, eventually, sim, single};

const FREE_PORTS: &[&str] = &["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];

/// The practice key of the banner.
fn practice_key(output: &str) -> String {
    let from = output.find("wh_").unwrap_or_else(|| panic!("no key was printed:\n{output}"));
    output[from..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '-').collect()
}

async fn fresh() -> Gateway {
    Gateway::start_in(Arc::new(TempDir::new().unwrap()), None, FREE_PORTS).await
}

async fn ask(gateway: &Gateway, key: &str) -> u16 {
    let list = gateway.send(Request::get("/v1/models").set("authorization", &format!("Bearer {key}"))).await;
    if list.status != 200 {
        return list.status;
    }
    let mut body = chat(true);
    body["model"] = list.json()["data"][0]["id"].clone();
    let request = Request::post(CHAT).set("authorization", &format!("Bearer {key}")).json(&body);
    let answer = gateway.send(request).await;
    assert!(answer.done(), "{}", answer.everything());
    answer.status
}

#[tokio::test]
async fn without_a_configuration_the_printed_key_gets_a_streamed_answer_from_the_practice_provider() {
    let gateway = fresh().await;
    let output = gateway.output();
    assert_eq!(ask(&gateway, &practice_key(&output)).await, 200);
    assert!(output.contains("curl") && output.contains(&gateway.addr.to_string()), "{output}");
}

#[tokio::test]
async fn two_fresh_installs_share_no_secret() {
    let (one, two) = (fresh().await, fresh().await);
    let keys = [practice_key(&one.output()), practice_key(&two.output())];
    assert_ne!(keys[0], keys[1]);
    assert_ne!(one.admin_token(), two.admin_token());
    assert_eq!(ask(&two, &keys[0]).await, 401);
    let foreign = one.api("GET", "/api/v1/apps").send(two.admin).await;
    assert_eq!(foreign.status, 401);
    let read = |gateway: &Gateway| std::fs::read(gateway.dir().join("data/instance.key")).unwrap();
    assert_ne!(read(&one), read(&two));
}

#[tokio::test]
async fn the_key_is_printed_once_and_still_works_after_a_restart() {
    let mut gateway = fresh().await;
    let key = practice_key(&gateway.output());
    gateway.signal("TERM");
    eventually("the drain", async || (gateway.admin_get("/readyz").await.status == 503).then_some(())).await;
    // Outside a terminal a drain takes half a minute; the second signal means now.
    gateway.signal("TERM");
    gateway.ended().await;
    let gateway = Gateway::start_in(gateway.shared_dir(), None, FREE_PORTS).await;
    assert!(!gateway.output().contains(&key), "{}", gateway.output());
    assert_eq!(ask(&gateway, &key).await, 200);
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn the_data_directory_and_its_files_are_private() {
    for gateway in [fresh().await, Gateway::start(&single(&sim())).await] {
        let data = gateway.dir().join("data");
        assert_eq!(mode(&data), 0o700);
        for entry in std::fs::read_dir(&data).unwrap() {
            let path = entry.unwrap().path();
            let wanted = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode(&path), wanted, "{}", path.display());
        }
    }
}

#[tokio::test]
async fn everything_listens_on_the_loopback_address_by_default() {
    let gateway = fresh().await;
    assert!(gateway.addr.ip().is_loopback() && gateway.admin.ip().is_loopback());
}

#[tokio::test]
async fn an_admin_listener_for_everybody_is_refused() {
    let dir = TempDir::new().unwrap();
    let text = single(&sim()).replace("admin: \"127.0.0.1:0\"", "admin: \"0.0.0.0:0\"");
    let child = Gateway::spawn(&dir, Some(&text), &[]);
    let output =
        tokio::time::timeout(crate::support::LIMIT, child.wait_with_output()).await.unwrap().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{told}");
    assert!(told.contains("0.0.0.0") && told.contains("admin"), "{told}");
}
