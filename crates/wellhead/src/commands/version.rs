//! `wellhead version`: what this build is, for bug reports and inventories.

use std::process::ExitCode;

use serde_json::json;

use crate::cli::VersionArgs;
use crate::ui;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const RUSTC: &str = env!("WELLHEAD_RUSTC");
const TARGET: &str = env!("WELLHEAD_TARGET");
/// Set by whoever builds packages.
const COMMIT: Option<&str> = option_env!("WELLHEAD_GIT_COMMIT");

pub(super) fn run(args: &VersionArgs) -> anyhow::Result<ExitCode> {
    if args.json {
        let build = json!({ "name": "wellhead", "version": VERSION, "rustc": RUSTC, "target": TARGET, "git_commit": COMMIT });
        ui::out(&format!("{build}\n"))?;
    } else {
        let commit = COMMIT.map(|commit| format!(", commit {commit}")).unwrap_or_default();
        ui::out(&format!("wellhead {VERSION} ({TARGET}, {RUSTC}{commit})\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}
