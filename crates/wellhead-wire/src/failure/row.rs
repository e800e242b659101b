//! One row of the table of signals: who says it, under which status, in which words, and what it means.

use super::facts::Facts;
use super::means::Means;
use super::vendor::Vendor;
use http::HeaderMap;

/// How a fact is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Known {
    /// Seen in recorded answers of the vendor.
    Recorded,
    /// Tried against the running server.
    Measured,
    /// In a specification or an official SDK.
    Specified,
    /// In the vendor's documentation.
    Documented,
    /// In a public report of somebody who met it.
    Reported,
    /// Believed; nobody has checked. Easy to correct: it is one row.
    Believed,
}

/// The statuses under which a row counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    /// Ranges, both ends included.
    pub(super) statuses: &'static [(u16, u16)],
    /// Also an error inside a success that names no status.
    pub(super) unnamed: bool,
}

impl At {
    /// Every error.
    pub(super) const ANY: Self = Self { statuses: &[(400, 599)], unnamed: true };
    /// Statuses that say "the request is wrong" and nothing more exact.
    pub(super) const BAD: Self =
        Self { statuses: &[(400, 400), (405, 407), (410, 423), (425, 428), (430, 499)], unnamed: true };
    /// Where vendors say that a request is too long; servers in front of a model say it as 5xx too. Not 429: there the
    /// same words are about tokens per minute.
    pub(super) const LONG: Self =
        Self { statuses: &[(400, 400), (405, 407), (410, 423), (425, 428), (430, 599)], unnamed: true };
    /// Where vendors say that something is forbidden or wrong.
    pub(super) const REFUSED: Self = Self {
        statuses: &[(400, 400), (403, 403), (405, 407), (410, 423), (425, 428), (430, 499)],
        unnamed: true,
    };
    /// The same, and where they say it of money.
    pub(super) const MONEY: Self = Self { statuses: &[(400, 407), (410, 423), (425, 499)], unnamed: true };
    /// Failures of servers, but for the one that says "not now".
    pub(super) const FAULT: Self = Self { statuses: &[(500, 502), (504, 599)], unnamed: true };

    /// Failures of servers.
    pub(super) const SERVER: Self = Self { statuses: &[(500, 599)], unnamed: true };

    /// These statuses and nothing else.
    pub(super) const fn only(statuses: &'static [(u16, u16)]) -> Self {
        Self { statuses, unnamed: false }
    }

    fn holds(self, status: Option<u16>) -> bool {
        match status {
            Some(status) => self.statuses.iter().any(|(from, to)| (*from..=*to).contains(&status)),
            None => self.unnamed,
        }
    }
}

/// What has to be found in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Nothing but the status.
    Status,
    /// A word for machines (type, code, status, reason), compared whole and in lower case.
    Code(&'static str),
    /// A word for machines that begins like this, in lower case.
    CodeStart(&'static str),
    /// A phrase in what is said to people, in lower case.
    Phrase(&'static str),
    /// A code and a phrase.
    CodeAndPhrase(&'static str, &'static str),
    /// One word of each group somewhere in what is said to people, in lower case.
    Words(&'static [&'static str], &'static [&'static str]),
    /// A header with this value, in lower case; any value if it is empty.
    Header(&'static str, &'static str),
    /// No body at all.
    NoBody,
}

/// Whose answers a row is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// Everybody's: vendors copy each other's words, and servers stand behind vendors.
    All,
    /// This vendor's, and those of whom nothing is known: too short a code to be looked for everywhere.
    Unknown,
    /// This vendor's only: elsewhere it means something else.
    Vendor,
}

/// How long to stay away, beside what the answer itself says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// As headers or body say, if they do.
    Told,
    /// If nothing else is said, until the next month begins (UTC).
    NextMonth,
    /// Until midnight in California, unless the answer says more than two minutes: what it says may be about the minute.
    PacificMidnight,
    /// Until the date in the message, which is so many hours ahead of UTC.
    Said(i64),
    /// So many seconds if nothing else is said.
    Seconds(u64),
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// Who says it.
    pub(super) vendor: Vendor,
    /// Under which status.
    pub(super) at: At,
    /// In which words.
    pub(super) sign: Sign,
    /// What it means.
    pub(super) means: Means,
    /// How long it lasts.
    pub(super) wait: Wait,
    /// Whose answers it is looked for in.
    pub(super) of: For,
    /// It counts only when the answer names no time to come back: nobody names one who waits for money.
    pub(super) unless_told: bool,
    /// How it is known.
    pub(super) known: Known,
}

impl Row {
    pub(super) const fn new(vendor: Vendor, at: At, sign: Sign, means: Means, known: Known) -> Self {
        Self { vendor, at, sign, means, wait: Wait::Told, of: For::All, unless_told: false, known }
    }

    pub(super) const fn at(self, statuses: &'static [(u16, u16)]) -> Self {
        Self { at: At::only(statuses), ..self }
    }

    pub(super) const fn under(self, at: At) -> Self {
        Self { at, ..self }
    }

    pub(super) const fn wait(self, wait: Wait) -> Self {
        Self { wait, ..self }
    }

    pub(super) const fn of(self, of: For) -> Self {
        Self { of, ..self }
    }

    pub(super) const fn unless_told(self) -> Self {
        Self { unless_told: true, ..self }
    }

    pub(super) fn fits(&self, vendor: Option<Vendor>, answer: &Seen<'_>) -> bool {
        let addressed = match self.of {
            For::All => true,
            For::Unknown => vendor.is_none_or(|vendor| vendor == self.vendor),
            For::Vendor => vendor == Some(self.vendor),
        };
        addressed
            && self.at.holds(answer.status)
            && !(self.unless_told && answer.told)
            && self.sign.is_in(answer)
    }
}

/// What rows are compared with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    /// The status that counts; `None` for an error inside a success that names none.
    pub(super) status: Option<u16>,
    pub(super) headers: &'a HeaderMap,
    pub(super) facts: &'a Facts,
    /// It says when to come back.
    pub(super) told: bool,
}

impl Sign {
    fn is_in(self, answer: &Seen<'_>) -> bool {
        let facts = answer.facts;
        match self {
            Self::Status => true,
            Self::Code(code) => facts.has_word(code),
            Self::CodeStart(start) => facts.words.iter().any(|word| word.starts_with(start)),
            Self::Phrase(phrase) => facts.says(phrase),
            Self::CodeAndPhrase(code, phrase) => facts.has_word(code) && facts.says(phrase),
            Self::Words(nouns, verbs) => {
                nouns.iter().any(|noun| facts.says(noun)) && verbs.iter().any(|verb| facts.says(verb))
            }
            Self::Header(name, value) => answer.headers.get(name).is_some_and(|found| {
                value.is_empty() || found.as_bytes().trim_ascii().eq_ignore_ascii_case(value.as_bytes())
            }),
            Self::NoBody => facts.is_empty,
        }
    }
}
