//! One process per data directory. The lock belongs to the open file: it ends with the process, even by `kill -9`.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::error::{DataDirError, at};
use super::files;

/// Longest process id that is read from the lock file.
const PID_BYTES_MAX: u64 = 20;

/// Takes the lock and leaves this process's id in the file, so that a second one can name the first.
pub(super) fn acquire(dir: &Path) -> Result<File, DataDirError> {
    let path = dir.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(files::MODE)
        .open(&path)
        .map_err(at("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let pid = file
                .take(PID_BYTES_MAX)
                .read_to_string(&mut text)
                .ok()
                .and_then(|_| text.trim().parse().ok());
            return Err(DataDirError::InUse { dir: dir.to_owned(), pid });
        }
        Err(TryLockError::Error(error)) => return Err(at("lock", &path)(error)),
    }
    let mut note_pid = || {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    note_pid().map_err(at("write", &path))?;
    Ok(file)
}
