//! Readers that stop reading: a gateway must stop reading from the upstream too, not collect the answer.

use std::time::Duration;

use clap::Args;
use http_body_util::BodyExt;
use tokio::task::JoinSet;

use super::{Aim, Line, Target, checked_count};
use crate::Fault;
use crate::report::line;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    /// How many readers.
    #[arg(long, default_value_t = 64)]
    count: usize,
    /// Each stops after this many bytes.
    #[arg(long, default_value_t = 65_536)]
    read_bytes: usize,
    /// How long they stay connected after the report line, unless the process is ended before.
    #[arg(long, default_value_t = 60)]
    hold_seconds_max: u64,
}

/// Reads a little of each stream, reports `{"stalled": n, "failed": n}`, then reads nothing and stays connected.
pub(crate) async fn run(options: Options) -> Result<(), Fault> {
    let aim = options.target.aim()?;
    let count = checked_count("--count", options.count)?;
    let mut readers = JoinSet::new();
    for _ in 0..count {
        let (aim, bytes) = (aim.clone(), options.read_bytes);
        readers.spawn(async move {
            tokio::time::timeout(aim.request_max, begin(&aim, bytes)).await.ok().flatten()
        });
    }
    let mut stalled = Vec::with_capacity(count);
    while let Some(done) = readers.join_next().await {
        stalled.extend(done.ok().flatten());
    }
    line(&serde_json::json!({ "stalled": stalled.len(), "failed": count - stalled.len() }))?;
    tokio::time::sleep(Duration::from_secs(options.hold_seconds_max)).await;
    drop(stalled);
    Ok(())
}

async fn begin(aim: &Aim, bytes: usize) -> Option<(Line, hyper::body::Incoming)> {
    let mut connection = Line::open(aim).await.ok()?;
    let response = connection.send(aim).await.ok().filter(|response| response.status() == 200)?;
    let mut body = response.into_body();
    let mut read = 0;
    while read < bytes {
        read += body.frame().await?.ok()?.into_data().ok()?.len();
    }
    Some((connection, body))
}
