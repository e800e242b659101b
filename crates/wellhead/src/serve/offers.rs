//! Provider keys that lie in the environment are offered by name, never read and never used silently.

use wellhead_catalog::Catalog;

/// Kinds whose usual variables are set, with the variable's name.
pub(super) fn found() -> Vec<(String, String)> {
    let Ok(catalog) = Catalog::builtin() else { return Vec::new() };
    let mut offers = Vec::new();
    for kind in catalog.kinds() {
        let set = kind.key_env.iter().find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        if let Some(name) = set
            && !offers.iter().any(|(_, other)| other == name)
        {
            offers.push((kind.name.to_string(), name.clone()));
        }
    }
    offers
}
