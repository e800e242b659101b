//! Goldens as files.

use std::path::PathBuf;

/// Compares with the file of that name, or writes it if `WELLHEAD_BLESS` is set.
pub(crate) fn check(name: &str, text: &str) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "pairs", "golden", name].iter().collect();
    if std::env::var_os("WELLHEAD_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(text.lines()).position(|(kept, now)| kept != now);
    let line = differs.unwrap_or_else(|| kept.lines().count().min(text.lines().count()));
    let of = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
    assert!(
        kept == text,
        "{name}, line {}: expected\n  {}\nfound\n  {}\n(WELLHEAD_BLESS=1 writes the files anew)",
        line + 1,
        of(&kept),
        of(text)
    );
}

/// JSON over many lines, so that a difference can be read.
pub(crate) fn pretty(body: &[u8]) -> String {
    let value: serde_json::Value = serde_json::from_slice(body)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(body)));
    serde_json::to_string_pretty(&value).unwrap()
}
