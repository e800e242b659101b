//! Framer and observer together: no input panics, no error looks like success.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (u64, &[u8])| wellhead_wire::checks::stream_observer(input.0, input.1));
