//! Whatever clients and targets of Anthropic Messages send, it is read, written and read again.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (u64, &[u8])| wellhead_wire::checks::anthropic_codec(input.0, input.1));
