//! How much room is left within the vendor's limits, as its answers tell.

use crate::finding::{Finding, Layer, Level};
use http::HeaderMap;
use wellhead_types::Diagnosis;
use wellhead_wire::failure::{Room, headroom};

/// Below this share of a limit the next minute may not suffice.
const SHARE_MIN: f64 = 0.1;

pub(super) fn judge(headers: &HeaderMap, now_unix_s: u64) -> Finding {
    let mut rooms = headroom(headers, now_unix_s).unwrap_or_default().rooms;
    rooms.retain(|room| room.remaining.is_some());
    if rooms.is_empty() {
        return Finding::new(Layer::Quota, Level::Skipped, "not checked: the answer tells no limits");
    }
    let text = rooms.iter().map(words).collect::<Vec<_>>().join(", ");
    if let Some(spent) = rooms.iter().find(|room| room.is_spent()) {
        return Finding::new(Layer::Quota, Level::Fail, text)
            .code(Diagnosis::KeyLimited.as_str())
            .fix(format!("no {} are left: wait, add a key, or raise the limit at the vendor", spent.name()));
    }
    match rooms.iter().find(|room| room.share() < SHARE_MIN) {
        Some(short) => Finding::new(Layer::Quota, Level::Warn, text)
            .code(Diagnosis::KeyLimited.as_str())
            .fix(format!("few {} are left: add a key, or raise the limit at the vendor", short.name())),
        None => Finding::new(Layer::Quota, Level::Ok, text),
    }
}

fn words(room: &Room) -> String {
    let (remaining, name) = (room.remaining.unwrap_or_default(), room.name());
    match room.limit {
        Some(limit) => format!("{remaining} of {limit} {name} left"),
        None => format!("{remaining} {name} left"),
    }
}
