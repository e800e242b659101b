//! One small program for both ends of a measurement: the upstreams that answer in a set way and at a set pace, and
//! the clients that count and time what came back. It is plain on purpose: one thread, hyper, no pools, so that its
//! own cost is small and the same for every gateway that stands between its two ends.

mod client;
mod report;
mod upstream;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Any failure of the tool itself; failures of the measured gateway are counted in the report instead.
pub(crate) type Fault = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
#[command(name = "load", version, about = "Upstreams and clients for the benchmarks and the soak")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve one behaviour on 127.0.0.1 until killed. `GET /_stats` tells what has been sent and received.
    Upstream(upstream::Options),
    /// Read streams to their end, several at once, and report each one's fate.
    SseClient(client::streams::Options),
    /// Open streams, read the first content of each, then hold them open.
    IdleStreams(client::idle::Options),
    /// Open streams, read a little of each, then stop reading but stay connected.
    SlowReader(client::slow::Options),
    /// Send an exact number of requests one after another (per connection).
    Calls(client::calls::Options),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            let _ = writeln!(std::io::stderr(), "load: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Upstream(options) => upstream::serve(options).await,
            Command::SseClient(options) => client::streams::run(options).await,
            Command::IdleStreams(options) => client::idle::run(options).await,
            Command::SlowReader(options) => client::slow::run(options).await,
            Command::Calls(options) => client::calls::run(options).await,
        }
    })
}
