//! One file per command.

mod catalog;
mod check;
mod completion;
mod doctor;
mod explain;
mod health;
mod key;
mod load;
mod man;
mod sim;
mod status;
mod version;

use std::future::Future;
use std::process::ExitCode;

use anyhow::Context;

use crate::cli::{Cli, Command};
use crate::serve;

/// What was asked for makes no sense, as clap has it too.
pub(crate) const EXIT_USAGE: u8 = 2;
/// The configuration is invalid.
pub(crate) const EXIT_INVALID_CONFIG: u8 = 3;

/// Runs the command that was asked for.
pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        None => serve::run(&cli.serve),
        Some(Command::Serve(args)) => serve::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Catalog(command)) => catalog::run(&command),
        Some(Command::Doctor(args)) => block_on(doctor::run(&args)),
        Some(Command::Status(args)) => block_on(status::run(&args)),
        Some(Command::Explain(args)) => block_on(explain::run(&args)),
        Some(Command::Health(args)) => block_on(health::run(&args)),
        Some(Command::Key(command)) => block_on(key::run(&command)),
        Some(Command::Sim(args)) => sim::run(args),
        Some(Command::Version(args)) => version::run(&args),
        Some(Command::Completion { shell }) => completion::run(shell),
        Some(Command::Man { dir }) => man::run(dir.as_deref()),
    }
}

/// A command that talks to the gateway needs one thread.
fn block_on(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start the runtime")?.block_on(command)
}
