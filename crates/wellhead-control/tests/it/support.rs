//! An instance in a temporary directory, a data plane that remembers, and a client that sends exactly what it is told.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use wellhead_catalog::Catalog;
use wellhead_config::Snapshot;
use wellhead_control::{
    ConfigSource, Configurator, ConfiguratorOptions, ControlOptions, ControlPlane, DataPlane, FirstLoad,
    FirstLoadError,
};
use wellhead_policy::KeyHasher;
use wellhead_store::{DataDir, SqliteStore};
use wellhead_types::{
    ConfigStatus, DiagnosisStatus, FindingStatus, KeyStatus, ProviderStatus, RouteStatus, Status,
    StoriesKept, Story, StoryAttempt, StoryDiagnosis, TargetStatus,
};

/// How long a condition may take before the test gives up; never slept.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const CONFIG: &str = "version: 1
providers:
  local: { kind: openai-compatible, base_url: 'http://127.0.0.1:8401/v1', keys: [sk-upstream-secret] }
models:
  chat: { targets: [{ provider: local, model: primary }] }
apps:
  dev: { keys: [wh-dev-0123456789abcdef] }
";

pub(crate) struct FakePlane {
    pub(crate) snapshots: watch::Sender<Option<Arc<Snapshot>>>,
    pub(crate) config: watch::Sender<ConfigStatus>,
    pub(crate) draining: AtomicBool,
    pub(crate) listening: AtomicBool,
}

impl DataPlane for FakePlane {
    fn publish(&self, snapshot: Arc<Snapshot>) {
        let before = self.snapshots.borrow().as_ref().map_or(0, |s| s.generation);
        assert!(snapshot.generation >= before, "generations grow");
        self.snapshots.send_replace(Some(snapshot));
    }

    fn status(&self) -> Status {
        Status {
            verdict: "everything answers".into(),
            version: "0.0.0-test".into(),
            uptime_s: 12,
            draining: self.is_draining(),
            config: ConfigStatus::default(),
            deferred: wellhead_types::DeferredStatus::default(),
            providers: vec![ProviderStatus {
                name: "local".into(),
                kind: "openai-compatible".into(),
                region: Some("eu".into()),
                keys: vec![KeyStatus {
                    key: "…et".into(),
                    state: "limited",
                    resting_s: Some(1.5),
                    limited_models: vec![("primary".into(), 1.5)],
                }],
                concurrency: None,
            }],
            routes: vec![route()],
            findings: Vec::new(),
        }
    }

    fn explain(&self, request_id: &str) -> Option<Arc<Story>> {
        Some(Arc::new(story())).filter(|story| story.request_id == request_id)
    }

    fn stories_kept(&self) -> StoriesKept {
        StoriesKept { stories: 1, stories_max: 1_000, bytes: 800, bytes_max: 4 << 20 }
    }

    fn metrics_text(&self) -> String {
        "wellhead_up 1\n".into()
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Relaxed)
    }

    fn set_config_metrics(&self, status: &ConfigStatus) {
        self.config.send_replace(status.clone());
    }
}

fn route() -> RouteStatus {
    let finding = FindingStatus {
        code: "PORT_REFUSED",
        about: "local/primary".into(),
        message: "http://127.0.0.1:8401 refuses connections".into(),
        since_s: Some(0.5),
        last_success_age_s: None,
        fix: "start the server".into(),
    };
    let diagnosis = DiagnosisStatus {
        code: "PORT_REFUSED",
        message: "Connections are refused by the only target.".into(),
        since_s: 0.5,
        last_seen_s: 0.25,
        requests: 2,
        recovery_s: Some(1.0),
        fix: "start the server".into(),
        request_id: "order-4711".into(),
    };
    RouteStatus {
        model: "chat".into(),
        state: "impaired",
        diagnosis: Some(diagnosis),
        findings: vec![finding],
        targets: vec![target()],
        queued: Vec::new(),
        admitted_per_s: None,
    }
}

fn story() -> Story {
    Story {
        request_id: "order/4711".into(),
        at_ms: 1_700_000_000_000,
        app: Some("dev".into()),
        route: Some("chat".into()),
        endpoint: "/v1/chat/completions",
        streamed: false,
        status: 503,
        outcome: "failed",
        rung: "refused",
        code: Some("no_healthy_upstream"),
        duration_ms: 12,
        allowed_ms: Some(600_000),
        did: "said no after 1 attempt".into(),
        attempts: vec![StoryAttempt {
            target: "local/primary".into(),
            key_id: Some("k1".into()),
            at_ms: 0,
            took_ms: 1,
            status: None,
            outcome: "connection_refused",
            stage: Some("connect"),
            retry_after_s: None,
            detail: Some("127.0.0.1:8401: Connection refused".into()),
        }],
        diagnosis: Some(StoryDiagnosis {
            code: "PORT_REFUSED",
            message: "Connections are refused by the only target.".into(),
            recovery_s: Some(1.0),
            fix: "start the server".into(),
        }),
        findings: route().findings,
    }
}

fn target() -> TargetStatus {
    TargetStatus {
        target: "local/primary".into(),
        tier: 0,
        weight: 1,
        state: "failing",
        in_flight: 2,
        waiting: 0,
        in_flight_max: None,
        waiting_max: None,
        successes: 3,
        failures: 4,
        consecutive_failures: 1,
        phase: "suspect",
        rests_s: None,
        failing_for_s: Some(0.5),
        last_failure: Some("connection_refused"),
        last_failure_age_s: Some(0.5),
        last_success_age_s: None,
        streamed: Some(wellhead_types::LearntStatus {
            p50_s: 0.4,
            p95_s: 0.9,
            p99_s: 1.5,
            limit_s: Some(2.25),
            idle_limit_s: None,
        }),
        unstreamed: None,
    }
}

pub(crate) struct Instance {
    pub(crate) plane: Arc<FakePlane>,
    pub(crate) token: String,
    pub(crate) first: FirstLoad,
    pub(crate) configurator: Arc<Configurator>,
    pub(crate) store: SqliteStore,
    control: ControlPlane,
    data: PathBuf,
}

/// A file called `wellhead.yaml` in `dir`.
pub(crate) fn config_file(dir: &Path, text: &str) -> PathBuf {
    let file = dir.join("wellhead.yaml");
    std::fs::write(&file, text).unwrap();
    file
}

impl Instance {
    pub(crate) async fn start(dir: &Path, text: &str) -> Self {
        Self::start_from(dir, ConfigSource::File(config_file(dir, text))).await.expect("it starts")
    }

    pub(crate) async fn start_from(dir: &Path, source: ConfigSource) -> Result<Self, FirstLoadError> {
        let data_dir = Arc::new(DataDir::open(&dir.join("data")).unwrap());
        let store = SqliteStore::open(&data_dir.database()).await.unwrap();
        let kinds: Vec<_> = Catalog::builtin().unwrap().kinds().cloned().collect();
        let configurator = Configurator::new(ConfiguratorOptions {
            source,
            data_dir: Arc::clone(&data_dir),
            store: store.clone(),
            kinds: Arc::new(kinds),
        });
        let first = configurator.load_first().await?;
        let plane = Arc::new(FakePlane {
            snapshots: watch::Sender::new(None),
            config: watch::Sender::new(ConfigStatus::default()),
            draining: AtomicBool::new(false),
            listening: AtomicBool::new(true),
        });
        let control = ControlPlane::start(ControlOptions {
            configurator: Arc::clone(&configurator),
            data_plane: Arc::clone(&plane) as Arc<dyn DataPlane>,
            listener: std::net::TcpListener::bind("127.0.0.1:0").unwrap(),
            token: data_dir.admin_token().clone(),
            hosts: vec!["gateway.internal".into()],
        })
        .await
        .unwrap();
        let token = data_dir.admin_token().expose().to_owned();
        let data = data_dir.path().to_owned();
        Ok(Self { plane, token, first, configurator, store, control, data })
    }

    /// Stops everything, so that the data directory can be opened again.
    pub(crate) async fn stop(self) -> PathBuf {
        let Self { control, store, configurator, data, .. } = self;
        control.shutdown().await;
        drop(configurator);
        store.close().await;
        data
    }

    /// Hashes keys as this instance does: what a data plane would look requests up by.
    pub(crate) fn app_of(&self, key: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.data.join("instance.key")).unwrap();
        let pepper = text.lines().nth(1).unwrap().strip_prefix("pepper ").unwrap();
        let bytes: Vec<u8> =
            (0..64).step_by(2).map(|at| u8::from_str_radix(&pepper[at..at + 2], 16).unwrap()).collect();
        let hash = KeyHasher::new(&bytes.try_into().unwrap()).hash(key.as_bytes());
        let snapshot = self.published();
        let owner = snapshot.apps.values().find(|app| app.keys.iter().any(|key| key.hash == hash));
        owner.map(|app| app.name.to_string())
    }

    pub(crate) fn published(&self) -> Arc<Snapshot> {
        self.plane.snapshots.borrow().clone().expect("something was published")
    }

    pub(crate) async fn wait_for_snapshot(&self, what: impl Fn(&Snapshot) -> bool) {
        let mut snapshots = self.plane.snapshots.subscribe();
        let wait = snapshots.wait_for(|snapshot| snapshot.as_ref().is_some_and(|s| what(s)));
        tokio::time::timeout(PATIENCE, wait).await.expect("the snapshot comes").unwrap();
    }

    pub(crate) async fn wait_for_config(&self, what: impl Fn(&ConfigStatus) -> bool) -> ConfigStatus {
        let mut statuses = self.plane.config.subscribe();
        let wait = statuses.wait_for(|status| what(status));
        tokio::time::timeout(PATIENCE, wait).await.expect("the status comes").unwrap().clone()
    }

    /// A request with the token.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("host", "127.0.0.1"), ("authorization", bearer.as_str())];
        if !body.is_empty() {
            all.push(("content-type", "application/json"));
        }
        all.extend(headers);
        self.raw(method, path, &all, body.as_bytes()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[], "").await
    }

    /// Sends a request with the token and closes the connection without waiting for the answer.
    pub(crate) async fn send_and_leave(&self, method: &str, path: &str) {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-length: 0\r\n\r\n",
            self.token
        );
        let mut stream = TcpStream::connect(self.control.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    }

    /// Exactly these headers, and the length of the body.
    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(self.control.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // A refusal may come, and the connection end, before the whole body was taken.
        let _ = stream.write_all(body).await;
        let mut bytes = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an answer");
        Answer::parse(&bytes)
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) text: String,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_owned(), text: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Asserts status and problem code, and gives the body.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let body = self.json();
        assert_eq!((body["code"].as_str(), body["status"].as_u64()), (Some(code), Some(u64::from(status))));
        assert_eq!(body["type"], format!("urn:wellhead:problem:{code}"));
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        body
    }

    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }
}
