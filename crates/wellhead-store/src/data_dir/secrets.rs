//! The instance's own secrets: random, made at the first start, never printed.

use std::fmt;
use std::path::Path;

use wellhead_types::Secret;

use super::error::DataDirError;
use super::{files, permissions};

const KEY_HEADER: &str = "wellhead-instance-key-1";
/// What the admin token begins with, so that secret scanners can tell it.
const TOKEN_PREFIX: &str = "wh_admin_";
/// Both secrets' files are far below this.
const SECRET_BYTES_MAX: u64 = 4096;

/// Two independent keys: one must not serve two purposes.
pub(super) struct InstanceKey {
    pepper: [u8; 32],
    sealing: [u8; 32],
}

impl fmt::Debug for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstanceKey(…)")
    }
}

impl InstanceKey {
    /// Goes into every API key's hash.
    pub(super) fn pepper(&self) -> &[u8; 32] {
        &self.pepper
    }

    /// Seals files that hold secrets.
    pub(super) fn sealing(&self) -> &[u8; 32] {
        &self.sealing
    }

    /// Reads the key file, or makes it.
    pub(super) fn load_or_make(path: &Path, notes: &mut Vec<String>) -> Result<Self, DataDirError> {
        if let Some(text) = read_private(path, notes)? {
            let damaged =
                DataDirError::Damaged { path: path.to_owned(), what: "not an instance key of format 1" };
            return Self::parse(&text).ok_or(damaged);
        }
        let made = Self { pepper: random()?, sealing: random()? };
        let text = format!("{KEY_HEADER}\npepper {}\nsealing {}\n", hex(&made.pepper), hex(&made.sealing));
        files::replace(path, text.as_bytes())?;
        Ok(made)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        (lines.next()? == KEY_HEADER).then_some(())?;
        let pepper = unhex(lines.next()?.strip_prefix("pepper ")?)?;
        let sealing = unhex(lines.next()?.strip_prefix("sealing ")?)?;
        lines.next().is_none().then_some(Self { pepper, sealing })
    }
}

/// Reads the admin token, or makes it. A person may put an own one into the file; a short one is refused.
pub(super) fn admin_token(path: &Path, notes: &mut Vec<String>) -> Result<Secret, DataDirError> {
    if let Some(text) = read_private(path, notes)? {
        let token = text.trim();
        let fit = (32..=1024).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
        let what = "an admin token is one line of 32 to 1024 visible ASCII characters; delete the file to get a new one";
        return if fit {
            Ok(Secret::new(token))
        } else {
            Err(DataDirError::Damaged { path: path.to_owned(), what })
        };
    }
    let token = format!("{TOKEN_PREFIX}{}", hex(&random()?));
    files::replace(path, format!("{token}\n").as_bytes())?;
    Ok(Secret::new(token))
}

fn read_private(path: &Path, notes: &mut Vec<String>) -> Result<Option<String>, DataDirError> {
    let Some(bytes) = files::read(path, SECRET_BYTES_MAX)? else { return Ok(None) };
    permissions::tighten(path, files::MODE, notes)?;
    let damaged = |_| DataDirError::Damaged { path: path.to_owned(), what: "not text" };
    String::from_utf8(bytes).map(Some).map_err(damaged)
}

fn random() -> Result<[u8; 32], DataDirError> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| DataDirError::Randomness)?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}
