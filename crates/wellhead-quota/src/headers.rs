//! The numbers behind rate-limit headers, and how they are spelt.

use std::fmt;

use crate::gcra::{Admitted, WINDOW_NS};

const SECOND_NS: u64 = 1_000_000_000;

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
        // Runs for every request of a limited app: one buffer, and digits without the formatting machinery.
        let mut text = String::with_capacity(128);
        let mut digits = itoa::Buffer::new();
        for ([limit, remaining, reset], window) in [(REQUESTS, self.requests), (TOKENS, self.tokens)] {
            let Some(window) = window else { continue };
            put(limit, digits.format(window.limit));
            put(remaining, digits.format(window.remaining));
            text.clear();
            push_duration(&mut text, window.reset_ns);
            put(reset, &text);
        }
        text.clear();
        self.push_policies(&mut text);
        if text.is_empty() {
            return;
        }
        put("ratelimit-policy", &text);
        text.clear();
        self.push_states(&mut text);
        put("ratelimit", &text);
    }

    /// The structured-field list of `ratelimit-policy`: an item per limit that is set.
    fn push_policies(&self, text: &mut String) {
        for (name, window) in [("requests", self.requests), ("tokens", self.tokens)] {
            let Some(window) = window else { continue };
            push_name(text, name);
            text.push_str(";q=");
            push_number(text, window.limit);
            text.push_str(";w=");
            push_number(text, WINDOW_NS / SECOND_NS);
        }
        if let Some(window) = self.concurrency {
            push_name(text, "concurrency");
            text.push_str(";q=");
            push_number(text, window.limit);
            text.push_str(";qu=\"concurrent-requests\"");
        }
    }

    /// The structured-field list of `ratelimit`, in the same order.
    fn push_states(&self, text: &mut String) {
        for (name, window) in [("requests", self.requests), ("tokens", self.tokens)] {
            let Some(window) = window else { continue };
            push_name(text, name);
            text.push_str(";r=");
            push_number(text, window.remaining);
            text.push_str(";t=");
            push_number(text, window.reset_ns.div_ceil(SECOND_NS));
        }
        if let Some(window) = self.concurrency {
            push_name(text, "concurrency");
            text.push_str(";r=");
            push_number(text, window.remaining);
        }
    }
}

/// Starts an item of a structured-field list: `"name"`, after a comma unless it is the first.
fn push_name(text: &mut String, name: &str) {
    text.push_str(if text.is_empty() { "\"" } else { ", \"" });
    text.push_str(name);
    text.push('"');
}

fn push_number(text: &mut String, number: u64) {
    text.push_str(itoa::Buffer::new().format(number));
}

/// A duration as OpenAI's reset headers spell it, rounded up: `0s`, `12ms`, `1s`, `8.64s`, `6m0s`, `2h0m0s`.
/// From a minute on in whole seconds, below in milliseconds.
pub fn duration_text(ns: u64) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        let mut text = String::new();
        push_duration(&mut text, ns);
        f.write_str(&text)
    })
}

/// Appends `duration_text`.
fn push_duration(text: &mut String, ns: u64) {
    let ms = ns.div_ceil(1_000_000);
    match ms {
        0 => text.push_str("0s"),
        1..1_000 => {
            push_number(text, ms);
            text.push_str("ms");
        }
        1_000..60_000 => {
            push_number(text, ms / 1_000);
            push_thousandths(text, ms % 1_000);
            text.push('s');
        }
        _ => {
            let s = ms.div_ceil(1_000);
            if s >= 3_600 {
                push_number(text, s / 3_600);
                text.push('h');
            }
            push_number(text, s / 60 % 60);
            text.push('m');
            push_number(text, s % 60);
            text.push('s');
        }
    }
}

/// A decimal fraction of `part` thousandths without trailing zeros: `.64`, or nothing for 0.
fn push_thousandths(text: &mut String, part: u64) {
    let digits = [part / 100, part / 10 % 10, part % 10];
    let shown = digits.iter().rposition(|digit| *digit != 0).map_or(0, |last| last + 1);
    if shown > 0 {
        text.push('.');
    }
    for digit in digits.into_iter().take(shown) {
        push_number(text, digit);
    }
}
