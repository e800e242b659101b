//! One connection as its server sees it: every wait also waits for what may end it.

use crate::scenario::Kind;
use crate::stage::Stage;
use crate::wire::Wire;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};

/// Why a connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// The gateway has closed it.
    Left,
    /// It is closed from here.
    Closed,
    /// It is reset from here.
    Reset,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) stage: Arc<Stage>,
    pub(super) provider: usize,
    wire: Wire,
    buffer: Vec<u8>,
}

impl Line {
    pub(super) fn new(stage: Arc<Stage>, provider: usize, wire: Wire) -> Self {
        Self { stage, provider, wire, buffer: Vec::new() }
    }

    pub(super) fn into_wire(self) -> Wire {
        self.wire
    }

    /// The number belonging to one request here.
    pub(super) fn drawn(&self, ask: usize, what: u64) -> u64 {
        crate::dice::of(self.stage.scenario.seed, &[3, self.provider as u64, ask as u64, what])
    }

    /// What has been read and not been used.
    pub(super) const fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Reads more.
    pub(super) async fn read(&mut self) -> Result<(), Gone> {
        let refusal = self.refusal();
        let mut bytes = [0; 4096];
        tokio::select! {
            biased;
            read = self.wire.read(&mut bytes) => match read {
                Ok(0) | Err(_) => Err(Gone::Left),
                Ok(n) => {
                    self.buffer.extend_from_slice(&bytes[..n]);
                    Ok(())
                }
            },
            () = at(refusal) => Err(Gone::Reset),
        }
    }

    /// Waits; `None` is for ever.
    pub(super) async fn pause(&mut self, ms: Option<u64>) -> Result<(), Gone> {
        let refusal = self.refusal();
        let until = ms.map(|ms| Instant::now() + std::time::Duration::from_millis(ms));
        let mut byte = [0; 1];
        tokio::select! {
            biased;
            read = self.wire.read(&mut byte) => {
                if matches!(read, Ok(n) if n > 0) {
                    let at = self.stage.now_ms();
                    let what = format!("{at} p{}: bytes behind a request that was not answered", self.provider);
                    self.stage.log.lock().wrong.push(what);
                }
                Err(Gone::Left)
            }
            () = at(refusal) => Err(Gone::Reset),
            () = at(until) => Ok(()),
        }
    }

    /// Writes, as soon as no partition is in the way.
    pub(super) async fn say(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        while let Some(ends) = self.stage.partition_ends(self.provider) {
            let now = self.stage.now_ms();
            self.pause(Some(ends.saturating_sub(now).max(1))).await?;
        }
        self.wire.write_all(bytes).await.map_err(|_| Gone::Left)
    }

    /// When connections are reset next, if ever: at once while they are refused.
    fn refusal(&self) -> Option<Instant> {
        let now = self.stage.now_ms();
        let faults = self.stage.scenario.faults.iter();
        let refusing = faults
            .filter(|f| f.provider == self.provider && f.kind == Kind::Refuse && f.to_ms > now)
            .map(|f| f.from_ms.max(now))
            .min();
        refusing.map(|ms| self.stage.instant(ms))
    }
}

/// Waits for a moment; `None` never comes.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
