//! OpenAI Responses: no input panics, and what is understood is understood the same once it has been written.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (u64, &[u8])| wellhead_wire::checks::responses_codec(input.0, input.1));
