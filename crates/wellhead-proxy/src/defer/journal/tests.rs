#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{DiskFailed, Journal};
use bytes::Bytes;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use wellhead_resilience::defer::{Accepted, Finished, How, Id, Limits, Record, Reserve};

const LIMITS: Limits =
    Limits { requests_max: 1_000, bytes_max: 1 << 40, app_requests_max: 1_000, app_bytes_max: 1 << 40 };

fn accept(id: u128) -> Record {
    Record::Accepted(Box::new(Accepted {
        id: Id(id),
        order: u64::try_from(id).unwrap(),
        app: "a".into(),
        key_id: "a#1".into(),
        model: "m".into(),
        endpoint: "/v1/chat/completions".to_owned(),
        headers: Vec::new(),
        key: None,
        digest: String::new(),
        request_id: "r".to_owned(),
        accepted_ms: 1,
        expires_ms: u64::MAX,
    }))
}

fn finish(id: u128) -> Record {
    let end = Finished {
        how: How::Completed,
        at_ms: 2,
        keep_until_ms: 10,
        status: 200,
        headers: Vec::new(),
        code: None,
        notify: false,
    };
    Record::Finished { id: Id(id), end: Box::new(end) }
}

fn body(id: u128, bytes: usize) -> Bytes {
    Bytes::from(vec![u8::try_from(id % 251).unwrap(); bytes])
}

/// The end of a process: nothing of it goes on beside the next one.
fn close(journal: Journal) {
    let Journal { jobs, shared } = journal;
    drop(jobs);
    // The thread holds the other half until it has ended.
    while std::sync::Arc::strong_count(&shared) > 1 {
        std::thread::yield_now();
    }
}

fn files(dir: &Path) -> Vec<u64> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| entry.metadata().unwrap().len()).collect()
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart_and_open_to_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("deferred");
    let journal = Journal::open(log.clone()).unwrap();
    assert!(!log.exists(), "nothing is made before it is needed");
    for id in 1..=3 {
        journal.append(accept(id), body(id, 1000)).await.unwrap();
    }
    journal.append(finish(2), body(7, 10)).await.unwrap();
    assert_eq!(journal.read(Id(2)).await.unwrap(), body(7, 10));
    assert_eq!(log.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    for entry in std::fs::read_dir(&log).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    close(journal);
    let journal = Journal::open(log).unwrap();
    assert_eq!(journal.read(Id(1)).await.unwrap(), body(1, 1000));
    assert_eq!(journal.read(Id(2)).await.unwrap(), body(7, 10));
    assert_eq!(journal.read(Id(4)).await, Err(DiskFailed));
    let words: Vec<_> = journal.outbox().iter().map(wellhead_resilience::defer::Entry::word).collect();
    assert_eq!(words, ["queued", "completed", "queued"]);
}

#[tokio::test]
async fn what_is_forgotten_gives_its_files_back_and_one_that_is_needed_keeps_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("deferred");
    let journal = Journal::open(log.clone()).unwrap();
    // The first one waits all the time, beside 600 MiB that come and go.
    journal.append(accept(1), body(1, 1000)).await.unwrap();
    for id in 2..=80 {
        journal.append(accept(id), body(id, 8 << 20)).await.unwrap();
        journal.append(finish(id), body(id, 100)).await.unwrap();
        journal.outbox().forget(10);
    }
    let bytes: u64 = files(&log).iter().sum();
    assert!(bytes < 120 << 20, "{bytes} bytes are kept for one request");
    assert_eq!(journal.read(Id(1)).await.unwrap(), body(1, 1000));
    close(journal);
    let journal = Journal::open(log).unwrap();
    // What had been forgotten may be found again where its file is not gone yet, but never as something to do.
    assert_eq!(journal.outbox().iter().filter(|entry| entry.end().is_none()).count(), 1);
    assert_eq!(journal.read(Id(1)).await.unwrap(), body(1, 1000));
    assert_eq!(journal.outbox().next(&"m".into()), Some(Id(1)));
    assert_eq!(journal.outbox().next(&"m".into()), None);
}

#[tokio::test]
async fn many_starts_leave_few_files() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("deferred");
    for id in 1..=200 {
        let journal = Journal::open(log.clone()).unwrap();
        journal.append(accept(id), body(id, 10)).await.unwrap();
        assert_eq!(journal.outbox().iter().count() as u128, id);
        close(journal);
    }
    let count = files(&log).len();
    assert!(count <= super::SEGMENTS_MAX + 2, "{count} files for 200 small requests");
    let journal = Journal::open(log).unwrap();
    for id in 1..=200 {
        assert_eq!(journal.read(Id(id)).await.unwrap(), body(id, 10));
    }
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_promises_nothing_and_keeps_no_reservation() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("deferred");
    let journal = Journal::open(log.clone()).unwrap();
    // A file where the directory should be.
    std::fs::write(&log, b"").unwrap();
    let reserved = journal.outbox().reserve(Id(1), &"a".into(), None, 10, &LIMITS);
    assert!(matches!(reserved, Reserve::New(_)));
    assert_eq!(journal.append(accept(1), body(1, 10)).await, Err(DiskFailed));
    assert_eq!(journal.outbox().total().requests, 0);
    std::fs::remove_file(&log).unwrap();
    journal.append(accept(2), body(2, 10)).await.unwrap();
    assert_eq!(journal.read(Id(2)).await.unwrap(), body(2, 10));
}

#[test]
fn a_log_of_a_newer_version_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("0000000000000001.log"), b"WHDEFER\x09 something").unwrap();
    let error = Journal::open(dir.path().to_owned()).unwrap_err().to_string();
    assert!(error.contains("newer version") && error.contains("0000000000000001.log"), "{error}");
    assert_eq!(files(dir.path()).len(), 1);
}
