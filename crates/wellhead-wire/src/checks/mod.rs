//! What must hold for any input: called with generated input by the property tests and with mutated input by the fuzz
//! targets. A check panics when its promise is broken.

mod anthropic;
mod bedrock;
mod canonical;
pub mod chat;
pub(crate) mod codecs;
mod cohere;
mod eventstream;
mod failure;
mod gemini;
mod json;
mod kept;
mod multipart;
mod responses;
mod resume;
mod sse;
mod stream;

pub use anthropic::anthropic_codec;
pub use bedrock::bedrock_codec;
pub use canonical::json_canonical;
pub use codecs::{chat_codec, ollama_codec};
pub use cohere::cohere_codec;
pub use eventstream::event_stream;
pub use failure::failure;
pub use gemini::gemini_codec;
pub use json::json_scan;
pub use multipart::multipart;
pub use responses::responses_codec;
pub use resume::resumed_stream;
pub use sse::sse_framer;
pub use stream::stream_observer;

/// Cuts `bytes` into chunks of lengths drawn from `seed` (SplitMix64), so that a failing cut can be replayed.
pub(crate) fn cut(mut seed: u64, bytes: &[u8]) -> Vec<bytes::Bytes> {
    let mut chunks = Vec::new();
    let mut rest = bytes;
    let len_max = 1 << (seed & 7);
    while !rest.is_empty() {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let len = usize::try_from(1 + word % len_max).expect("at most 128");
        let (chunk, after) = rest.split_at(len.min(rest.len()));
        chunks.push(bytes::Bytes::copy_from_slice(chunk));
        rest = after;
    }
    chunks
}
