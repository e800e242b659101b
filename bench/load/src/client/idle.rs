//! Many streams that have begun and then carry nothing: what an open stream costs in memory.

use std::time::Duration;

use clap::Args;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::task::JoinSet;

use super::events::{Event, Splitter};
use super::{Aim, Line, Target, checked_count};
use crate::Fault;
use crate::report::line;

/// Streams that are being opened at the same time, so that the listen queue of no gateway overflows.
const OPENING_MAX: usize = 64;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    /// How many.
    #[arg(long, default_value_t = 4_000)]
    count: usize,
    /// How long they are held after the report line, unless the process is ended before.
    #[arg(long, default_value_t = 60)]
    hold_seconds_max: u64,
}

/// Opens the streams, reports `{"ready": n, "failed": n}`, and holds them.
pub(crate) async fn run(options: Options) -> Result<(), Fault> {
    let aim = options.target.aim()?;
    let count = checked_count("--count", options.count)?;
    let mut opening = JoinSet::new();
    let (mut held, mut failed) = (Vec::with_capacity(count), 0_usize);
    for _ in 0..count {
        if opening.len() == OPENING_MAX {
            settle(opening.join_next().await, &mut held, &mut failed);
        }
        let aim = aim.clone();
        opening.spawn(async move { tokio::time::timeout(aim.request_max, open(&aim)).await.ok().flatten() });
    }
    while let Some(done) = opening.join_next().await {
        settle(Some(done), &mut held, &mut failed);
    }
    line(&serde_json::json!({ "ready": held.len(), "failed": failed }))?;
    tokio::time::sleep(Duration::from_secs(options.hold_seconds_max)).await;
    drop(held);
    Ok(())
}

type Held = (Line, Incoming);
type Opened = Option<Result<Option<Held>, tokio::task::JoinError>>;

fn settle(opened: Opened, held: &mut Vec<Held>, failed: &mut usize) {
    match opened {
        Some(Ok(Some(stream))) => held.push(stream),
        Some(_) => *failed += 1,
        None => {}
    }
}

/// One stream whose first content has arrived.
async fn open(aim: &Aim) -> Option<Held> {
    let mut connection = Line::open(aim).await.ok()?;
    let response = connection.send(aim).await.ok().filter(|response| response.status() == 200)?;
    let mut body = response.into_body();
    let mut splitter = Splitter::default();
    let mut content = false;
    while !content {
        let data = body.frame().await?.ok()?.into_data().ok()?;
        if !splitter.push(&data, |event| content |= matches!(event, Event::Content(_))) {
            return None;
        }
    }
    Some((connection, body))
}
