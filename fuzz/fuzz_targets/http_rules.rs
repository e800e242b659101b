//! Paths become canonical or are refused, and no header that must stay behind gets through. The first byte says which
//! of the two the rest is for, so that each keeps inputs of its own.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| match data.split_first() {
    Some((b'p', path)) => wellhead_http::fuzz::fuzz_path(path),
    Some((_, headers)) => wellhead_http::fuzz::fuzz_headers(headers),
    None => {}
});
