//! Amazon's event stream: no bytes panic, and messages must not depend on where a stream is cut.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (u64, &[u8])| wellhead_wire::checks::event_stream(input.0, input.1));
