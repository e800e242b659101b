//! `wellhead check FILE`: what `serve` would say about the file, without starting anything.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::json;
use wellhead_catalog::Catalog;
use wellhead_config::{CompileContext, Diagnostic, FILE_BYTES_MAX, Snapshot};
use wellhead_control::SystemLookup;
use wellhead_policy::KeyHasher;

use super::EXIT_INVALID_CONFIG;
use crate::cli::{CheckArgs, CheckFormat};
use crate::ui::{self, Colour};

type Outcome = Result<(Snapshot, Vec<Diagnostic>), Vec<Diagnostic>>;

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let outcome = check(&args.file)?;
    match args.format {
        CheckFormat::Human => ui::out(&human(&args.file, &outcome))?,
        CheckFormat::Json => ui::out(&format!("{:#}\n", json(&outcome)))?,
    }
    Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_INVALID_CONFIG) })
}

fn check(file: &Path) -> anyhow::Result<Outcome> {
    let text = read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let catalog = Catalog::builtin().context("the built-in catalogue is damaged")?;
    let kinds: Vec<_> = catalog.kinds().cloned().collect();
    let lookup = SystemLookup::new(file.parent().unwrap_or(Path::new("")).to_owned());
    let name = file.display().to_string();
    Ok(wellhead_config::load(&name, &text, &lookup, &kinds).and_then(|(document, mut diagnostics)| {
        // Whatever the pepper is, the same keys are told apart.
        let hasher = KeyHasher::new(&[0; 32]);
        let context = CompileContext { generation: 1, hasher: &hasher, extra_apps: &[] };
        let (snapshot, more) = wellhead_config::compile(&document, &context)?;
        diagnostics.extend(more);
        Ok((snapshot, diagnostics))
    }))
}

fn read(file: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    File::open(file)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > FILE_BYTES_MAX {
        bail!("it is larger than {FILE_BYTES_MAX} bytes");
    }
    String::from_utf8(bytes).context("it is not UTF-8; save it as UTF-8")
}

fn human(file: &Path, outcome: &Outcome) -> String {
    match outcome {
        Ok((snapshot, warnings)) => {
            let ok = ui::paint(Colour::Green, "OK", &io::stdout());
            let parts = [
                count(snapshot.providers.len(), "provider"),
                count(snapshot.models.len(), "model"),
                count(snapshot.apps.len(), "app"),
            ];
            let mut text = wellhead_config::render(warnings);
            text.push_str(&format!("{ok}: {}", parts.join(", ")));
            if !warnings.is_empty() {
                let warnings = count(warnings.len(), "warning");
                text.push_str(&format!("; {}", ui::paint(Colour::Yellow, &warnings, &io::stdout())));
            }
            text.push('\n');
            text
        }
        Err(diagnostics) => {
            let errors =
                diagnostics.iter().filter(|d| d.severity == wellhead_config::Severity::Error).count();
            let errors = ui::paint(Colour::Red, &count(errors, "error"), &io::stdout());
            format!("{}{}: {errors}\n", wellhead_config::render(diagnostics), file.display())
        }
    }
}

fn json(outcome: &Outcome) -> serde_json::Value {
    match outcome {
        Ok((snapshot, warnings)) => json!({
            "valid": true,
            "providers": snapshot.providers.len(),
            "models": snapshot.models.len(),
            "apps": snapshot.apps.len(),
            "diagnostics": warnings,
        }),
        Err(diagnostics) => json!({ "valid": false, "diagnostics": diagnostics }),
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
