//! What is known of deferred requests, as it was when it was last looked at.

use std::fmt::Error;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use super::collect::{as_gauge, counter_of, gauge};

/// Figures of deferred requests. Taken whole before a scrape, so that they agree with each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeferredFigures {
    /// Requests that wait for a target.
    pub queued: u64,
    /// Requests that a target is being asked for.
    pub running: u64,
    /// Requests that have ended and are kept.
    pub kept: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Bytes of the log on disk.
    pub disk_bytes: u64,
    /// Age of the oldest that waits, in seconds.
    pub oldest_s: u64,
    /// What has become of requests since the start of the process, by outcome.
    pub outcomes: Vec<(&'static str, u64)>,
    /// What has become of webhooks since then.
    pub webhooks: Vec<(&'static str, u64)>,
}

impl DeferredFigures {
    pub(super) fn encode(&self, out: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "Deferred requests, by how far they are.";
        let mut metric = out.encode_descriptor("wellhead_deferred", help, None, MetricType::Gauge)?;
        for (state, count) in [("queued", self.queued), ("running", self.running), ("kept", self.kept)] {
            metric.encode_family(&[("state", state)])?.encode_gauge(&as_gauge(count))?;
        }
        let help = "Bodies of deferred requests and their results.";
        gauge(out, "wellhead_deferred_bytes", help, as_gauge(self.bytes))?;
        let help = "Size of the log of deferred requests on disk.";
        gauge(out, "wellhead_deferred_disk_bytes", help, as_gauge(self.disk_bytes))?;
        let help = "Age of the oldest deferred request that waits for a target.";
        gauge(out, "wellhead_deferred_oldest_seconds", help, as_gauge(self.oldest_s))?;
        let help = "Requests that were to be deferred, by what became of them.";
        counters(out, "wellhead_deferred_requests", help, &self.outcomes)?;
        let help = "Tries to tell owners by a webhook, by what became of them.";
        counters(out, "wellhead_deferred_webhooks", help, &self.webhooks)
    }
}

fn counters(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    counts: &[(&'static str, u64)],
) -> Result<(), Error> {
    let mut metric = out.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (outcome, count) in counts {
        counter_of(&mut metric, &[("outcome", *outcome)], *count)?;
    }
    Ok(())
}
