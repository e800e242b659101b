//! What the terminal shows at the start: everything that a first call needs, anything unsafe, and how long it took.

use super::offers::Offer;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;
use wellhead_config::Diagnostic;
use wellhead_control::FirstLoad;
use wellhead_store::DataDir;
use wellhead_types::Secret;

/// What there is to say.
pub(super) struct Banner<'a> {
    pub(super) first: &'a FirstLoad,
    /// Where the configuration came from: a file, or `none: defaults`.
    pub(super) source: String,
    pub(super) data_dir: &'a DataDir,
    pub(super) gateway: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(super) practice_key: Option<Secret>,
    /// Keys that lie in the environment.
    pub(super) offers: Vec<Offer>,
    pub(super) ready_in: Duration,
}

impl Banner<'_> {
    /// Prints it to stderr: stdout belongs to the access records.
    pub(super) fn print(&self) {
        let mut out = String::new();
        self.head(&mut out);
        for note in self.data_dir.notes() {
            line(&mut out, "note", note);
        }
        for warning in &self.first.warnings {
            line(&mut out, "warning", warning);
        }
        if let Some(note) = &self.first.from_last_good {
            line(&mut out, "WARNING", note);
        }
        if let Some(key) = &self.practice_key {
            self.first_call(&mut out, key.expose());
        }
        for Offer { title, kind, variable } in &self.offers {
            let text = format!(
                "{variable} ({title}) in the environment; not used. To use it, configure a provider \
                 {{ kind: {kind}, keys: [\"${{{variable}}}\"] }}"
            );
            line(&mut out, "found", &text);
        }
        if self.practice_key.is_some() {
            out.push_str(&format!("ready in {} ms\n", self.ready_in.as_millis()));
        }
        // Nobody reading is no reason not to serve.
        drop(std::io::stderr().write_all(out.as_bytes()));
    }

    fn head(&self, out: &mut String) {
        let snapshot = &self.first.snapshot;
        // A first run ends with the time, below everything that a newcomer reads; later ones are four lines.
        let ready = match &self.practice_key {
            Some(_) => String::new(),
            None => format!(", ready in {} ms", self.ready_in.as_millis()),
        };
        out.push_str(&format!("Wellhead {}{ready}\n", env!("CARGO_PKG_VERSION")));
        line(out, "gateway", &format!("http://{}/v1", self.gateway));
        let admin = format!(
            "http://{} (status, metrics, API; token in {})",
            self.admin,
            self.data_dir.admin_token_file().display()
        );
        line(out, "admin", &admin);
        let counts = format!(
            "{} · generation {} · {} providers · {} models · {} apps · data in {}",
            self.source,
            snapshot.generation,
            snapshot.providers.len(),
            snapshot.models.len(),
            snapshot.apps.len() + usize::from(self.practice_key.is_some()),
            self.data_dir.path().display()
        );
        line(out, "serving", &counts);
    }

    fn first_call(&self, out: &mut String, key: &str) {
        let base = format!("http://{}/v1", self.gateway);
        out.push_str(&format!(
            "\nNothing is configured yet, so a practice provider answers. This key is shown once:\n\n  {key}\n\n\
             Try it:\n\n  curl -s {base}/chat/completions -H 'authorization: Bearer {key}' -H 'content-type: application/json' \
             -d '{{\"model\":\"practice\",\"messages\":[{{\"role\":\"user\",\"content\":\"What are you?\"}}]}}'\n\n\
             Or in Python (pip install openai):\n\n\
             \x20 from openai import OpenAI\n\
             \x20 client = OpenAI(base_url=\"{base}\", api_key=\"{key}\")\n\
             \x20 for chunk in client.chat.completions.create(model=\"practice\", stream=True,\n\
             \x20         messages=[{{\"role\": \"user\", \"content\": \"What are you?\"}}]):\n\
             \x20     if chunk.choices: print(chunk.choices[0].delta.content or \"\", end=\"\", flush=True)\n\n"
        ));
    }
}

fn line(out: &mut String, name: &str, text: &str) {
    out.push_str(&format!("  {name:<8} {text}\n"));
}

/// An invalid configuration: everything that is wrong, at once.
pub(super) fn invalid(diagnostics: &[Diagnostic]) {
    let text = wellhead_config::render(diagnostics);
    drop(writeln!(std::io::stderr(), "{text}"));
}
