//! The JSON Schema of the configuration, for editors. Generated from the reader's own table, checked in, compared.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::Value;

/// Where the schema is kept, below the root.
const PATH: &str = "schema/wellhead.schema.json";

/// Writes the schema, or with `check` fails if the file is not what would be written.
pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    write_or_compare(&root.join(PATH), &wellhead_config::json_schema(), check)
}

fn write_or_compare(path: &Path, schema: &Value, check: bool) -> anyhow::Result<()> {
    let wanted = serde_json::to_string_pretty(schema)? + "\n";
    let name = path.display();
    if !check {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        return std::fs::write(path, wanted).with_context(|| format!("cannot write {name}"));
    }
    let found = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {name}; run cargo xtask schema"))?;
    let differs = found.lines().zip(wanted.lines()).position(|(a, b)| a != b);
    let line = differs.unwrap_or_else(|| found.lines().count().min(wanted.lines().count())) + 1;
    if found != wanted {
        bail!(
            "{name}:{line}: differs from the configuration's own table; run cargo xtask schema and commit it"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::write_or_compare;

    #[test]
    fn a_stale_schema_is_named_with_the_first_line_that_differs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("schema/s.json");
        let old = serde_json::json!({"a": 1, "b": 2});
        let missing = write_or_compare(&path, &old, true).unwrap_err().to_string();
        assert!(missing.contains("run cargo xtask schema"), "{missing}");
        write_or_compare(&path, &old, false).unwrap();
        write_or_compare(&path, &old, true).unwrap();
        let stale =
            write_or_compare(&path, &serde_json::json!({"a": 1, "b": 3}), true).unwrap_err().to_string();
        assert!(stale.contains("s.json:3: differs"), "{stale}");
    }
}
