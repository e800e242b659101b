//! The one text form of faults: `cut-after:5`, `status:429,retry-after=2`, `slow-tokens:100+reset-after:9`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::Fault;

/// Why a fault could not be read; says what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultError(pub(crate) String);

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FaultError {}

/// Every name of the text form.
const NAMES: [&str; 21] = [
    "refuse",
    "reset-before-headers",
    "reset-after-headers",
    "silence",
    "slow-first-token",
    "slow-tokens",
    "status",
    "cut-after",
    "reset-after",
    "stall-after",
    "malformed-event",
    "missing-terminator",
    "error-in-200",
    "error-mid-stream",
    "wrong-content-type",
    "compressed",
    "huge-line",
    "empty-body",
    "bad-json",
    "drip-headers",
    "tokens",
];

/// The longest known name that `text` starts with, and the argument behind it.
fn split(text: &str) -> Option<(&'static str, Option<&str>)> {
    let fits = |name: &&&'static str| {
        text.strip_prefix(**name).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '-']))
    };
    let name = NAMES.iter().filter(fits).max_by_key(|name| name.len())?;
    Some((name, text.get(name.len() + 1..)))
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let text = text.trim();
        let Some((name, argument)) = split(text) else {
            return Err(FaultError(format!("there is no fault {text:?}; known are {}", NAMES.join(", "))));
        };
        let number = |default: Option<u64>| match (argument, default) {
            (Some(digits), _) => digits.parse::<u64>().map_err(|_| {
                FaultError(format!("{name} takes a whole number, as in {name}:5, not {digits:?}"))
            }),
            (None, Some(default)) => Ok(default),
            (None, None) => Err(FaultError(format!("{name} needs a number, as in {name}:5"))),
        };
        let bare = |fault: Self| match argument {
            None => Ok(fault),
            Some(extra) => Err(FaultError(format!("{name} takes no argument, but got {extra:?}"))),
        };
        let fault = match name {
            "refuse" => bare(Self::Refuse)?,
            "reset-before-headers" => bare(Self::ResetBeforeHeaders)?,
            "reset-after-headers" => bare(Self::ResetAfterHeaders)?,
            "silence" => bare(Self::Silence)?,
            "slow-first-token" => Self::SlowFirstToken { ms: number(None)? },
            "slow-tokens" => Self::SlowTokens { ms: number(None)? },
            "status" => status(argument)?,
            "cut-after" => Self::CutAfter { tokens: number(None)? },
            "reset-after" => Self::ResetAfter { tokens: number(None)? },
            "stall-after" => Self::StallAfter { tokens: number(None)? },
            "malformed-event" => Self::MalformedEvent { tokens: number(Some(1))? },
            "missing-terminator" => bare(Self::MissingTerminator)?,
            "error-in-200" => bare(Self::ErrorIn200)?,
            "error-mid-stream" => Self::ErrorMidStream { tokens: number(None)? },
            "wrong-content-type" => bare(Self::WrongContentType)?,
            "compressed" if argument == Some("force") => Self::Compressed { force: true },
            "compressed" => bare(Self::Compressed { force: false })?,
            "huge-line" => Self::HugeLine { bytes: number(Some(super::mebibyte()))? },
            "empty-body" => bare(Self::EmptyBody)?,
            "bad-json" => bare(Self::BadJson)?,
            "drip-headers" => Self::DripHeaders { ms: number(Some(super::twenty()))? },
            _ => Self::Tokens { tokens: number(None)? },
        };
        fault.check()?;
        Ok(fault)
    }
}

fn status(argument: Option<&str>) -> Result<Fault, FaultError> {
    let wrong = |what: &str| {
        FaultError(format!("status takes a code, as in status:503 or status:429,retry-after=2, {what}"))
    };
    let argument = argument.ok_or_else(|| wrong("but got none"))?;
    // A Retry-After date has a comma of its own, so only the first one separates.
    let (code, rest) = argument.split_once(',').map_or((argument, None), |(code, rest)| (code, Some(rest)));
    let code = code.parse().map_err(|_| wrong(&format!("not {code:?}")))?;
    let retry_after = match rest.map(|rest| rest.split_once('=')) {
        None => None,
        Some(Some(("retry-after", value))) => Some(value.to_owned()),
        Some(_) => return Err(wrong(&format!("not {argument:?}"))),
    };
    Ok(Fault::Status { code, headers: BTreeMap::new(), body: None, retry_after })
}

impl fmt::Display for Fault {
    /// The text form. The headers and the body of `status` have none and are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse => f.write_str("refuse"),
            Self::ResetBeforeHeaders => f.write_str("reset-before-headers"),
            Self::ResetAfterHeaders => f.write_str("reset-after-headers"),
            Self::Silence => f.write_str("silence"),
            Self::SlowFirstToken { ms } => write!(f, "slow-first-token:{ms}"),
            Self::SlowTokens { ms } => write!(f, "slow-tokens:{ms}"),
            Self::Status { code, retry_after: None, .. } => write!(f, "status:{code}"),
            Self::Status { code, retry_after: Some(value), .. } => {
                write!(f, "status:{code},retry-after={value}")
            }
            Self::CutAfter { tokens } => write!(f, "cut-after:{tokens}"),
            Self::ResetAfter { tokens } => write!(f, "reset-after:{tokens}"),
            Self::StallAfter { tokens } => write!(f, "stall-after:{tokens}"),
            Self::MalformedEvent { tokens } => write!(f, "malformed-event:{tokens}"),
            Self::MissingTerminator => f.write_str("missing-terminator"),
            Self::ErrorIn200 => f.write_str("error-in-200"),
            Self::ErrorMidStream { tokens } => write!(f, "error-mid-stream:{tokens}"),
            Self::WrongContentType => f.write_str("wrong-content-type"),
            Self::Compressed { force: false } => f.write_str("compressed"),
            Self::Compressed { force: true } => f.write_str("compressed:force"),
            Self::HugeLine { bytes } => write!(f, "huge-line:{bytes}"),
            Self::EmptyBody => f.write_str("empty-body"),
            Self::BadJson => f.write_str("bad-json"),
            Self::DripHeaders { ms } => write!(f, "drip-headers:{ms}"),
            Self::Tokens { tokens } => write!(f, "tokens:{tokens}"),
        }
    }
}

/// Faults that happen to one answer together, written with `+` between them; `none` is the empty list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults(pub Vec<Fault>);

impl FromStr for Faults {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        match text.trim() {
            "none" => Ok(Self::default()),
            text => Ok(Self(text.split('+').map(str::parse).collect::<Result<_, _>>()?)),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (index, fault) in self.0.iter().enumerate() {
            let joint = if index == 0 { "" } else { "+" };
            write!(f, "{joint}{fault}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_name_of_the_table_is_read_and_written_back() {
        let examples = "refuse reset-before-headers reset-after-headers silence slow-first-token:2000 slow-tokens:7 \
            status:503 status:429,retry-after=2 cut-after:5 reset-after:0 stall-after:3 malformed-event:1 \
            missing-terminator error-in-200 error-mid-stream:4 wrong-content-type compressed compressed:force \
            huge-line:1048576 empty-body bad-json drip-headers:20 tokens:300";
        for example in examples.split_whitespace() {
            assert_eq!(example.parse::<Fault>().unwrap().to_string(), example);
        }
        for name in NAMES {
            assert!(examples.contains(name), "{name} has no example");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_read_as_something_else(text in "[a-z0-9:+,=-]{0,40}|\\PC{0,40}") {
            if let Ok(faults) = text.parse::<Faults>() {
                prop_assert_eq!(faults.to_string().parse::<Faults>().unwrap(), faults);
            }
        }

        #[test]
        fn what_is_written_is_read_back(picks in prop::collection::vec((0..NAMES.len(), 0u64..3000), 1..5)) {
            let text = |(name, number): (usize, u64)| match NAMES[name] {
                "status" => format!("status:{}", 200 + number % 400),
                name => match format!("{name}:{number}").parse::<Fault>() {
                    Ok(fault) => fault.to_string(),
                    Err(_) => name.to_owned(),
                },
            };
            let text = picks.into_iter().map(text).collect::<Vec<_>>().join("+");
            // Defaults are written out, so it is the faults that are compared and not the text.
            let faults = text.parse::<Faults>().unwrap();
            prop_assert_eq!(faults.to_string().parse::<Faults>().unwrap(), faults);
        }
    }

    #[test]
    fn a_dash_separates_as_well_as_a_colon_so_that_model_names_stay_plain() {
        for (dashed, colon) in [
            ("status-503", "status:503"),
            ("reset-after-5", "reset-after:5"),
            ("reset-after-headers", "reset-after-headers"),
            ("slow-first-token-2000", "slow-first-token:2000"),
            ("error-in-200", "error-in-200"),
            ("compressed-force", "compressed:force"),
        ] {
            assert_eq!(dashed.parse::<Fault>().unwrap().to_string(), colon);
        }
    }

    #[test]
    fn a_retry_after_date_keeps_its_comma() {
        let fault: Fault = "status:503,retry-after=Wed, 21 Oct 2026 07:28:00 GMT".parse().unwrap();
        let Fault::Status { retry_after, .. } = fault else { panic!("not a status") };
        assert_eq!(retry_after.as_deref(), Some("Wed, 21 Oct 2026 07:28:00 GMT"));
    }

    #[test]
    fn wrong_text_says_what_was_expected() {
        for (text, part) in [
            ("cut", "known are refuse"),
            ("cut-after", "needs a number"),
            ("cut-after:x", "whole number"),
            ("cut-after:-1", "whole number"),
            ("cut-after:99999999", "too large"),
            ("status:99", "between 200 and 599"),
            ("status:600", "between 200 and 599"),
            ("status", "status:503"),
            ("status:503,retry=2", "retry-after=2"),
            ("status:503,retry-after=a\nb", "does not allow"),
            ("silence:3", "takes no argument"),
            ("compressed:no", "takes no argument"),
            ("slow-tokens:3600001", "too large"),
            ("", "there is no fault"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(part), "{text:?} gave {error:?}");
        }
        assert!("cut-after:1+".parse::<Faults>().is_err());
        assert_eq!("none".parse::<Faults>().unwrap(), Faults::default());
        let two = "slow-tokens:3+cut-after:5";
        assert_eq!(two.parse::<Faults>().unwrap().to_string(), two);
    }
}
