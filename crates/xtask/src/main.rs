//! Checks and generators of this repository: `cargo xtask tidy`, `cargo xtask schema`.
//!
//! What the compiler and clippy cannot see is checked here: which crate may know which, and what must be absent.

mod mask;
mod schema;
mod tidy;
mod tree;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// Checks and generators of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check the invariants of absence, the limits of files and functions, and the links of the documents.
    Tidy,
    /// Write the JSON Schema of the configuration to schema/wellhead.schema.json.
    Schema {
        /// Change nothing; fail if the file differs from what would be written.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let root = repository_root()?;
    match Arguments::parse().command {
        Command::Tidy => run_tidy(&root),
        Command::Schema { check } => schema::run(&root, check).map(|()| ExitCode::SUCCESS),
    }
}

fn run_tidy(root: &Path) -> anyhow::Result<ExitCode> {
    let tree = tree::Tree::read(root)?;
    let violations = tidy::check(&tree)?;
    let mut out = std::io::stdout().lock();
    for violation in &violations {
        writeln!(out, "{violation}")?;
    }
    if violations.is_empty() {
        writeln!(out, "tidy: {} files, {} rules, nothing to fix", tree.files().count(), tidy::RULES.len())?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "tidy: {} to fix", violations.len())?;
    Ok(ExitCode::FAILURE)
}

/// The workspace that this tool was built from.
fn repository_root() -> anyhow::Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().and_then(Path::parent).map(Path::to_owned).context("xtask is not in crates/xtask")
}
