//! What goes wrong at the start is said at once, with a way out.

use std::sync::Arc;

use tempfile::TempDir;

use crate::support::{Gateway, LIMIT, sim, single};

/// Runs a gateway that is not to start; its exit code and what it said.
async fn fails(dir: &TempDir, config: &str) -> (Option<i32>, String) {
    let child = Gateway::spawn(dir, Some(config), &[]);
    let output = tokio::time::timeout(LIMIT, child.wait_with_output()).await.expect("it started").unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn a_second_gateway_on_the_same_port_fails_loudly() {
    let sim = sim();
    let first = Gateway::start(&single(&sim)).await;
    let same = single(&sim).replace("gateway: \"127.0.0.1:0\"", &format!("gateway: \"{}\"", first.addr));
    let (code, told) = fails(&TempDir::new().unwrap(), &same).await;
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains(&first.addr.port().to_string()) && told.contains("in use"), "{told}");
    let same = single(&sim).replace("admin: \"127.0.0.1:0\"", &format!("admin: \"{}\"", first.admin));
    let (code, told) = fails(&TempDir::new().unwrap(), &same).await;
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains(&first.admin.port().to_string()), "{told}");
    assert_eq!(first.chat(false).await.status, 200, "the first one goes on");
}

#[tokio::test]
async fn a_second_gateway_on_the_same_data_directory_fails_loudly() {
    let text = single(&sim());
    let first = Gateway::start(&text).await;
    let dir: Arc<TempDir> = first.shared_dir();
    let (code, told) = fails(&dir, &text).await;
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("data"), "{told}");
}

#[tokio::test]
async fn an_invalid_configuration_ends_with_3_and_names_every_error_with_its_line() {
    let text = single(&sim()).replace("base_url", "bse_url").replace("provider: a", "provider: zz");
    let (code, told) = fails(&TempDir::new().unwrap(), &text).await;
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("bse_url") && told.contains("base_url") && told.contains("zz"), "{told}");
    assert!(told.matches("wellhead.yaml:").count() >= 2, "{told}");
    assert!(!told.contains("sk-upstream"), "{told}");
}
