//! The span scanner must agree with `serde_json` on every input.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| wellhead_wire::checks::json_scan(body));
