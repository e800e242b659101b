//! The wellhead binary.
fn main() {}
