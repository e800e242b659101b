//! Simulated providers, within the test and as processes of their own.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use wellhead_sim::{Fault, Faults, Sim, SimOptions, TlsIdentity};

use super::{CHAT, Request, binary, chat};

/// A pace at which an answer does not end while a test looks at it.
pub(crate) const UNUSED: Duration = Duration::from_secs(3600);

/// A simulator that answers with 24 tokens, one each millisecond.
pub(crate) fn sim() -> Sim {
    sim_paced(Duration::from_millis(1))
}

/// A simulator with 24 tokens of that pace.
pub(crate) fn sim_paced(token_pace: Duration) -> Sim {
    sim_with(SimOptions { token_pace, ..options() })
}

/// A simulator with these options.
pub(crate) fn sim_with(options: SimOptions) -> Sim {
    Sim::start(options).unwrap()
}

fn options() -> SimOptions {
    SimOptions { tokens_default: 24, body_kept_bytes_max: 1 << 20, ..SimOptions::default() }
}

/// A fault in its text form.
pub(crate) fn fault(text: &str) -> Faults {
    text.parse().unwrap()
}

/// No fault: the answer to every request is `body`, also at paths that the simulator does not know.
pub(crate) fn json_reply(code: u16, body: Value) -> Faults {
    Faults::from(Fault::Status { code, headers: BTreeMap::new(), body: Some(body), retry_after: None })
}

/// What every simulator with the default seed answers to [`chat`], asked without a gateway between.
pub(crate) async fn expected() -> String {
    let sim = sim();
    let answer = Request::post(CHAT).json(&chat(false)).send(sim.addr()).await;
    answer.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

/// A port of this machine on which nobody listens.
pub(crate) fn dead_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A certificate for `name` that signs itself, and its key.
pub(crate) fn tls_identity(name: &str) -> TlsIdentity {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    TlsIdentity { certificate_pem: made.cert.pem(), key_pem: made.signing_key.serialize_pem() }
}

/// `wellhead sim` as a process, to be killed.
pub(crate) struct SimProcess {
    child: Child,
    port: u16,
    pace: String,
}

impl SimProcess {
    /// Starts one on `port`, or on a free one (0).
    pub(crate) async fn start(port: u16, pace: &str) -> Self {
        let mut child = Command::new(binary())
            .args(["sim", "--addr", &format!("127.0.0.1:{port}"), "--pace", pace, "--tokens", "24"])
            .args(["--threads", "1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(super::LIMIT, lines.next_line()).await.unwrap().unwrap().unwrap();
        let port =
            line.rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()).unwrap().parse().unwrap();
        // What it prints later must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, port, pace: pace.to_owned() }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// `kill -9`, and the death certificate.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Starts it again on its port.
    pub(crate) async fn restart(&mut self) {
        *self = Self::start(self.port, &self.pace).await;
    }
}
