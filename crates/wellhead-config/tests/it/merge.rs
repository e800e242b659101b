//! Apps of the store stand beside those of the file; where both claim something, the file wins and it is said.

use wellhead_config::snapshot::AppLimits;
use wellhead_config::{Severity, StoreApp, StoreKey};

use crate::support::{compiled_with, hasher};

const FILE: &str = "version: 1
providers: { p: { kind: ollama } }
models: { chat: { targets: [{ provider: p, model: m }] } }
apps:
  dev: { keys: [wh-dev-0123456789abcdef] }
";

fn stored(name: &str, key: &str, models: Option<Vec<String>>) -> StoreApp {
    let key = StoreKey { id: format!("{name}-key"), hash: hasher().hash(key.as_bytes()) };
    let limits = AppLimits { rpm: Some(5), ..AppLimits::default() };
    StoreApp { name: name.to_owned(), keys: vec![key], models, limits }
}

#[test]
fn an_app_of_the_store_is_served_like_one_of_the_file() {
    let app = stored("shop", "wh_live_shop", Some(vec!["chat".to_owned()]));
    let (snapshot, warnings) = compiled_with(FILE, std::slice::from_ref(&app));
    assert!(warnings.is_empty(), "{warnings:?}");
    let shop = &snapshot.apps["shop"];
    assert_eq!(shop.origin, "store");
    assert_eq!((shop.keys[0].hash, &*shop.keys[0].id), (app.keys[0].hash, "shop-key"));
    assert_eq!(shop.limits.rpm, Some(5));
    assert_eq!(shop.models.as_deref().unwrap()[0].as_ref(), "chat");
    assert_eq!(snapshot.apps["dev"].origin, "wellhead.yaml:5");
}

#[test]
fn a_name_of_the_file_is_not_taken_over() {
    let (snapshot, warnings) = compiled_with(FILE, &[stored("dev", "another", None)]);
    assert_eq!(snapshot.apps.len(), 1);
    assert_eq!(snapshot.apps["dev"].origin, "wellhead.yaml:5");
    assert_eq!(warnings.len(), 1);
    assert_eq!((warnings[0].severity, warnings[0].line), (Severity::Warning, 5));
    assert!(warnings[0].message.contains("\"dev\""), "{}", warnings[0]);
}

#[test]
fn a_key_has_one_owner() {
    let thief = stored("thief", "wh-dev-0123456789abcdef", None);
    let (snapshot, warnings) =
        compiled_with(FILE, &[thief, stored("one", "same", None), stored("two", "same", None)]);
    assert!(snapshot.apps["thief"].keys.is_empty() && snapshot.apps["two"].keys.is_empty());
    assert_eq!((snapshot.apps["dev"].keys.len(), snapshot.apps["one"].keys.len()), (1, 1));
    assert_eq!(warnings.len(), 2, "{warnings:?}");
}

#[test]
fn a_model_that_the_file_lacks_is_named() {
    let (snapshot, warnings) = compiled_with(FILE, &[stored("shop", "k", Some(vec!["gone".to_owned()]))]);
    assert_eq!(
        snapshot.apps["shop"].models.as_deref().unwrap().len(),
        1,
        "a list is never widened to all models"
    );
    assert!(warnings[0].message.contains("\"gone\""), "{warnings:?}");
}
