//! Where the configuration's text comes from.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A larger file is looked at only when its size, inode or times changed; a smaller one is read at every poll, because
/// some network mounts and config maps change content without changing times.
const READ_ALWAYS_BYTES_MAX: u64 = 1 << 20;

/// Where the configuration's text comes from.
#[derive(Debug, Clone)]
pub enum ConfigSource {
    /// A file that is watched.
    File(PathBuf),
    /// Text of this program: the first run without a file.
    Builtin {
        /// What `/status` shows as the source: `none: defaults`.
        name: String,
        /// The configuration.
        text: String,
    },
}

impl ConfigSource {
    /// How it is named in messages, `/status` and the history.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Builtin { name, .. } => name.clone(),
        }
    }

    /// The directory that relative `${file:…}` paths start from.
    pub(crate) fn base(&self) -> PathBuf {
        match self {
            Self::File(path) => path.parent().unwrap_or(Path::new("")).to_owned(),
            Self::Builtin { .. } => PathBuf::new(),
        }
    }

    /// The text. Fails on what cannot be read, on more than the configuration's maximum, and on what is not UTF-8.
    pub(crate) fn read(&self) -> io::Result<String> {
        match self {
            Self::File(path) => read_text(path, wellhead_config::FILE_BYTES_MAX as u64),
            Self::Builtin { text, .. } => Ok(text.clone()),
        }
    }
}

/// Reads a text file of at most `bytes_max`.
pub(crate) fn read_text(path: &Path, bytes_max: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::other(format!("it is larger than {bytes_max} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count();
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("line {line} is not UTF-8; save the file as UTF-8"),
        )
    })
}

/// Tells whether a file is still as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fingerprint {
    Text { sha256: [u8; 32], stamp: Option<Stamp> },
    Unreadable(String),
}

/// What the file system says about a large file without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    inode: u64,
    changed_ns: (i64, i64),
}

impl Fingerprint {
    /// Looks at a file; `before` spares reading a large one that did not change.
    pub(crate) fn of(path: &Path, before: Option<&Self>) -> Self {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => return Self::Unreadable(error.to_string()),
        };
        let stamp = (metadata.len() > READ_ALWAYS_BYTES_MAX).then(|| Stamp::of(&metadata));
        if let (Some(new), Some(Self::Text { stamp: Some(old), .. })) = (&stamp, before)
            && new == old
            && let Some(before) = before
        {
            return before.clone();
        }
        match read_text(path, wellhead_config::FILE_BYTES_MAX as u64) {
            Ok(text) => Self::Text { sha256: sha256(text.as_bytes()), stamp },
            Err(error) => Self::Unreadable(error.to_string()),
        }
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
            inode: metadata.ino(),
            changed_ns: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// SHA-256 of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut out = [0; 32];
    out.copy_from_slice(&digest.as_ref()[..32]);
    out
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
