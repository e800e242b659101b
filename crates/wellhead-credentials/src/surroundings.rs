//! What the process finds around it: environment variables and files. Tests bring their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{FetchError, Trouble};

/// Largest file that is read: keys, tokens and profiles are a few kibibytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Environment variables.
#[derive(Debug, Clone, Default)]
pub enum Surroundings {
    /// Those of the process.
    #[default]
    OfTheProcess,
    /// These.
    Fixed(BTreeMap<String, String>),
}

impl Surroundings {
    /// A variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let found = match self {
            Self::OfTheProcess => std::env::var(name).ok(),
            Self::Fixed(variables) => variables.get(name).cloned(),
        };
        found.filter(|text| !text.is_empty())
    }

    /// A path below the user's own directory.
    pub(crate) fn at_home(&self, path: &str) -> Option<PathBuf> {
        self.variable("HOME").map(|home| Path::new(&home).join(path))
    }
}

/// The text of a file.
pub(crate) fn read(path: &Path, from: &str) -> Result<String, FetchError> {
    use std::io::Read as _;
    let failed = |what: String| {
        FetchError::new(
            Trouble::File,
            from,
            format!("{}: {what}", path.display()),
            "correct the path or the file",
        )
    };
    let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    let mut text = String::new();
    let mut limited = file.take(FILE_BYTES_MAX + 1);
    limited.read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(failed(format!("larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}
