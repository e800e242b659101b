//! How much room is left within a vendor's limits, as the headers of its answers tell.
//!
//! Every vendor has names of its own for the same three numbers. They are read by their parts: a family (the prefix),
//! the number that it is (`limit`, `remaining`, `reset`), and what is counted, per which window.

use super::wait::reset;
use http::{HeaderMap, HeaderValue};
use std::time::Duration;

/// Budgets kept of one answer: vendors have four at most; a stranger may send any number.
pub const ROOMS_MAX: usize = 8;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// Requests.
    Requests,
    /// Tokens, in and out.
    Tokens,
    /// Tokens of prompts.
    InputTokens,
    /// Tokens of answers.
    OutputTokens,
}

/// The window that a budget is for, where the header's name says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    /// Not said: mostly a minute; for requests to Groq a day.
    Unnamed,
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month.
    Month,
}

/// One budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// What is counted.
    pub unit: Unit,
    /// Per what.
    pub window: Window,
    /// How much there is when the window begins.
    pub limit: Option<u64>,
    /// How much is left.
    pub remaining: Option<u64>,
    /// When it is full again, from now.
    pub reset: Option<Duration>,
}

impl Room {
    /// Nothing is left.
    pub fn is_spent(&self) -> bool {
        self.remaining == Some(0)
    }

    /// `requests`, `tokens per minute`, `input tokens per day`.
    pub fn name(&self) -> String {
        let unit = match self.unit {
            Unit::Requests => "requests",
            Unit::Tokens => "tokens",
            Unit::InputTokens => "input tokens",
            Unit::OutputTokens => "output tokens",
        };
        let window = match self.window {
            Window::Unnamed => return unit.to_owned(),
            Window::Second => "second",
            Window::Minute => "minute",
            Window::Hour => "hour",
            Window::Day => "day",
            Window::Month => "month",
        };
        format!("{unit} per {window}")
    }

    /// What is left of the limit, from 0 to 1; 1 if that is not said.
    #[expect(clippy::cast_precision_loss, reason = "a ratio; vendors' limits are far below 2^53")]
    pub fn share(&self) -> f64 {
        match (self.remaining, self.limit) {
            (Some(0), _) => 0.0,
            (Some(remaining), Some(limit)) if limit > 0 => (remaining as f64 / limit as f64).min(1.0),
            _ => 1.0,
        }
    }
}

/// All budgets that an answer tells, ordered by what they count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headroom {
    /// At least one, at most [`ROOMS_MAX`].
    pub rooms: Vec<Room>,
}

impl Headroom {
    /// The budget of requests with the least room.
    pub fn requests(&self) -> Option<&Room> {
        self.tightest(|unit| unit == Unit::Requests)
    }

    /// The budget of tokens of any sort with the least room.
    pub fn tokens(&self) -> Option<&Room> {
        self.tightest(|unit| unit != Unit::Requests)
    }

    /// When a request that was refused now may be taken: of the spent budgets the longest reset. If none is spent, the
    /// request was larger than what is left, and the shortest reset of all counts.
    pub fn wait(&self) -> Option<Duration> {
        let spent = self.rooms.iter().filter(|room| room.is_spent()).filter_map(|room| room.reset).max();
        spent.or_else(|| self.rooms.iter().filter_map(|room| room.reset).min())
    }

    fn tightest(&self, of: impl Fn(Unit) -> bool) -> Option<&Room> {
        let rooms = self.rooms.iter().filter(|room| of(room.unit));
        rooms.min_by(|a, b| a.share().total_cmp(&b.share()).then(a.remaining.cmp(&b.remaining)))
    }
}

/// Reads the budgets that an answer tells; `None` for the many that tell none, which costs one look at each name.
/// `now` is Unix seconds.
pub fn headroom(headers: &HeaderMap, now: u64) -> Option<Headroom> {
    let mut rooms: Vec<Room> = Vec::new();
    for (name, value) in headers {
        let Some((number, what)) = split(name.as_str()) else { continue };
        let Some((unit, window)) = meant(what) else { continue };
        let at = rooms.iter().position(|room| room.unit == unit && room.window == window);
        let at = at.unwrap_or_else(|| {
            rooms.push(Room { unit, window, limit: None, remaining: None, reset: None });
            rooms.len() - 1
        });
        if let Some(room) = rooms.get_mut(at) {
            set(room, number, value, now);
        }
        if rooms.len() > ROOMS_MAX {
            rooms.truncate(ROOMS_MAX);
        }
    }
    rooms.retain(|room| room.limit.is_some() || room.remaining.is_some() || room.reset.is_some());
    rooms.sort_by_key(|room| (room.unit, room.window));
    if rooms.is_empty() { None } else { Some(Headroom { rooms }) }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Limit,
    Remaining,
    Reset,
}

/// Families whose names end in the number: `anthropic-ratelimit-input-tokens-remaining`.
const NUMBER_LAST: [&str; 2] = ["anthropic-ratelimit-", "x-trial-endpoint-call-"];

/// Families whose names begin with it: `x-ratelimit-remaining-tokens`, `ratelimit-reset` (the IETF draft),
/// `x-tokenlimit-limit` (Together). What stands behind the prefix is counted if the name says no more.
const NUMBER_FIRST: [(&str, &str); 5] = [
    ("x-ratelimit-", "requests"),
    ("x-ratelimitbysize-", "tokens"),
    ("ratelimitbysize-", "tokens"),
    ("ratelimit-", "requests"),
    ("x-tokenlimit-", "tokens"),
];

/// The number that a header is, and what it counts.
fn split(name: &str) -> Option<(Number, &str)> {
    // Most headers are something else, and say so in their first letter.
    if !matches!(name.as_bytes().first(), Some(b'x' | b'a' | b'r')) {
        return None;
    }
    for family in NUMBER_LAST {
        if let Some(rest) = name.strip_prefix(family) {
            let (what, number) = rest.rsplit_once('-').unwrap_or(("requests", rest));
            return Some((number_of(number)?, what));
        }
    }
    let (rest, default) =
        NUMBER_FIRST.iter().find_map(|(family, what)| Some((name.strip_prefix(family)?, *what)))?;
    let (number, what) = rest.split_once('-').unwrap_or((rest, default));
    // `limit-minute` of a family that counts by itself.
    let what = if window_of(what).is_some() && default == "tokens" { default } else { what };
    Some((number_of(number)?, what))
}

fn number_of(word: &str) -> Option<Number> {
    match word {
        "limit" => Some(Number::Limit),
        "remaining" => Some(Number::Remaining),
        "reset" => Some(Number::Reset),
        _ => None,
    }
}

/// `requests`, `tokens`, `req-minute`, `tokens-day`, `input-tokens`, `tokens-prompt`: unit and window.
fn meant(what: &str) -> Option<(Unit, Window)> {
    let mut unit = None;
    let mut window = Window::Unnamed;
    for word in what.split('-') {
        if let Some(named) = window_of(word) {
            window = named;
            continue;
        }
        let named = match word {
            "requests" | "req" | "request" => Unit::Requests,
            "tokens" | "token" => Unit::Tokens,
            "input" | "prompt" => Unit::InputTokens,
            "output" | "generated" | "completion" => Unit::OutputTokens,
            // Seconds of audio, images, projects: other budgets than ours.
            _ => return None,
        };
        unit = match (unit, named) {
            (Some(known @ (Unit::InputTokens | Unit::OutputTokens)), Unit::Tokens) => Some(known),
            (_, named) => Some(named),
        };
    }
    Some((unit.unwrap_or(Unit::Requests), window))
}

fn window_of(word: &str) -> Option<Window> {
    match word {
        "second" => Some(Window::Second),
        "minute" => Some(Window::Minute),
        "hour" => Some(Window::Hour),
        "day" => Some(Window::Day),
        "month" => Some(Window::Month),
        _ => None,
    }
}

fn set(room: &mut Room, number: Number, value: &HeaderValue, now: u64) {
    let Some(text) = value.to_str().ok().map(str::trim) else { return };
    match number {
        Number::Limit => room.limit = amount(text).or(room.limit),
        Number::Remaining => room.remaining = amount(text).or(room.remaining),
        Number::Reset => room.reset = reset(text, now).or(room.reset),
    }
}

/// A count; some vendors write it with a fraction, and the IETF draft with a policy behind a comma or semicolon. What is
/// below nothing is nothing.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a u64 holds")]
fn amount(text: &str) -> Option<u64> {
    let text = text.split([',', ';']).next().unwrap_or(text).trim();
    let number: f64 = text.parse().ok()?;
    number.is_finite().then(|| number.clamp(0.0, 1e18) as u64)
}
