//! Hands the compiler's version and the target to `wellhead version`.

use std::io::{self, Write};
use std::process::Command;

fn main() -> io::Result<()> {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output()?;
    let version = String::from_utf8_lossy(&version.stdout);
    let target = std::env::var("TARGET").unwrap_or_default();
    let mut out = io::stdout();
    writeln!(out, "cargo::rustc-env=WELLHEAD_RUSTC={}", version.trim())?;
    writeln!(out, "cargo::rustc-env=WELLHEAD_TARGET={target}")?;
    writeln!(out, "cargo::rerun-if-env-changed=WELLHEAD_GIT_COMMIT")?;
    writeln!(out, "cargo::rerun-if-changed=build.rs")
}
