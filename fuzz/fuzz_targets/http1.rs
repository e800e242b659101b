//! An answer of a target must be understood the same however it is cut, or be refused; see the checks for the naive
//! reader that it is compared with.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (u64, &[u8])| wellhead_http::fuzz::fuzz_http1(input.0, input.1));
