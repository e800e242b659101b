//! The wellhead binary: reads the command line and hands over to one command.

mod admin;
mod cli;
mod commands;
mod serve;
mod ui;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Wrong usage ends here with exit code 2.
    let cli = cli::Cli::parse();
    match commands::run(cli) {
        Ok(code) => code,
        Err(error) => {
            ui::error(&error);
            ExitCode::FAILURE
        }
    }
}
