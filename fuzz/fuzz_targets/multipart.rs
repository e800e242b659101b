//! The form reader must find spans inside the body, or an error.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| wellhead_wire::checks::multipart(body));
