//! How important a request is to those who run the gateway.

/// Four classes. Where there is more to do than targets can take, lower ones wait longer and are refused first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// Somebody waits for it, and it must not fail.
    Critical,
    /// Nothing was said.
    #[default]
    Default,
    /// It may fail.
    BestEffort,
    /// Nobody waits for it: batches, prefetching.
    Bulk,
}

impl Priority {
    /// Every class, the most important first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::Default, Self::BestEffort, Self::Bulk];

    /// The word in settings, headers, records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Default => "default",
            Self::BestEffort => "best-effort",
            Self::Bulk => "bulk",
        }
    }

    /// The class of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str().eq_ignore_ascii_case(word))
    }

    /// Its place in [`Priority::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// What a request may call itself in an app of this class: less important, never more.
    #[must_use]
    pub fn lowered_to(self, wished: Self) -> Self {
        self.max(wished)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::Priority;

    #[test]
    fn words_lead_back_and_nobody_raises_himself() {
        for (i, class) in Priority::ALL.into_iter().enumerate() {
            assert_eq!((Priority::from_word(class.as_str()), class.index()), (Some(class), i));
            assert_eq!(class.lowered_to(Priority::Critical), class);
            assert_eq!(class.lowered_to(Priority::Bulk), Priority::Bulk);
        }
        assert_eq!(Priority::from_word("Best-Effort"), Some(Priority::BestEffort));
        assert_eq!(Priority::from_word("high"), None);
    }
}
