//! The Bedrock dialect's readers: no input panics, what is read can be written.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (u64, &[u8])| wellhead_wire::checks::bedrock_codec(input.0, input.1));
