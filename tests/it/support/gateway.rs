//! A gateway process with a data directory of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use super::{Answer, LIMIT, Request, eventually};

/// The binary under test: `WELLHEAD_BIN`, or the one beside the tests' own.
pub(crate) fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("WELLHEAD_BIN") {
        return path.into();
    }
    let own = std::env::current_exe().unwrap();
    let beside = own.parent().and_then(Path::parent).unwrap().join("wellhead");
    assert!(beside.exists(), "there is no {}: run cargo build -p wellhead", beside.display());
    beside
}

type Lines = Arc<Mutex<Vec<String>>>;

fn collect(source: impl AsyncRead + Unpin + Send + 'static) -> Lines {
    let lines = Lines::default();
    let into = Arc::clone(&lines);
    tokio::spawn(async move {
        let mut source = BufReader::new(source).lines();
        while let Ok(Some(line)) = source.next_line().await {
            into.lock().unwrap().push(line);
        }
    });
    lines
}

/// A running gateway; it is killed when this is dropped.
pub(crate) struct Gateway {
    child: Child,
    dir: Arc<TempDir>,
    stdout: Lines,
    stderr: Lines,
    pub(crate) addr: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// The address in the line of the banner that begins with `name`.
fn banner(lines: &Lines, name: &str) -> Option<SocketAddr> {
    let lines = lines.lock().unwrap();
    let line = lines.iter().find(|line| line.trim_start().starts_with(name))?;
    line.split("http://").nth(1)?.split(['/', ' ']).next()?.parse().ok()
}

impl Gateway {
    /// Starts a gateway with that configuration, and waits until it says that it is ready.
    pub(crate) async fn start(config: &str) -> Self {
        Self::start_in(Arc::new(TempDir::new().unwrap()), Some(config), &[]).await
    }

    /// Starts one in an existing directory (its files: `wellhead.yaml`, `data/`).
    pub(crate) async fn start_in(dir: Arc<TempDir>, config: Option<&str>, arguments: &[&str]) -> Self {
        let mut child = Self::spawn(&dir, config, arguments);
        let stderr = collect(child.stderr.take().unwrap());
        let stdout = collect(child.stdout.take().unwrap());
        let began = std::time::Instant::now();
        loop {
            if stderr.lock().unwrap().iter().any(|line| line.contains("ready in"))
                && let (Some(addr), Some(admin)) = (banner(&stderr, "gateway "), banner(&stderr, "admin "))
            {
                return Self { child, dir, stdout, stderr, addr, admin };
            }
            let log = || stderr.lock().unwrap().join("\n");
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the gateway ended with {status} instead of starting:\n{}", log());
            }
            assert!(began.elapsed() < LIMIT, "the gateway was not ready within {LIMIT:?}:\n{}", log());
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// The process alone, started or failing to start.
    pub(crate) fn spawn(dir: &TempDir, config: Option<&str>, arguments: &[&str]) -> Child {
        let mut command = Command::new(binary());
        command.arg("serve").arg("--data-dir").arg(dir.path().join("data")).args(arguments);
        if let Some(config) = config {
            let file = dir.path().join("wellhead.yaml");
            std::fs::write(&file, config).unwrap();
            command.arg("--config").arg(file);
        }
        // The environment of whoever runs the tests is none of the gateway's business.
        command.env_clear().env("PATH", "/usr/bin:/bin").current_dir(dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command.spawn().unwrap()
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn shared_dir(&self) -> Arc<TempDir> {
        Arc::clone(&self.dir)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Sends the process a signal: `TERM`, `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let arguments = [format!("-{name}"), self.pid().to_string()];
        assert!(std::process::Command::new("kill").args(arguments).status().unwrap().success());
    }

    /// `kill -9`, and the death certificate. What is left is the directory.
    pub(crate) async fn kill(mut self) -> Arc<TempDir> {
        self.child.kill().await.unwrap();
        Arc::clone(&self.dir)
    }

    /// Waits for the end of the process.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        tokio::time::timeout(LIMIT, self.child.wait()).await.expect("the gateway did not end").unwrap()
    }

    /// Replaces the configuration file as editors do: written beside, then renamed.
    pub(crate) fn write_config(&self, config: &str) {
        let (new, file) = (self.dir().join("wellhead.yaml.new"), self.dir().join("wellhead.yaml"));
        std::fs::write(&new, config).unwrap();
        std::fs::rename(new, file).unwrap();
    }

    /// Sends a request to the data plane.
    pub(crate) async fn send(&self, request: Request) -> Answer {
        request.send(self.addr).await
    }

    /// A chat, streamed or not.
    pub(crate) async fn chat(&self, stream: bool) -> Answer {
        self.send(Request::post(super::CHAT).json(&super::chat(stream))).await
    }

    pub(crate) fn admin_token(&self) -> String {
        std::fs::read_to_string(self.dir().join("data/admin-token")).unwrap().trim().to_owned()
    }

    /// Asks the admin listener, without a token.
    pub(crate) async fn admin_get(&self, path: &str) -> Answer {
        Request::get(path).without("authorization").send(self.admin).await
    }

    /// A call of the management API with the token.
    pub(crate) fn api(&self, method: &str, path: &str) -> Request {
        Request::new(method, path).set("authorization", &format!("Bearer {}", self.admin_token()))
    }

    pub(crate) async fn status(&self) -> Value {
        self.admin_get("/status?format=json").await.json()
    }

    pub(crate) async fn metrics(&self) -> String {
        let answer = self.admin_get("/metrics").await;
        assert_eq!(answer.status, 200);
        answer.text().to_owned()
    }

    /// The access records up to now.
    pub(crate) fn records(&self) -> Vec<Value> {
        self.stdout.lock().unwrap().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits for the access record of a request.
    pub(crate) async fn record(&self, request_id: &str) -> Value {
        eventually(&format!("an access record of {request_id}"), async || {
            self.records().into_iter().find(|record| record["request_id"] == request_id)
        })
        .await
    }

    /// Everything that it printed.
    pub(crate) fn output(&self) -> String {
        let (out, err) = (self.stdout.lock().unwrap(), self.stderr.lock().unwrap());
        format!("{}\n{}", out.join("\n"), err.join("\n"))
    }

    /// Resident memory in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}
