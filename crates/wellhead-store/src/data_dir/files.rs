//! Private files: made with mode 0600, replaced whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::error::{DataDirError, at};
use super::permissions;

/// Only the owner reads and writes.
pub(super) const MODE: u32 = 0o600;

/// Makes an empty private file if there is none; tightens one that is open to others.
pub(super) fn ensure_private(path: &Path, notes: &mut Vec<String>) -> Result<(), DataDirError> {
    match OpenOptions::new().write(true).create_new(true).mode(MODE).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => permissions::tighten(path, MODE, notes),
        Err(error) => Err(at("make", path)(error)),
    }
}

/// Replaces a file so that a reader, at any moment and after any crash, finds the old content or the new one, whole.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<(), DataDirError> {
    let temporary = temporary(path);
    // Left behind by a process that died while writing; the lock says that no other one is writing now.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at("remove", &temporary)(error)),
        _ => {}
    }
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&temporary)?;
        file.write_all(content)?;
        // Before the rename, or a power cut could leave the new name with an empty file.
        file.sync_all()
    };
    write().map_err(at("write", &temporary))?;
    fs::rename(&temporary, path).map_err(at("replace", path))?;
    let dir = path.parent().unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(at("sync", dir))
}

/// The file's content; `None` if there is no such file.
pub(super) fn read(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, DataDirError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at("open", path)(error)),
    };
    let mut content = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut content).map_err(at("read", path))?;
    if content.len() as u64 > bytes_max {
        return Err(DataDirError::TooLarge { path: path.to_owned(), bytes_max });
    }
    Ok(Some(content))
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    path.with_file_name(name)
}
