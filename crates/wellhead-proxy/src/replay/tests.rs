#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{Budget, DiskJobs, Spill, bind, memory_max};
use bytes::Bytes;
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use wellhead_config::defaults;
use wellhead_net::OutBody;
use wellhead_net::body::Part;

const LIMIT: Duration = Duration::from_secs(20);

/// Waits until a share that goes on the blocking pool is gone.
async fn until_empty(budget: &Budget) {
    let empty = async {
        while budget.used() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(LIMIT, empty).await.expect("what was taken is given back");
}

#[test]
fn a_budget_is_never_exceeded_and_every_byte_comes_back() {
    let budget = Arc::<Budget>::default();
    let (mut first, mut second) = (budget.share(), budget.share());
    assert!(first.grow(60, 100) && first.grow(10, 100));
    assert!(!second.grow(31, 100), "70 and 31 are more than 100");
    assert!(second.grow(30, 100));
    assert!(!second.grow(u64::MAX, u64::MAX), "no overflow");
    assert_eq!(budget.used(), 100);
    drop(first);
    assert_eq!(budget.used(), 30, "what was refused is not given back");
    drop(second);
    assert_eq!(budget.used(), 0);
}

#[test]
fn a_share_lives_as_long_as_the_last_piece_of_its_memory() {
    let budget = Arc::<Budget>::default();
    let mut share = budget.share();
    assert!(share.grow(5, 5));
    let body = bind(Bytes::from_static(b"12345"), share);
    let piece = body.slice(1..3);
    assert_eq!((&body[..], &piece[..]), (&b"12345"[..], &b"23"[..]));
    drop(body);
    assert_eq!(budget.used(), 5, "a connection still holds a piece");
    drop(piece);
    assert_eq!(budget.used(), 0);
}

#[test]
fn the_memory_for_bodies_is_bounded_and_never_forbids_what_is_allowed() {
    let mut limits = defaults::LIMITS;
    assert_eq!(memory_max(&limits), 2 * limits.replay_bytes_max);
    limits.replay_bytes_max = 0;
    assert_eq!(memory_max(&limits), 2 * limits.body_bytes_max);
    (limits.replay_bytes_max, limits.body_bytes_max) = (u64::MAX, u64::MAX);
    assert_eq!(memory_max(&limits), u64::MAX);
}

#[tokio::test]
async fn a_body_goes_to_a_file_that_nobody_else_can_find() {
    let dir = tempfile::tempdir().unwrap();
    let (spill, jobs) = (Spill::new(dir.path().to_owned()), DiskJobs::default());
    let body = Bytes::from("well ".repeat(500_000));
    let file = spill.write(&jobs, &body).await.expect("the directory can be written");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "it has no name");
    assert_eq!(spill.space().used(), body.len() as u64);
    let out = OutBody::file(file, [Part::Kept(0..body.len() as u64)].into());
    for _ in 0..2 {
        assert_eq!(out.clone().collect().await.unwrap().to_bytes(), body);
    }
    drop(out);
    until_empty(spill.space()).await;
}

#[tokio::test]
async fn without_a_place_for_files_bodies_stay_in_memory_until_there_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    let (spill, jobs) = (Spill::new(missing.clone()), DiskJobs::default());
    let body = Bytes::from_static(b"body");
    assert!(spill.write(&jobs, &body).await.is_none());
    assert!(spill.write(&jobs, &body).await.is_none());
    assert_eq!(spill.space().used(), 0, "no space is taken for a file that is not there");
    std::fs::create_dir(missing).unwrap();
    assert!(spill.write(&jobs, &body).await.is_some());
}

#[tokio::test]
async fn a_disk_that_hangs_is_waited_for_once() {
    let dir = tempfile::tempdir().unwrap();
    let (spill, jobs) = (Spill::new(dir.path().to_owned()), DiskJobs::default());
    let body = Bytes::from_static(b"body");
    let hangs = jobs.all_writes().unwrap();
    assert!(spill.write(&jobs, &body).await.is_none(), "its turn never comes");
    let again = tokio::time::timeout(Duration::from_secs(1), spill.write(&jobs, &body)).await;
    assert!(again.expect("nobody waits for a disk that is known to hang").is_none());
    drop(hangs);
    assert!(spill.write(&jobs, &body).await.is_some());
}
