//! Why a credential could not be had.

use std::fmt;

/// The kind of trouble, as a stable word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing is configured or found that a credential could come from.
    NoSource,
    /// A file cannot be read, or is not what it should be.
    File,
    /// Whoever gives it out cannot be reached, or did not answer in time.
    Unreachable,
    /// Whoever gives it out says no.
    Refused,
    /// The answer is not understood.
    Malformed,
}

impl Trouble {
    /// The word in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSource => "no source",
            Self::File => "unusable file",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Malformed => "malformed answer",
        }
    }
}

/// A credential could not be had: from where, why, and what to do. For operators; holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FetchError {
    /// The kind of trouble.
    pub trouble: Trouble,
    /// Where it was to come from: `service account /etc/key.json`.
    pub from: String,
    /// What was said or seen.
    pub detail: String,
    /// What to change.
    pub fix: String,
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trouble, from, detail, fix } = self;
        write!(f, "{from}: {}: {detail}", trouble.as_str())?;
        if !fix.is_empty() {
            write!(f, "; {fix}")?;
        }
        Ok(())
    }
}

impl FetchError {
    pub(crate) fn new(
        trouble: Trouble,
        from: impl Into<String>,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { trouble, from: from.into(), detail: detail.into(), fix: fix.into() }
    }

    /// Whether something else may have a credential: nothing was found here at all.
    pub(crate) fn is_absence(&self) -> bool {
        self.trouble == Trouble::NoSource
    }
}
