//! The data directory's promises: private, exclusive, whole after any crash.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{DataDir, DataDirError, LastGood};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn last_good(generation: u64, document: &str) -> LastGood {
    LastGood { generation, source: "wellhead.yaml".into(), saved_at_ms: 7, document: document.into() }
}

#[test]
fn a_new_directory_and_everything_in_it_is_private() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("deep/data");
    let dir = DataDir::open(&path).unwrap();
    dir.write_last_good(&last_good(1, "x")).unwrap();
    dir.write_admin_address("127.0.0.1:4001".parse().unwrap()).unwrap();
    assert!(dir.is_new());
    assert_eq!(mode(&path), 0o700);
    let files: Vec<_> = fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(files.len(), 6, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn the_databases_side_files_are_private_too() {
    let temp = tempfile::tempdir().unwrap();
    let dir = DataDir::open(&temp.path().join("data")).unwrap();
    let _store = crate::SqliteStore::open(&dir.database()).await.unwrap();
    for name in ["wellhead.db", "wellhead.db-wal", "wellhead.db-shm"] {
        assert_eq!(mode(&dir.path().join(name)), 0o600, "{name}");
    }
}

#[test]
fn secrets_survive_a_restart_and_differ_between_instances() {
    let temp = tempfile::tempdir().unwrap();
    let (one, two) = (temp.path().join("one"), temp.path().join("two"));
    let secrets = |path: &Path| {
        let dir = DataDir::open(path).unwrap();
        (dir.is_new(), dir.admin_token().expose().to_owned(), *dir.hasher().hash(b"k").as_bytes())
    };
    let first = secrets(&one);
    let again = secrets(&one);
    let other = secrets(&two);
    assert!(first.0 && !again.0);
    assert_eq!((&first.1, &first.2), (&again.1, &again.2));
    assert_ne!(first.1, other.1);
    assert_ne!(first.2, other.2);
}

#[test]
fn an_open_directory_that_is_empty_or_ours_is_closed_and_a_foreign_one_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("data");
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    drop(DataDir::open(&path).unwrap());
    assert_eq!(mode(&path), 0o700);

    fs::set_permissions(&path, Permissions::from_mode(0o750)).unwrap();
    fs::set_permissions(path.join("instance.key"), Permissions::from_mode(0o644)).unwrap();
    let dir = DataDir::open(&path).unwrap();
    assert_eq!((mode(&path), mode(&path.join("instance.key"))), (0o700, 0o600));
    assert_eq!(dir.notes().len(), 2, "{:?}", dir.notes());

    let foreign = temp.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("somebody's file"), "").unwrap();
    fs::set_permissions(&foreign, Permissions::from_mode(0o755)).unwrap();
    let error = DataDir::open(&foreign).unwrap_err();
    assert!(error.to_string().contains(&format!("chmod 700 {}", foreign.display())), "{error}");
    assert_eq!(mode(&foreign), 0o755);
    assert_eq!(fs::read_dir(&foreign).unwrap().count(), 1, "nothing is left behind in a refused directory");
}

#[test]
fn a_second_process_is_told_who_holds_the_directory() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("data");
    let first = DataDir::open(&path).unwrap();
    let error = DataDir::open(&path).unwrap_err();
    assert!(
        matches!(error, DataDirError::InUse { pid: Some(pid), .. } if pid == std::process::id()),
        "{error}"
    );
    drop(first);
    DataDir::open(&path).unwrap();
}

#[test]
fn a_file_in_its_place_a_lost_key_and_damaged_secrets_are_named() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(DataDir::open(&file), Err(DataDirError::NotADirectory { .. })));

    let path = temp.path().join("data");
    drop(DataDir::open(&path).unwrap());
    let key = fs::read(path.join("instance.key")).unwrap();
    for bad in [&b""[..], b"wellhead-instance-key-1\n", &key[..key.len() - 2], b"\xff\xff"] {
        fs::write(path.join("instance.key"), bad).unwrap();
        assert!(matches!(DataDir::open(&path), Err(DataDirError::Damaged { .. })));
    }
    fs::remove_file(path.join("instance.key")).unwrap();
    assert!(matches!(DataDir::open(&path), Err(DataDirError::KeyLost { .. })));
    fs::write(path.join("instance.key"), &key).unwrap();
    fs::write(path.join("admin-token"), "short\n").unwrap();
    assert!(matches!(DataDir::open(&path), Err(DataDirError::Damaged { .. })));
}

#[test]
fn last_good_comes_back_as_it_was_and_only_to_its_own_instance() {
    let temp = tempfile::tempdir().unwrap();
    let dir = DataDir::open(&temp.path().join("data")).unwrap();
    assert_eq!(dir.read_last_good().unwrap(), None);
    let written = last_good(3, "providers: sk-very-secret");
    dir.write_last_good(&last_good(2, "older")).unwrap();
    dir.write_last_good(&written).unwrap();
    assert_eq!(dir.read_last_good().unwrap(), Some(written));
    let sealed = fs::read(dir.path().join("last-good.sealed")).unwrap();
    assert!(!sealed.windows(9).any(|w| w == b"sk-very-s"));

    let other = DataDir::open(&temp.path().join("other")).unwrap();
    fs::write(other.path().join("last-good.sealed"), &sealed).unwrap();
    assert!(matches!(other.read_last_good(), Err(DataDirError::SealBroken { .. })));
}

#[test]
fn a_torn_temporary_file_is_neither_read_nor_in_the_way() {
    let temp = tempfile::tempdir().unwrap();
    let dir = DataDir::open(&temp.path().join("data")).unwrap();
    dir.write_last_good(&last_good(1, "whole")).unwrap();
    fs::write(dir.path().join("last-good.sealed.tmp"), "WHS1 torn").unwrap();
    assert_eq!(dir.read_last_good().unwrap().unwrap().generation, 1);
    dir.write_last_good(&last_good(2, "whole")).unwrap();
    assert_eq!(dir.read_last_good().unwrap().unwrap().generation, 2);
}

const WRITER_DIR: &str = "WELLHEAD_TEST_WRITER_DIR";

/// Not a test by itself: the process that the next test kills. It writes larger and larger documents for ever.
#[test]
fn writer_process() {
    let Some(path) = std::env::var_os(WRITER_DIR) else { return };
    let dir = DataDir::open(Path::new(&path)).unwrap();
    for generation in 1.. {
        dir.write_last_good(&last_good(generation, &"x".repeat(usize::try_from(generation).unwrap() * 4096)))
            .unwrap();
        // The parent reads this line by line; the test harness captures println!.
        use std::io::Write;
        writeln!(std::io::stderr(), "wrote {generation}").unwrap();
    }
}

#[test]
fn a_kill_in_the_middle_of_writing_leaves_a_whole_file_at_least_as_new_as_the_last_finished_write() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("data");
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "data_dir::tests::writer_process", "--nocapture"])
            .env(WRITER_DIR, &path)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut finished = 0;
        while finished < 5 + round {
            let line = lines.next().expect("the writer lives").unwrap();
            finished = line.strip_prefix("wrote ").map_or(finished, |n| n.parse().unwrap());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let dir = DataDir::open(&path).expect("the lock died with its process");
        let found = dir.read_last_good().unwrap().unwrap();
        assert!(found.generation >= finished, "{} < {finished}", found.generation);
        assert_eq!(found.document.len() as u64, found.generation * 4096);
    }
}
