//! W3C Trace Context, level 2: the caller's trace is continued, a malformed one is replaced by a new one.

use http::header::{HeaderMap, HeaderValue};

use crate::names::{TRACEPARENT, TRACESTATE};

/// Longest `tracestate` that is passed on: the length that every participant must be able to carry.
const TRACESTATE_BYTES_MAX: usize = 512;

/// Most members of a `tracestate`, by the specification.
const TRACESTATE_MEMBERS_MAX: usize = 32;

const SAMPLED: u8 = 0x01;

/// Level 2: the trace id's last seven bytes are random.
const RANDOM: u8 = 0x02;

/// The trace that a request belongs to, and the gateway's own span in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// Trace id, never all zero.
    pub trace_id: [u8; 16],
    /// The caller's span; `None` in a trace that begins here.
    pub parent_id: Option<[u8; 8]>,
    /// The gateway's span, never all zero.
    pub span_id: [u8; 8],
    /// Whether the caller sampled the trace. A hint that is passed on; it never decides what this gateway records or
    /// spends, because anybody can set it.
    pub sampled: bool,
    /// Whether the trace id is known to be random.
    random: bool,
}

impl Trace {
    /// Continues the trace in `traceparent`, or begins a new one if there is none, more than one, or a malformed one.
    /// `random`: 16 bytes for a trace id and 8 for the span id.
    pub fn from_headers(headers: &HeaderMap, random: [u8; 24]) -> Self {
        let mut parents = headers.get_all(&TRACEPARENT).iter();
        let parent = match (parents.next(), parents.next()) {
            (Some(value), None) => parse(value.as_bytes()),
            _ => None,
        };
        let [trace @ .., s0, s1, s2, s3, s4, s5, s6, s7] = random;
        let span_id = non_zero([s0, s1, s2, s3, s4, s5, s6, s7]);
        match parent {
            Some(parent) => Self {
                trace_id: parent.trace_id,
                parent_id: Some(parent.parent_id),
                span_id,
                sampled: parent.flags & SAMPLED != 0,
                random: parent.flags & RANDOM != 0,
            },
            None => Self { trace_id: non_zero(trace), parent_id: None, span_id, sampled: true, random: true },
        }
    }

    /// The `traceparent` to send on for `span_id`: that of the attempt, or the gateway's own.
    pub fn traceparent(&self, span_id: [u8; 8]) -> HeaderValue {
        let flags = (u8::from(self.sampled) * SAMPLED) | (u8::from(self.random) * RANDOM);
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&mut text[3..35], &self.trace_id);
        write_hex(&mut text[36..52], &span_id);
        write_hex(&mut text[53..55], &[flags]);
        // Hexadecimal digits and dashes are always a valid value.
        HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// The `tracestate` to send on: the caller's, if its trace is continued and the list is well-formed.
    pub fn tracestate(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        self.parent_id?;
        let mut values = headers.get_all(&TRACESTATE).iter();
        let first = values.next()?;
        let Some(second) = values.next() else {
            return valid_tracestate(first.as_bytes()).then(|| first.clone());
        };
        let mut joined = first.as_bytes().to_vec();
        for value in std::iter::once(second).chain(values) {
            joined.extend_from_slice(b",");
            joined.extend_from_slice(value.as_bytes());
            if joined.len() > TRACESTATE_BYTES_MAX {
                return None;
            }
        }
        valid_tracestate(&joined).then(|| HeaderValue::from_bytes(&joined).ok()).flatten()
    }
}

/// A span id from 8 random bytes, fit for `Trace::traceparent`: never all zero.
pub fn span_id(random: [u8; 8]) -> [u8; 8] {
    non_zero(random)
}

struct Parent {
    trace_id: [u8; 16],
    parent_id: [u8; 8],
    flags: u8,
}

/// Section 3.2: `version "-" trace-id "-" parent-id "-" flags`, in lower case. A version above 00 may carry more after
/// a further dash; ff is invalid.
fn parse(value: &[u8]) -> Option<Parent> {
    let (head, more) = value.split_at_checked(55)?;
    let dashes = [2, 35, 52].iter().all(|&i| head.get(i) == Some(&b'-'));
    let version = hex::<1>(head.get(..2)?)?[0];
    let length_fits = if version == 0 { more.is_empty() } else { more.first().is_none_or(|b| *b == b'-') };
    if !dashes || version == 0xff || !length_fits {
        return None;
    }
    let trace_id = hex::<16>(head.get(3..35)?)?;
    let parent_id = hex::<8>(head.get(36..52)?)?;
    let flags = hex::<1>(head.get(53..55)?)?[0];
    (trace_id != [0; 16] && parent_id != [0; 8]).then_some(Parent { trace_id, parent_id, flags })
}

fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

fn write_hex(to: &mut [u8], bytes: &[u8]) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    for (pair, byte) in to.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

/// All zero means "no id" in the specification; once in 2^64 the dice show it.
fn non_zero<const N: usize>(mut id: [u8; N]) -> [u8; N] {
    if id == [0; N]
        && let Some(last) = id.last_mut()
    {
        *last = 1;
    }
    id
}

/// Section 3.3: at most 32 members `key=value`, keys not repeated, empty members allowed.
fn valid_tracestate(list: &[u8]) -> bool {
    if list.len() > TRACESTATE_BYTES_MAX {
        return false;
    }
    let mut keys: [&[u8]; TRACESTATE_MEMBERS_MAX] = [b""; TRACESTATE_MEMBERS_MAX];
    let mut count = 0;
    for member in list.split(|b| *b == b',').map(trim).filter(|m| !m.is_empty()) {
        let Some(equals) = member.iter().position(|b| *b == b'=') else { return false };
        let (key, value) = (&member[..equals], &member[equals + 1..]);
        let fresh = !keys.iter().take(count).any(|k| *k == key);
        let Some(slot) = keys.get_mut(count) else { return false };
        if !fresh || !valid_key(key) || !valid_value(value) {
            return false;
        }
        *slot = key;
        count += 1;
    }
    count > 0
}

fn trim(bytes: &[u8]) -> &[u8] {
    let blank = |b: &u8| *b == b' ' || *b == b'\t';
    let start = bytes.iter().position(|b| !blank(b)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|b| !blank(b)).map_or(start, |i| i + 1);
    &bytes[start..end]
}

fn valid_key(key: &[u8]) -> bool {
    let allowed = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-*/@".contains(b);
    let starts = key.first().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    starts && key.len() <= 256 && key.iter().all(allowed)
}

fn valid_value(value: &[u8]) -> bool {
    let allowed = |b: &u8| matches!(b, 0x20..=0x7e) && *b != b'=';
    !value.is_empty() && value.len() <= 256 && value.iter().all(allowed)
}

#[cfg(test)]
mod tests;
