//! Token counts. On the wire, `input_tokens` leaves out what the cache served or stored; here it is part of it.

use serde::Serialize;
use serde_json::Value;
use wellhead_types::Usage;

/// The counts of an answer. Those of a stream are cumulative and come in pieces: a newer one replaces an older one, and
/// zero or nothing says nothing (wire.md, trap 8: some hosts count the cache only at the end, some repeat zeros there).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    cache_write_1h: u64,
    thinking: u64,
    is_known: bool,
}

impl Counts {
    /// Takes over the counts of a `usage` object. False if it holds none.
    pub(super) fn set(&mut self, usage: &Value) -> bool {
        let count = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64);
        let hour = count("/cache_creation/ephemeral_1h_input_tokens");
        let written = count("/cache_creation_input_tokens").or_else(|| {
            let minutes = count("/cache_creation/ephemeral_5m_input_tokens");
            minutes.map(|minutes| minutes.saturating_add(hour.unwrap_or(0))).or(hour)
        });
        let mut found = false;
        for (slot, count) in [
            (&mut self.input, count("/input_tokens")),
            (&mut self.output, count("/output_tokens")),
            (&mut self.cache_read, count("/cache_read_input_tokens")),
            (&mut self.cache_write, written),
            (&mut self.cache_write_1h, hour),
            (&mut self.thinking, count("/output_tokens_details/thinking_tokens")),
        ] {
            found |= count.is_some();
            *slot = count.filter(|count| *count > 0).unwrap_or(*slot);
        }
        self.is_known |= found;
        found
    }

    /// In the gateway's convention. `None` if nothing was ever counted.
    pub(super) fn settle(self) -> Option<Usage> {
        let input = self.input.saturating_add(self.cache_read).saturating_add(self.cache_write);
        self.is_known.then(|| Usage {
            input_tokens: input,
            output_tokens: self.output,
            cached_input_tokens: self.cache_read,
            reasoning_tokens: self.thinking.min(self.output),
            cache_write_tokens: self.cache_write,
            cache_write_1h_tokens: self.cache_write_1h.min(self.cache_write),
            ..Usage::default()
        })
    }
}

/// Reads a `usage` object. `None` if it holds no count.
pub fn read_usage(usage: &Value) -> Option<Usage> {
    let mut counts = Counts::default();
    counts.set(usage);
    counts.settle()
}

/// As clients get it.
#[derive(Debug, Clone, Copy, Serialize, Default)]
pub(super) struct Shown {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation: Option<Written>,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<OutputDetails>,
}

/// What was written to the cache, by how long it stays there.
#[derive(Debug, Clone, Copy, Serialize)]
struct Written {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct OutputDetails {
    thinking_tokens: u64,
}

impl Shown {
    /// What was not counted is zero: the members have to be there.
    pub(super) fn new(usage: Option<Usage>) -> Self {
        let usage = usage.unwrap_or_default();
        let (thinking_tokens, written) = (usage.reasoning_tokens, usage.cache_write_tokens);
        let hour = usage.cache_write_1h_tokens.min(written);
        let by_time = Written { ephemeral_5m_input_tokens: written - hour, ephemeral_1h_input_tokens: hour };
        Self {
            input_tokens: usage
                .input_tokens
                .saturating_sub(usage.cached_input_tokens)
                .saturating_sub(written),
            cache_creation_input_tokens: written,
            cache_read_input_tokens: usage.cached_input_tokens,
            cache_creation: (written > 0).then_some(by_time),
            output_tokens: usage.output_tokens,
            output_tokens_details: (thinking_tokens > 0).then_some(OutputDetails { thinking_tokens }),
        }
    }

    /// At the end of a stream, where the vendor gives no breakdown of the cache.
    pub(super) fn ending(usage: Option<Usage>) -> Self {
        Self { cache_creation: None, ..Self::new(usage) }
    }
}
