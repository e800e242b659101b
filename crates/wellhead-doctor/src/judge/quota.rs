//! How much room is left within the vendor's limits, as its answers tell.

use crate::finding::{Finding, Layer, Level};
use http::HeaderMap;
use wellhead_types::Diagnosis;

/// Below this part of a limit the next minute may not suffice.
const ROOM_MIN_PERCENT: f64 = 10.0;

/// One limit.
#[derive(Debug, PartialEq)]
struct Room {
    /// `requests`, `tokens`, `input-tokens`.
    what: String,
    remaining: f64,
    limit: Option<f64>,
}

pub(super) fn judge(headers: &HeaderMap) -> Finding {
    let rooms = rooms(headers);
    if rooms.is_empty() {
        return Finding::new(Layer::Quota, Level::Skipped, "not checked: the answer tells no limits");
    }
    let text = rooms.iter().map(Room::text).collect::<Vec<_>>().join(", ");
    if let Some(spent) = rooms.iter().find(|room| room.remaining <= 0.0) {
        return Finding::new(Layer::Quota, Level::Fail, text)
            .code(Diagnosis::KeyLimited.as_str())
            .fix(format!("no {} are left: wait, add a key, or raise the limit at the vendor", spent.what));
    }
    let short = rooms.iter().find(|room| {
        room.limit.is_some_and(|limit| limit > 0.0 && room.remaining / limit * 100.0 < ROOM_MIN_PERCENT)
    });
    match short {
        Some(short) => Finding::new(Layer::Quota, Level::Warn, text)
            .code(Diagnosis::KeyLimited.as_str())
            .fix(format!("few {} are left: add a key, or raise the limit at the vendor", short.what)),
        None => Finding::new(Layer::Quota, Level::Ok, text),
    }
}

impl Room {
    fn text(&self) -> String {
        match self.limit {
            Some(limit) => format!("{} of {limit} {} left", self.remaining, self.what),
            None => format!("{} {} left", self.remaining, self.what),
        }
    }
}

/// `x-ratelimit-remaining-requests` as OpenAI writes it, `anthropic-ratelimit-requests-remaining` as Anthropic does.
fn rooms(headers: &HeaderMap) -> Vec<Room> {
    /// Vendors have three or four; a stranger may send any number.
    const ROOMS_MAX: usize = 8;
    let number = |name: &str| {
        let number: f64 = headers.get(name)?.to_str().ok()?.trim().parse().ok()?;
        number.is_finite().then_some(number)
    };
    let mut rooms: Vec<Room> = headers
        .keys()
        .filter_map(|name| {
            let name = name.as_str();
            let (what, of_limit) = if let Some(what) = name.strip_prefix("x-ratelimit-remaining-") {
                (what, format!("x-ratelimit-limit-{what}"))
            } else {
                let what = name.strip_prefix("anthropic-ratelimit-")?.strip_suffix("-remaining")?;
                (what, format!("anthropic-ratelimit-{what}-limit"))
            };
            Some(Room { what: what.to_owned(), remaining: number(name)?, limit: number(&of_limit) })
        })
        .take(ROOMS_MAX)
        .collect();
    rooms.sort_by(|a, b| a.what.cmp(&b.what));
    rooms
}
