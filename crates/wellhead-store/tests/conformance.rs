//! What every store promises, whatever database it is made of.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use wellhead_policy::{KeyHash, KeyHasher};
use wellhead_store::{
    AppQueries, AppSettings, GenerationOutcome, GenerationQueries, KEYS_PER_APP_MAX, KeyQueries,
    NewGeneration, NewKey, SqliteStore, StoreError,
};

trait Store: AppQueries + KeyQueries + GenerationQueries {}
impl<T: AppQueries + KeyQueries + GenerationQueries> Store for T {}

async fn sqlite() -> (tempfile::TempDir, SqliteStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("wellhead.db")).await.unwrap();
    (dir, store)
}

fn hash(text: &str) -> KeyHash {
    KeyHasher::new(&[7; 32]).hash(text.as_bytes())
}

fn key(id: &str) -> NewKey {
    NewKey { id: id.into(), name: None, tail: "ab12".into(), hash: hash(id), expires_at_ms: None }
}

fn settings(rpm: u64) -> AppSettings {
    AppSettings {
        models: Some(vec!["chat".into(), "it's \"odd\"".into()]),
        rpm: Some(rpm),
        ..AppSettings::default()
    }
}

fn generation(generation: u64, outcome: GenerationOutcome) -> NewGeneration {
    NewGeneration {
        generation,
        at_ms: 1_000 + generation,
        source: "wellhead.yaml".into(),
        sha256: "0".repeat(64),
        outcome,
        reason: "start".into(),
        actor: "system".into(),
        messages: vec!["a \"message\"".into()],
    }
}

async fn apps_are_kept_as_given(store: &impl Store) {
    let made = store.create_app("shop", &settings(60), 5).await.unwrap();
    assert_eq!((made.created_at_ms, made.updated_at_ms, &made.settings), (5, 5, &settings(60)));
    assert_eq!(store.get_app("shop").await.unwrap(), Some(made));
    assert_eq!(store.get_app("other").await.unwrap(), None);
    assert!(matches!(store.create_app("shop", &settings(1), 6).await, Err(StoreError::AppExists(_))));
    let unlimited = store.create_app("free", &AppSettings::default(), 7).await.unwrap();
    assert_eq!(unlimited.settings, AppSettings::default());
    let too_large = AppSettings { tpm: Some(u64::MAX), ..AppSettings::default() };
    assert!(matches!(
        store.create_app("huge", &too_large, 7).await,
        Err(StoreError::OutOfRange { what: "tpm" })
    ));
    let injection = "x'); DROP TABLE apps; --";
    store.create_app(injection, &AppSettings::default(), 8).await.unwrap();
    assert_eq!(store.get_app(injection).await.unwrap().unwrap().name, injection);
}

async fn changes_need_the_version_that_was_read_and_versions_never_come_back(store: &impl Store) {
    let one = store.create_app("versioned", &settings(1), 1).await.unwrap();
    let two = store.update_app("versioned", &settings(2), one.version, 2).await.unwrap();
    assert_eq!((two.created_at_ms, two.updated_at_ms, two.settings.rpm), (1, 2, Some(2)));
    let stale = store.update_app("versioned", &settings(3), one.version, 3).await;
    assert!(matches!(stale, Err(StoreError::VersionMismatch { current }) if current == two.version));
    assert!(matches!(
        store.delete_app("versioned", one.version).await,
        Err(StoreError::VersionMismatch { .. })
    ));
    store.delete_app("versioned", two.version).await.unwrap();
    assert!(matches!(store.delete_app("versioned", two.version).await, Err(StoreError::AppMissing(_))));
    let reborn = store.create_app("versioned", &settings(1), 4).await.unwrap();
    assert!(reborn.version > two.version);
    assert!(matches!(store.update_app("nobody", &settings(1), 1, 1).await, Err(StoreError::AppMissing(_))));
}

async fn listings_page_through_everything_once(store: &impl Store) {
    for n in 0..7 {
        store.create_app(&format!("page-{n}"), &AppSettings::default(), 1).await.unwrap();
    }
    let mut seen = Vec::new();
    loop {
        let page = store.list_apps(seen.last().map(String::as_str), 3).await.unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|app| app.name));
    }
    assert!(
        seen.is_sorted() && seen.iter().filter(|name| name.starts_with("page-")).count() == 7,
        "{seen:?}"
    );
}

async fn keys_live_until_revoked_or_expired(store: &impl Store) {
    store.create_app("keys", &AppSettings::default(), 1).await.unwrap();
    assert!(matches!(store.add_key("nobody", &key("k0"), 1).await, Err(StoreError::AppMissing(_))));
    let first = store.add_key("keys", &NewKey { name: Some("ci".into()), ..key("k1") }, 10).await.unwrap();
    assert_eq!((first.name.as_deref(), first.tail.as_str(), first.hash), (Some("ci"), "ab12", hash("k1")));
    store.add_key("keys", &NewKey { expires_at_ms: Some(100), ..key("k2") }, 11).await.unwrap();
    let live = |in_force: wellhead_store::AppsInForce| {
        let (_, keys) = in_force.apps.into_iter().find(|(app, _)| app.name == "keys").unwrap();
        keys.into_iter().map(|key| key.id).collect::<Vec<_>>()
    };
    let before = store.apps_in_force(99).await.unwrap();
    assert_eq!(before.next_expiry_ms, Some(100));
    assert_eq!(live(before), ["k1", "k2"]);
    assert_eq!(live(store.apps_in_force(100).await.unwrap()), ["k1"], "a key dies at its instant");

    let revoked = store.revoke_key("keys", "k1", 20).await.unwrap();
    assert_eq!(revoked.revoked_at_ms, Some(20));
    assert_eq!(store.revoke_key("keys", "k1", 30).await.unwrap().revoked_at_ms, Some(20));
    assert!(matches!(store.revoke_key("keys", "k9", 30).await, Err(StoreError::KeyMissing { .. })));
    assert!(live(store.apps_in_force(100).await.unwrap()).is_empty());

    let page = store.list_keys("keys", 0, 1).await.unwrap();
    let rest = store.list_keys("keys", page[0].seq, 10).await.unwrap();
    assert_eq!((page[0].id.as_str(), rest[0].id.as_str(), rest.len()), ("k1", "k2", 1));
    assert!(matches!(store.list_keys("nobody", 0, 1).await, Err(StoreError::AppMissing(_))));
    assert_eq!(store.get_key("keys", "k2").await.unwrap().unwrap().id, "k2");
    assert_eq!(store.get_key("page-0", "k2").await.unwrap(), None, "a key shows up under its own app only");

    let app = store.get_app("keys").await.unwrap().unwrap();
    store.delete_app("keys", app.version).await.unwrap();
    assert_eq!(store.get_key("keys", "k2").await.unwrap(), None, "keys go with their app");
}

async fn live_keys_have_a_maximum_and_dead_ones_make_room(store: &impl Store) {
    store.create_app("many", &AppSettings::default(), 1).await.unwrap();
    for n in 0..KEYS_PER_APP_MAX {
        store.add_key("many", &key(&format!("m{n}")), 1).await.unwrap();
    }
    let refused = store.add_key("many", &key("one too many"), 1).await;
    assert!(matches!(refused, Err(StoreError::TooMany { max, .. }) if max == u64::from(KEYS_PER_APP_MAX)));
    store.revoke_key("many", "m0", 2).await.unwrap();
    store.add_key("many", &key("fits"), 3).await.unwrap();
}

async fn history_counts_from_the_newest_and_remembers_the_newest_good_one(store: &impl Store) {
    assert_eq!(store.latest_good().await.unwrap(), None);
    store.record_generation(&generation(1, GenerationOutcome::Applied)).await.unwrap();
    for _ in 0..1_100 {
        store.record_generation(&generation(1, GenerationOutcome::Rejected)).await.unwrap();
    }
    let newest = store.list_generations(None, 2).await.unwrap();
    assert_eq!(newest.len(), 2);
    assert!(newest[0].id > newest[1].id);
    let older = store.list_generations(Some(newest[1].id), 1).await.unwrap();
    assert_eq!(older[0].id, newest[1].id - 1);
    let good = store.latest_good().await.unwrap().unwrap();
    assert_eq!(
        good.entry,
        generation(1, GenerationOutcome::Applied),
        "kept although a thousand rejections followed"
    );
    let mut kept = 0;
    let mut before = None;
    loop {
        let page = store.list_generations(before, 500).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        kept += page.len();
    }
    assert_eq!(kept, 1_001);
}

#[tokio::test]
async fn sqlite_conforms() {
    let (_dir, store) = sqlite().await;
    apps_are_kept_as_given(&store).await;
    changes_need_the_version_that_was_read_and_versions_never_come_back(&store).await;
    listings_page_through_everything_once(&store).await;
    keys_live_until_revoked_or_expired(&store).await;
    live_keys_have_a_maximum_and_dead_ones_make_room(&store).await;
    history_counts_from_the_newest_and_remembers_the_newest_good_one(&store).await;
}

#[tokio::test]
async fn sqlite_keeps_everything_over_a_restart_and_no_key_text() {
    let (dir, store) = sqlite().await;
    store.create_app("shop", &settings(9), 1).await.unwrap();
    store.add_key("shop", &NewKey { hash: hash("wh_live_plain-text"), ..key("k1") }, 2).await.unwrap();
    store.close().await;
    let path = dir.path().join("wellhead.db");
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(10).any(|w| w == b"plain-text"));
    let again = SqliteStore::open(&path).await.unwrap();
    let in_force = again.apps_in_force(3).await.unwrap();
    assert_eq!((in_force.apps.len(), in_force.apps[0].1.len()), (1, 1));
}

#[tokio::test]
async fn sqlite_serves_many_callers_at_once() {
    let (_dir, store) = sqlite().await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..50 {
        let store = store.clone();
        tasks.spawn(async move {
            let made = store.create_app(&format!("app-{n}"), &AppSettings::default(), 1).await?;
            store.add_key(&made.name, &key(&format!("key-{n}")), 1).await?;
            store.get_app(&made.name).await
        });
    }
    let versions: std::collections::BTreeSet<u64> =
        tasks.join_all().await.into_iter().map(|app| app.unwrap().unwrap().version).collect();
    assert_eq!(versions.len(), 50);
}
