//! What a target wrote itself, on its way beside the events that were made of it.
//!
//! Whoever watches over a stream knows one dialect. A client who speaks the target's gets the target's own events all the
//! same: each travels as a comment (which nobody who watches looks at, and no client could mistake for content) inside the
//! event that was made of it, and so is held back, released and left out together with it. The comment is one line; the
//! line ends of the original are written as control characters, which cannot stand in JSON.

use bytes::Bytes;
use memchr::memchr2;

/// How the comment begins.
const MARK: &[u8] = b":wh";
/// Stand for the line ends of the original.
const LF: u8 = 0x1d;
const CR: u8 = 0x1e;

/// What a comment carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The first original of a stream.
    First,
    /// Another one.
    Next,
    /// One that says nothing but that somebody is there: it need not wait its turn.
    Ping,
    /// Nothing: the original is with an event that follows, or with none.
    Part,
}

impl Kind {
    const fn letter(self) -> u8 {
        match self {
            Self::First => b'^',
            Self::Next => b'-',
            Self::Ping => b'~',
            Self::Part => b'+',
        }
    }
}

/// Appends the comment for an original, which must be whole events.
pub fn write(kind: Kind, original: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(MARK);
    out.push(kind.letter());
    out.extend(original.iter().filter(|byte| !matches!(**byte, LF | CR)).map(|byte| match byte {
        b'\n' => LF,
        b'\r' => CR,
        other => *other,
    }));
    out.push(b'\n');
}

/// The kind of an event's comment and what it carries, as [`restore`] takes it. `None`: it has none.
pub fn read(raw: &[u8]) -> Option<(Kind, &[u8])> {
    let start = if raw.starts_with(MARK) { 0 } else { memchr::memchr(b'\n', raw)? + 1 };
    let comment = raw.get(start..)?.strip_prefix(MARK)?;
    let (letter, rest) = comment.split_first()?;
    let kinds = [Kind::First, Kind::Next, Kind::Ping, Kind::Part];
    let kind = kinds.into_iter().find(|kind| kind.letter() == *letter)?;
    Some((kind, &rest[..memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())]))
}

/// Whether an event without data carries something that must not overtake others.
pub(crate) fn waits(raw: &[u8]) -> bool {
    raw.starts_with(MARK) && raw.get(MARK.len()) != Some(&Kind::Ping.letter())
}

/// The original that a comment carries.
pub fn restore(carried: &[u8]) -> Vec<u8> {
    let restored = carried.iter().map(|byte| match *byte {
        LF => b'\n',
        CR => b'\r',
        other => other,
    });
    restored.collect()
}

/// Bytes of the originals that these events carry.
pub fn carried_bytes(events: &[u8]) -> usize {
    let lines = events.split(|byte| *byte == b'\n');
    // The mark and its letter are ours.
    lines.filter_map(|line| line.strip_prefix(MARK)).map(|line| line.len().saturating_sub(1)).sum()
}

/// Events without what they carry.
pub fn strip(events: &Bytes) -> Bytes {
    if memchr::memmem::find(events, MARK).is_none() {
        return events.clone();
    }
    let lines = events.split_inclusive(|byte| *byte == b'\n').filter(|line| !line.starts_with(MARK));
    lines.collect::<Vec<_>>().concat().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{Kind, carried_bytes, read, restore, strip, waits, write};
    use crate::sse::{Event, Framer, Verdict};
    use bytes::Bytes;

    const ORIGINALS: [&str; 4] =
        ["event: a\ndata: {\"x\":\"é\"}\n\n", "data: {}\r\n\r\n", "id: 1\rdata: 2\r\r", ": only a comment\n"];

    #[test]
    fn what_is_carried_comes_back_and_changes_nothing_of_the_event() {
        for original in ORIGINALS {
            let mut raw = b"data: {\"choices\":[]}\n".to_vec();
            write(Kind::Next, original.as_bytes(), &mut raw);
            raw.push(b'\n');
            let (kind, carried) = read(&raw).unwrap();
            assert_eq!((kind, restore(carried)), (Kind::Next, original.as_bytes().to_vec()));
            let event = Event::parse(&raw);
            assert_eq!(event.data().unwrap().as_ref(), b"{\"choices\":[]}");
            let mut seen = 0;
            let framed = Framer::new(4096).push(
                raw.clone().into(),
                &mut |event| {
                    assert_eq!(event.raw(), raw);
                    seen += 1;
                    Verdict::Pass
                },
                &mut Vec::new(),
            );
            assert!(framed.is_ok() && seen == 1);
            assert_eq!(carried_bytes(&raw), original.len());
            assert_eq!(strip(&Bytes::from(raw)), "data: {\"choices\":[]}\n\n");
        }
    }

    #[test]
    fn without_data_it_is_an_event_of_its_own_that_clients_ignore() {
        let mut raw = Vec::new();
        write(Kind::First, ORIGINALS[0].as_bytes(), &mut raw);
        assert_eq!(read(&raw).map(|(kind, carried)| (kind, restore(carried))).unwrap().0, Kind::First);
        assert!(Event::parse(&raw).is_comment_only() && waits(&raw));
        let mut ping = Vec::new();
        write(Kind::Ping, b"event: ping\n\n", &mut ping);
        assert!(!waits(&ping) && !waits(b": keep-alive\n"));
        assert_eq!(strip(&Bytes::from(raw)), "");
    }

    #[test]
    fn other_comments_carry_nothing() {
        for raw in ["data: {}\n\n", ": ping\n\n", "data: {}\n: note\n\n", "", ":wh", "data: :wh-x\n\n"] {
            assert_eq!(read(raw.as_bytes()), None, "{raw}");
        }
    }
}
