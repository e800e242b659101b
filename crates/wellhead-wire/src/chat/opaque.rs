//! What a model thought, in a form that only its own vendor can read: signatures and encrypted reasoning.
//!
//! Such data has to go back to the provider and model that it came from, unchanged, and to nobody else: a foreign
//! signature is refused with 400 by every vendor that checks them (wire.md, trap 7). A client of another dialect keeps
//! it in whatever place its dialect has for such a thing, so the origin travels within the text itself.

use super::Dialect;

/// Marks a text that carries its origin. Vendors' own data is base64 and never begins like this.
const MARK: &str = "wh1~";

/// Where opaque data came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The provider as the configuration names it.
    pub provider: Box<str>,
    /// The model as the provider names it.
    pub model: Box<str>,
}

/// Data that only its origin understands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Opaque {
    /// The dialect that it is written in.
    pub dialect: Dialect,
    /// Unknown where a client of the same dialect sends back what passed it by untouched.
    pub origin: Option<Origin>,
    /// The vendor's own text.
    pub data: Box<str>,
}

impl Opaque {
    /// Whether a target may be given it: it came from there, or nobody knows where it came from and the target at least
    /// speaks its dialect.
    pub fn is_for(&self, dialect: Dialect, target: &Origin) -> bool {
        self.dialect == dialect && self.origin.as_ref().is_none_or(|origin| origin == target)
    }

    /// Whether a body may hold a text with its origin. A `~` is rare, and what else follows the mark's letters in front of
    /// it is looked at by whoever reads the body.
    pub fn is_in(body: &[u8]) -> bool {
        memchr::memchr_iter(b'~', body)
            .any(|at| body.get(..=at).is_some_and(|head| head.ends_with(MARK.as_bytes())))
    }

    /// As a text that can be given to a client of any dialect and that says where it came from. Without an origin it is
    /// the vendor's own text.
    pub fn to_text(&self) -> String {
        match &self.origin {
            None => self.data.to_string(),
            Some(origin) => format!(
                "{MARK}{}~{}~{}~{}",
                self.dialect.as_str(),
                escape(&origin.provider),
                escape(&origin.model),
                self.data
            ),
        }
    }

    /// Reads what [`Self::to_text`] wrote. Any other text is a vendor's own, taken to be of `dialect`.
    pub fn from_text(dialect: Dialect, text: &str) -> Self {
        let own = || Self { dialect, origin: None, data: text.into() };
        let Some(marked) = text.strip_prefix(MARK) else { return own() };
        let mut parts = marked.splitn(4, '~');
        let (Some(name), Some(provider), Some(model), Some(data)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return own();
        };
        let Some(dialect) = Dialect::ALL.into_iter().find(|dialect| dialect.as_str() == name) else {
            return own();
        };
        let origin = Origin { provider: unescape(provider).into(), model: unescape(model).into() };
        Self { dialect, origin: Some(origin), data: data.into() }
    }
}

/// The separator cannot be part of a name.
fn escape(name: &str) -> String {
    name.replace('%', "%25").replace('~', "%7E")
}

fn unescape(name: &str) -> String {
    name.replace("%7E", "~").replace("%25", "%")
}
