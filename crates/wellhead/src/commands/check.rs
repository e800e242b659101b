//! `wellhead check FILE`: what `serve` would say about the file, without starting anything.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use wellhead_config::Diagnostic;

use super::EXIT_INVALID_CONFIG;
use super::load::{Loaded, catalog, load};
use crate::cli::{CheckArgs, CheckFormat};
use crate::ui::{self, Colour};

type Outcome = Result<Loaded, Vec<Diagnostic>>;

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let outcome = load(&args.file, &catalog()?)?;
    match args.format {
        CheckFormat::Human => ui::out(&human(&args.file, &outcome))?,
        CheckFormat::Json => ui::out(&format!("{:#}\n", json(&outcome)))?,
    }
    Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_INVALID_CONFIG) })
}

fn human(file: &Path, outcome: &Outcome) -> String {
    match outcome {
        Ok(Loaded { snapshot, warnings, .. }) => {
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
        Ok(Loaded { snapshot, warnings, .. }) => json!({
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
