//! Vendors' errors: no answer panics, no wait is above the bound.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (u16, u64, &[u8], &[u8])| {
    let (status, now, head, body) = input;
    wellhead_wire::checks::failure(status, now, head, body);
});
