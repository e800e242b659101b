//! Any text is either a configuration that compiles and survives its canonical form, or is refused with a reason.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    // Whether it was accepted is no matter here; the call panics when a promise is broken.
    let _ = wellhead_config::fuzz_load(text);
});
