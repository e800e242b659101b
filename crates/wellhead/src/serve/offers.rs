//! Provider keys that lie in the environment are offered by name, never read and never used silently.

use wellhead_catalog::Catalog;

/// A key that was found.
pub(super) struct Offer {
    /// Name of the vendor, for people.
    pub(super) title: String,
    /// The word for `kind:`.
    pub(super) kind: String,
    /// The variable that holds the key.
    pub(super) variable: String,
}

/// Kinds whose usual variables are set.
pub(super) fn found() -> Vec<Offer> {
    let Ok(catalog) = Catalog::builtin() else { return Vec::new() };
    let mut offers: Vec<Offer> = Vec::new();
    for kind in catalog.kinds() {
        let set =
            kind.key_env.iter().find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        if let Some(name) = set
            && !offers.iter().any(|offer| offer.variable == *name)
        {
            offers.push(Offer {
                title: kind.title.clone(),
                kind: kind.name.to_string(),
                variable: name.clone(),
            });
        }
    }
    offers
}
