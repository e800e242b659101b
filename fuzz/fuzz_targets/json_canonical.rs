//! The canonical form of a request says the same as the request, for every input.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| wellhead_wire::checks::json_canonical(body));
