//! The log of deferred requests: whatever the disk gives back, nothing panics, and what is read is what was written.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wellhead_resilience::defer::checks::any_log(bytes));
