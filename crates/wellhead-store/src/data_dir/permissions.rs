//! Who may look into the data directory: its owner, and nobody else.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use super::error::{DataDirError, at};

const MODE: u32 = 0o700;
const GROUP: u32 = 0o070;
const WORLD: u32 = 0o007;

/// Makes the directory with mode 0700, or sees to it that an existing one is private.
///
/// A directory that is empty or already ours is closed if it was open. A foreign one (a shared temporary directory, a home) is
/// refused instead: closing it would lock others out of it. A volume that an orchestrator shares with a group and that
/// we cannot change is accepted with a note, because every file in it is private by itself.
pub(super) fn make_private(dir: &Path, notes: &mut Vec<String>) -> Result<(), DataDirError> {
    match DirBuilder::new().recursive(true).mode(MODE).create(dir) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(DataDirError::NotADirectory { dir: dir.to_owned() });
        }
        Err(error) => return Err(at("make directory", dir)(error)),
    }
    let mode = mode_of(dir)?;
    if mode & (GROUP | WORLD) == 0 {
        return Ok(());
    }
    let refused = || DataDirError::OpenToOthers { dir: dir.to_owned(), mode };
    if !is_ours(dir)? {
        return Err(refused());
    }
    match fs::set_permissions(dir, Permissions::from_mode(MODE)) {
        Ok(()) => {
            notes.push(format!("closed {} to other users (mode was {mode:04o}, is 0700)", dir.display()));
            Ok(())
        }
        Err(_) if mode & WORLD == 0 => {
            notes.push(format!("{} can be entered by its group and belongs to another user", dir.display()));
            Ok(())
        }
        Err(_) => Err(refused()),
    }
}

/// Takes other users' permissions away from one of our files.
pub(super) fn tighten(file: &Path, mode: u32, notes: &mut Vec<String>) -> Result<(), DataDirError> {
    let current = mode_of(file)?;
    if current & (GROUP | WORLD) == 0 {
        return Ok(());
    }
    fs::set_permissions(file, Permissions::from_mode(mode)).map_err(at("close to other users", file))?;
    notes.push(format!("closed {} to other users (mode was {current:04o}, is {mode:04o})", file.display()));
    Ok(())
}

fn mode_of(path: &Path) -> Result<u32, DataDirError> {
    let metadata = fs::metadata(path).map_err(at("look at", path))?;
    Ok(metadata.permissions().mode() & 0o7777)
}

/// Empty but for what file systems put there, or holding an instance's key.
fn is_ours(dir: &Path) -> Result<bool, DataDirError> {
    if dir.join(super::INSTANCE_KEY).exists() {
        return Ok(true);
    }
    for entry in fs::read_dir(dir).map_err(at("list", dir))? {
        let entry = entry.map_err(at("list", dir))?;
        if entry.file_name() != "lost+found" {
            return Ok(false);
        }
    }
    Ok(true)
}
