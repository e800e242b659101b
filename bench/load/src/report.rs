//! Reports: one JSON object per line on stdout, which is all that the harness reads.

use std::io::Write;

use serde::Serialize;

use crate::Fault;

/// Writes one line and flushes it, so that a reader waiting for it sees it at once.
pub(crate) fn line(value: &impl Serialize) -> Result<(), Fault> {
    let mut text = serde_json::to_vec(value)?;
    text.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&text)?;
    out.flush()?;
    Ok(())
}

/// Order statistics of durations in microseconds.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(crate) struct Spread {
    /// How many values there were.
    pub(crate) count: usize,
    /// Half are at or below.
    pub(crate) p50_us: u64,
    /// 99 of 100 are at or below.
    pub(crate) p99_us: u64,
    /// The largest.
    pub(crate) max_us: u64,
}

impl Spread {
    /// `None` when there is nothing to describe. Nearest-rank percentiles: always a value that occurred.
    pub(crate) fn of(mut values: Vec<u64>) -> Option<Spread> {
        values.sort_unstable();
        let max_us = *values.last()?;
        let rank = |percent: usize| {
            let index = (values.len() * percent).div_ceil(100).max(1) - 1;
            values.get(index).copied().unwrap_or(max_us)
        };
        Some(Spread { count: values.len(), p50_us: rank(50), p99_us: rank(99), max_us })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let spread = Spread::of((1..=200).rev().collect());
        assert_eq!(spread, Some(Spread { count: 200, p50_us: 100, p99_us: 198, max_us: 200 }));
        assert_eq!(Spread::of(vec![7]), Some(Spread { count: 1, p50_us: 7, p99_us: 7, max_us: 7 }));
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
