//! The commands as people and scripts use them: what is printed where, and with which exit code it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

const VALID: &str = "version: 1
providers:
  one: { kind: openai-compatible, base_url: 'http://127.0.0.1:1/v1', keys: [sk-very-secret-text] }
  two: { kind: openai-compatible, base_url: 'http://127.0.0.1:2/v1' }
models:
  chat: { targets: [{ provider: one, model: m }, { provider: two, model: m, tier: 1 }] }
";

/// The program in an empty directory and an environment without settings of the machine that runs the tests.
fn wellhead(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wellhead"));
    command.current_dir(dir).env_clear();
    command
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn run(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ran = Ran { code: status.code().expect("it was not killed"), out: text(stdout), err: text(stderr) };
    assert!(
        !ran.out.contains('\x1b') && !ran.err.contains('\x1b'),
        "colours are for terminals: {}{}",
        ran.out,
        ran.err
    );
    ran
}

fn run_in(dir: &Path, arguments: &[&str]) -> Ran {
    run(wellhead(dir).args(arguments))
}

/// A gateway with the practice provider. Killed when dropped.
struct Served(Child);

impl Served {
    /// Starts it and waits until it says that it is ready; gives the gateway's base URL too.
    fn start(dir: &Path) -> (Self, String) {
        let mut child = wellhead(dir)
            .args(["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let served = Self(child);
        let mut gateway = None;
        loop {
            let line = lines.next().expect("it becomes ready").unwrap();
            if let Some(url) = line.trim().strip_prefix("gateway") {
                gateway = Some(url.trim().to_owned());
            }
            if line.starts_with("ready in ") {
                break;
            }
        }
        // Keeps reading, so that the gateway never waits for its log to be taken.
        std::thread::spawn(move || lines.for_each(drop));
        (served, gateway.expect("it says where applications connect"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Status of `GET {base}/models` with a key.
fn models_with(base: &str, key: &str) -> u16 {
    let (host, path) = base.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "GET /{path}/models HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn check_lists_everything_at_once_and_ends_with_three_when_invalid() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("good.yaml"), VALID).unwrap();
    let good = run_in(dir.path(), &["check", "good.yaml"]);
    assert_eq!((good.code, good.out.as_str()), (0, "OK: 2 providers, 1 model, 0 apps\n"));

    let wrong =
        VALID.replace("provider: two", "provider: tow").replace("version: 1", "version: 1\ncolour: red");
    std::fs::write(dir.path().join("bad.yaml"), wrong).unwrap();
    let bad = run_in(dir.path(), &["check", "bad.yaml"]);
    assert_eq!(bad.code, 3);
    for part in ["bad.yaml:2:", "colour", "bad.yaml:7:", "did you mean \"two\"?", "bad.yaml: 2 errors"] {
        assert!(bad.out.contains(part), "{part:?} in {}", bad.out);
    }
    let json = run_in(dir.path(), &["check", "bad.yaml", "--format", "json"]);
    let report: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (json.code, &report["valid"], report["diagnostics"].as_array().unwrap().len()),
        (3, &Value::Bool(false), 2)
    );
    assert_eq!(report["diagnostics"][1]["line"], 7);
    for output in [&good.out, &bad.out, &json.out] {
        assert!(!output.contains("sk-very-secret-text"));
    }

    let warned = format!("{VALID}teams: {{ research: {{ budget: {{ usd_per_day: 1 }} }} }}\n");
    std::fs::write(dir.path().join("warned.yaml"), warned).unwrap();
    let warned = run_in(dir.path(), &["check", "warned.yaml"]);
    assert_eq!(warned.code, 0, "{}", warned.out);
    assert!(warned.out.contains("warned.yaml:7:") && warned.out.ends_with("1 warning\n"), "{}", warned.out);

    let missing = run_in(dir.path(), &["check", "missing.yaml"]);
    assert_eq!((missing.code, missing.out.as_str()), (1, ""));
    assert!(missing.err.contains("missing.yaml"), "{}", missing.err);
}

#[test]
fn wrong_usage_ends_with_two_and_says_what_is_right() {
    let dir = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (&["frobnicate"][..], "unrecognized subcommand"),
        (&["check"], "<FILE>"),
        (&["key", "create", "shop", "--expires-in", "soon"], "90d"),
        (&["sim", "--fault", "gremlins"], "gremlins"),
        (&["serve", "--listen", "nowhere"], "nowhere"),
    ] {
        let ran = run_in(dir.path(), arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.err.contains(part), "{part:?} in {}", ran.err);
    }
}

#[test]
fn without_a_gateway_commands_say_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    // Bound and never accepted from, then closed: a port where nobody listens.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for command in ["status", "health"] {
        let ran = run_in(dir.path(), &[command, "--admin", &free]);
        assert_eq!(ran.code, 1);
        assert!(
            ran.err.contains(&format!("nothing listens on {free}")) && ran.err.contains("wellhead serve"),
            "{}",
            ran.err
        );
    }
    let ran = run_in(dir.path(), &["key", "list", "--admin", &free]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("no admin token") && ran.err.contains("--data-dir"), "{}", ran.err);
    let ran = run_in(dir.path(), &["status", "--admin", "https://127.0.0.1:1"]);
    assert!(ran.code == 1 && ran.err.contains("TLS"), "{}", ran.err);
}

#[test]
fn a_key_made_on_the_command_line_opens_the_gateway_at_once_until_it_is_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let (_served, gateway) = Served::start(dir.path());
    assert_eq!(run_in(dir.path(), &["health"]).code, 0);

    let refused = run_in(dir.path(), &["key", "create", "shop"]);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert!(refused.err.contains("--create-app"), "{}", refused.err);
    let made =
        run_in(dir.path(), &["key", "create", "shop", "--create-app", "--name", "ci", "--expires-in", "90d"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let key = made.out.trim_end();
    assert!(key.starts_with("wh_live_") && !key.contains(char::is_whitespace), "the key alone: {key:?}");
    assert!(!made.err.contains(key), "and only on stdout");
    assert_eq!(models_with(&gateway, key), 200);

    let listed = run_in(dir.path(), &["key", "list", "shop"]).out;
    let row: Vec<&str> = listed.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!((row[0], row[2], row[4], &row[5..7]), ("shop", "ci", "live", &["in", "90d"][..]), "{listed}");
    assert!(!listed.contains(key));
    assert_eq!(
        run_in(dir.path(), &["key", "create", "shop", "--create-app"]).code,
        0,
        "an app that is there is fine"
    );
    assert_eq!(run_in(dir.path(), &["key", "revoke", "shop", row[1]]).code, 0);
    assert_eq!(models_with(&gateway, key), 401);
    let all = run_in(dir.path(), &["key", "list"]).out;
    assert!(all.contains("revoked") && all.contains("practice"), "{all}");
    let unknown = run_in(dir.path(), &["key", "revoke", "shop", "key_0"]);
    assert!(unknown.code == 1 && unknown.err.contains("key_0"), "{}", unknown.err);
}

#[test]
fn address_and_token_come_from_flags_environment_or_data_directory() {
    let dir = tempfile::tempdir().unwrap();
    let (_served, _) = Served::start(dir.path());
    let data = dir.path().join("wellhead-data");
    let address = std::fs::read_to_string(data.join("admin-address")).unwrap().trim().to_owned();
    let elsewhere = tempfile::tempdir().unwrap();
    let url = format!("http://{address}");
    let token = std::fs::read_to_string(data.join("admin-token")).unwrap();
    let token_file = data.join("admin-token");
    let list = || {
        let mut command = wellhead(elsewhere.path());
        command.args(["key", "list"]);
        command
    };
    assert_eq!(run(list().arg("--data-dir").arg(&data)).code, 0);
    assert_eq!(run(list().env("WELLHEAD_DATA_DIR", &data)).code, 0);
    assert_eq!(run(list().env("WELLHEAD_ADMIN_URL", &url).env("WELLHEAD_ADMIN_TOKEN", &token)).code, 0);
    assert_eq!(
        run(list().env("WELLHEAD_ADMIN_URL", &url).env("WELLHEAD_ADMIN_TOKEN_FILE", &token_file)).code,
        0
    );
    let wrong = run(list().args(["--admin", &address]).env("WELLHEAD_ADMIN_TOKEN", "wh_admin_wrong"));
    assert_eq!(wrong.code, 1);
    assert!(
        wrong.err.contains("WELLHEAD_ADMIN_TOKEN") && !wrong.err.contains("wh_admin_wrong"),
        "{}",
        wrong.err
    );

    let status = run(wellhead(elsewhere.path()).args(["status", "--admin", &url]));
    assert!(status.code == 0 && status.out.contains("model practice"), "{}", status.out);
    let json = run(wellhead(elsewhere.path()).args(["status", "--format", "json", "--admin", &url]));
    assert!(serde_json::from_str::<Value>(&json.out).unwrap()["routes"].is_array());
}

#[test]
fn one_data_directory_serves_one_gateway() {
    let dir = tempfile::tempdir().unwrap();
    let (served, _) = Served::start(dir.path());
    let second = run_in(dir.path(), &["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    assert_eq!(second.code, 1);
    assert!(
        second.err.contains("in use") && second.err.contains(&served.0.id().to_string()),
        "{}",
        second.err
    );
}

#[test]
fn serve_ends_with_three_when_the_configuration_is_invalid() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("bad.yaml"), VALID.replace("provider: two", "provider: tow")).unwrap();
    for arguments in [&["serve", "--config", "bad.yaml"][..], &["--config", "bad.yaml"]] {
        let ran = run_in(dir.path(), arguments);
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.err.contains("bad.yaml:6:") && ran.err.contains("did you mean \"two\"?"), "{}", ran.err);
    }
}

#[test]
fn the_simulator_says_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut sim =
        wellhead(dir.path()).args(["sim", "--addr", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
    let first = BufReader::new(sim.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    let base = first.split_whitespace().last().unwrap().to_owned();
    let status = models_with(&base, "any");
    sim.kill().unwrap();
    sim.wait().unwrap();
    assert_eq!(status, 200, "{first}");
}

#[test]
fn version_completion_and_manual_are_made_for_programs() {
    let dir = tempfile::tempdir().unwrap();
    let version: Value = serde_json::from_str(&run_in(dir.path(), &["version", "--json"]).out).unwrap();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    for field in ["rustc", "target"] {
        assert!(version[field].as_str().is_some_and(|text| !text.is_empty()), "{field}");
    }
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let ran = run_in(dir.path(), &["completion", shell]);
        assert!(ran.code == 0 && ran.out.contains("create-app"), "{shell}");
    }
    assert!(run_in(dir.path(), &["man"]).out.contains(".TH wellhead 1"));
    assert_eq!(run_in(dir.path(), &["man", "--dir", "."]).code, 0);
    assert!(dir.path().join("wellhead-key-create.1").exists());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = wellhead(dir.path())
        .args(["completion", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.len()),
        (Some(0), 0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
