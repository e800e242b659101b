//! `wellhead man`: manual pages, made from the same table as the help.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;

use crate::cli::Cli;
use crate::ui;

pub(super) fn run(dir: Option<&Path>) -> anyhow::Result<ExitCode> {
    if let Some(dir) = dir {
        clap_mangen::generate_to(Cli::command(), dir).with_context(|| {
            format!("cannot write manual pages to {}; does the directory exist?", dir.display())
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    ui::out_bytes(&page)?;
    Ok(ExitCode::SUCCESS)
}
