//! How many tokens a body will cost, before anybody has counted them.

use memchr::memchr;

/// What one picture, sound or document is taken for.
pub(super) const MEDIA_TOKENS: u64 = 1000;

/// A string this long whose end is base64 is media, not text.
const MEDIA_BYTES_MIN: usize = 4096;

/// How much of the end has to look like base64. No prose goes so far without a space.
const PROBE_BYTES: usize = 1024;

/// Text counts a quarter of its bytes: about right for English and code, and within a factor of 1.5 for scripts
/// that take three bytes a character. Media counts a flat sum, since vendors bill it by pixels or seconds.
pub(super) fn input_tokens(body: &[u8]) -> u64 {
    let mut text_bytes = body.len();
    let mut media = 0;
    let mut rest = body;
    while rest.len() > MEDIA_BYTES_MIN {
        let end = memchr(b'"', rest).unwrap_or(rest.len());
        if end >= MEDIA_BYTES_MIN && rest[end - PROBE_BYTES..end].iter().all(is_base64) {
            text_bytes -= end;
            media += MEDIA_TOKENS;
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    let text = u64::try_from(text_bytes / 4).unwrap_or(u64::MAX);
    text.saturating_add(media).max(1)
}

const fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}
