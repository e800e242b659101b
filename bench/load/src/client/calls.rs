//! An exact number of unstreamed requests: for instruction counts, where one request more or less would show, for
//! single probes, and for large uploads.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::{BufMut, Bytes, BytesMut};
use clap::Args;
use http_body_util::BodyExt;
use serde::Serialize;
use tokio::task::JoinSet;

use super::streams::micros;
use super::{Aim, Line, Target, checked_count};
use crate::Fault;
use crate::report::{Spread, line};

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    /// Requests on each connection, one after another.
    #[arg(long, default_value_t = 1)]
    requests: usize,
    /// Connections at the same time.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Grow the request to this many bytes with a long message (instead of `--body`).
    #[arg(long)]
    padded_bytes: Option<usize>,
    /// Model named in the padded request.
    #[arg(long, default_value = "chat")]
    model: String,
}

#[derive(Serialize)]
struct Summary {
    ok: usize,
    errors: BTreeMap<String, usize>,
    elapsed_us: u64,
    latency: Option<Spread>,
}

/// Sends, reads each answer to its end, and reports. A request that fails is counted and its connection replaced.
pub(crate) async fn run(options: Options) -> Result<(), Fault> {
    let mut aim = options.target.aim()?;
    if let Some(bytes) = options.padded_bytes {
        aim.body = padded(&options.model, bytes)?;
    }
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..checked_count("--connections", options.connections)? {
        let (aim, requests) = (aim.clone(), options.requests);
        tasks.spawn(async move { one_connection(&aim, requests).await });
    }
    let (mut errors, mut latencies) = (BTreeMap::new(), Vec::new());
    while let Some(done) = tasks.join_next().await {
        for result in done? {
            match result {
                Ok(latency) => latencies.push(latency),
                Err(kind) => *errors.entry(kind).or_insert(0) += 1,
            }
        }
    }
    let elapsed_us = micros(started.elapsed());
    line(&Summary { ok: latencies.len(), errors, elapsed_us, latency: Spread::of(latencies) })
}

async fn one_connection(aim: &Aim, requests: usize) -> Vec<Result<u64, String>> {
    let mut kept = None;
    let mut results = Vec::new();
    for _ in 0..requests {
        let result = match tokio::time::timeout(aim.request_max, call(&mut kept, aim)).await {
            Ok(result) => result,
            Err(_) => Err("timeout".to_owned()),
        };
        if result.is_err() {
            kept = None;
        }
        results.push(result);
    }
    results
}

async fn call(kept: &mut Option<Line>, aim: &Aim) -> Result<u64, String> {
    let reusable = match kept.as_mut() {
        Some(line) => line.usable().await,
        None => false,
    };
    if !reusable {
        *kept = Some(Line::open(aim).await?);
    }
    let connection = kept.as_mut().ok_or("connect")?;
    let sent = Instant::now();
    let response = connection.send(aim).await?;
    let status = response.status().as_u16();
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        frame.map_err(|_| "broken-off")?;
    }
    if status == 200 { Ok(micros(sent.elapsed())) } else { Err(format!("status-{status}")) }
}

/// A valid chat request of exactly this size.
fn padded(model: &str, bytes: usize) -> Result<Bytes, Fault> {
    let model = serde_json::to_string(model)?;
    let head = format!("{{\"model\":{model},\"messages\":[{{\"role\":\"user\",\"content\":\"");
    let tail = "\"}]}";
    let fill = bytes
        .checked_sub(head.len() + tail.len())
        .ok_or_else(|| format!("--padded-bytes {bytes}: at least {}", head.len() + tail.len()))?;
    let mut body = BytesMut::with_capacity(bytes);
    body.extend_from_slice(head.as_bytes());
    body.put_bytes(b'a', fill);
    body.extend_from_slice(tail.as_bytes());
    Ok(body.freeze())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_padded_request_has_its_size_and_is_json() {
        let body = padded("chat", 1_000).unwrap();
        assert_eq!(body.len(), 1_000);
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["model"], "chat");
        assert!(padded("chat", 10).is_err());
    }
}
