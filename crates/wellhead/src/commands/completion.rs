//! `wellhead completion SHELL`.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::ui;

pub(super) fn run(shell: Shell) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wellhead", &mut script);
    ui::out_bytes(&script)?;
    Ok(ExitCode::SUCCESS)
}
