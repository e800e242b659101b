//! `wellhead health`: readiness as an exit code, for containers that hold no curl.

use std::process::ExitCode;
use std::time::Duration;

use http::{Method, StatusCode};

use crate::admin::Client;
use crate::cli::AdminArgs;
use crate::ui;

/// Container runtimes give a check a few seconds; a gateway that needs longer is not well.
const TIME_MAX: Duration = Duration::from_secs(3);

pub(super) async fn run(args: &AdminArgs) -> anyhow::Result<ExitCode> {
    let client = Client::without_token(args, TIME_MAX)?;
    let answer = client.send(Method::GET, "/readyz?verbose", None).await?;
    ui::out_bytes(&answer.body)?;
    Ok(if answer.status == StatusCode::OK { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
