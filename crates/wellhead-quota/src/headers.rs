//! The numbers behind rate-limit headers, and how they are spelt.

use std::fmt::{self, Write};

use crate::gcra::{Admitted, WINDOW_NS};

/// One limit as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Units per minute, or in flight.
    pub limit: u64,
    /// Units left.
    pub remaining: u64,
    /// Nanoseconds until all are free again; 0 for requests in flight, where nobody knows.
    pub reset_ns: u64,
}

impl Window {
    pub(crate) fn new(limit: u64, state: Admitted) -> Self {
        Self { limit, remaining: state.remaining.min(limit), reset_ns: state.reset_ns }
    }
}

/// The limits of an app as they stand; `None` is unlimited and gets no header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LimitHeaders {
    /// Requests per minute.
    pub requests: Option<Window>,
    /// Tokens per minute.
    pub tokens: Option<Window>,
    /// Requests in flight.
    pub concurrency: Option<Window>,
}

impl LimitHeaders {
    /// Calls `put` with the name (lower case) and value of every header: `x-ratelimit-{limit,remaining,reset}-requests`
    /// and `-tokens` as OpenAI spells them, then `ratelimit-policy` and `ratelimit` of the IETF draft with a policy per
    /// limit. Nothing for an app without limits. All values are printable ASCII.
    pub fn write(&self, mut put: impl FnMut(&'static str, &str)) {
        const REQUESTS: [&str; 3] =
            ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"];
        const TOKENS: [&str; 3] =
            ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"];
        let mut text = String::with_capacity(128);
        for (names, window) in [(REQUESTS, self.requests), (TOKENS, self.tokens)] {
            let Some(window) = window else { continue };
            let reset = duration_text(window.reset_ns);
            let values: [&dyn fmt::Display; 3] = [&window.limit, &window.remaining, &reset];
            for (name, value) in names.into_iter().zip(values) {
                put(name, fill(&mut text, format_args!("{value}")));
            }
        }
        let policies: [(&str, Option<Window>); 3] =
            [("requests", self.requests), ("tokens", self.tokens), ("concurrency", self.concurrency)];
        list(&mut text, &policies, |text, name, w| match name {
            "concurrency" => write!(text, "\"{name}\";q={};qu=\"concurrent-requests\"", w.limit),
            _ => write!(text, "\"{name}\";q={};w={}", w.limit, WINDOW_NS / 1_000_000_000),
        });
        if !text.is_empty() {
            put("ratelimit-policy", &text);
        }
        list(&mut text, &policies, |text, name, w| match name {
            "concurrency" => write!(text, "\"{name}\";r={}", w.remaining),
            _ => write!(text, "\"{name}\";r={};t={}", w.remaining, w.reset_ns.div_ceil(1_000_000_000)),
        });
        if !text.is_empty() {
            put("ratelimit", &text);
        }
    }
}

/// A structured-field list with an item per limit that is set.
fn list(
    text: &mut String,
    policies: &[(&str, Option<Window>)],
    item: impl Fn(&mut String, &str, Window) -> fmt::Result,
) {
    text.clear();
    for (name, window) in policies.iter().filter_map(|(name, window)| window.map(|w| (name, w))) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        // Writing to a String cannot fail.
        let _ = item(text, name, window);
    }
}

fn fill<'a>(text: &'a mut String, args: fmt::Arguments<'_>) -> &'a str {
    text.clear();
    // Writing to a String cannot fail.
    let _ = text.write_fmt(args);
    text
}

/// A duration as OpenAI's reset headers spell it, rounded up: `0s`, `12ms`, `1s`, `8.64s`, `6m0s`, `2h0m0s`.
/// From a minute on in whole seconds, below in milliseconds.
pub fn duration_text(ns: u64) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        let ms = ns.div_ceil(1_000_000);
        if ms < 1_000 {
            return if ms == 0 { f.write_str("0s") } else { write!(f, "{ms}ms") };
        }
        let s = ms.div_ceil(1_000);
        if s < 60 || ms < 60_000 {
            return match (ms / 1_000, ms % 1_000) {
                (whole, 0) => write!(f, "{whole}s"),
                (whole, part) => write!(f, "{whole}.{}s", format!("{part:03}").trim_end_matches('0')),
            };
        }
        match (s / 3_600, s / 60 % 60, s % 60) {
            (0, minutes, seconds) => write!(f, "{minutes}m{seconds}s"),
            (hours, minutes, seconds) => write!(f, "{hours}h{minutes}m{seconds}s"),
        }
    })
}
