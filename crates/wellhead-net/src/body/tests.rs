#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{BodyFile, OnceBytes, OutBody, PIECE_BYTES_MAX, Part};
use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;
use std::fs::File;
use std::io::{Seek, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// The pieces that a connection gets.
async fn read(mut body: OutBody) -> std::io::Result<Vec<Bytes>> {
    let mut pieces = Vec::new();
    while let Some(frame) = body.frame().await {
        let piece = frame?.into_data().unwrap();
        assert!(!piece.is_empty() && piece.len() <= PIECE_BYTES_MAX);
        pieces.push(piece);
    }
    assert!(body.is_end_stream());
    Ok(pieces)
}

fn bytes(length: usize) -> Bytes {
    (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect::<Vec<_>>().into()
}

#[tokio::test]
async fn what_is_in_memory_can_be_looked_at_without_being_sent() {
    let content = bytes(5000);
    let parts: Arc<[Part]> =
        vec![Part::Kept(0..2000), Part::New("new".into()), Part::Kept(3000..5000)].into();
    let once = Arc::new(OnceBytes::new(content.clone()));
    let body = OutBody::once(once.clone(), parts.clone());
    let expected = [&content[..2000], b"new", &content[3000..]].concat();
    assert_eq!(body.in_memory().unwrap().concat(), expected);
    assert!(!once.is_spent());
    assert_eq!(read(body.clone()).await.unwrap().concat(), expected);
    assert!(body.in_memory().is_none(), "it is gone");
    let pieces = OutBody::pieces(vec![content.slice(..7), content.slice(7..9), content.slice(9..)]);
    assert_eq!(pieces.in_memory().unwrap().concat(), content);
    assert!(OutBody::empty().in_memory().unwrap().is_empty());
    assert!(OutBody::file(spilled(&content, 1), parts).in_memory().is_none(), "in a file");
}

/// An unnamed file with this content.
fn file_of(content: &[u8]) -> File {
    let path = std::env::temp_dir().join(format!("wellhead-body-{}-{:p}", std::process::id(), content));
    let mut file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    file.write_all(content).unwrap();
    file.rewind().unwrap();
    file
}

fn spilled(content: &[u8], jobs: usize) -> Arc<BodyFile> {
    Arc::new(BodyFile::new(file_of(content), Arc::new(Semaphore::new(jobs)), Box::new(())))
}

/// Three bytes go at the front, one in the middle is replaced by many, and some follow the end.
fn edited(content: &Bytes) -> (Arc<[Part]>, Vec<u8>) {
    let (middle, end) = (content.len() / 2, content.len());
    let new = Bytes::from(vec![b'#'; 1000]);
    let parts = [
        Part::New(Bytes::from_static(b"{new}")),
        Part::Kept(3..middle as u64),
        Part::New(new.clone()),
        Part::Kept(middle as u64 + 1..end as u64),
        Part::New(Bytes::from_static(b"!")),
    ];
    (parts.into(), [b"{new}", &content[3..middle], &new, &content[middle + 1..], b"!"].concat())
}

#[tokio::test]
async fn a_body_in_memory_arrives_whole_in_bounded_pieces_and_can_be_sent_twice() {
    let whole = bytes(PIECE_BYTES_MAX * 2 + 7);
    let body = OutBody::full(whole.clone());
    let cut = [0..7, 7..7, 7..whole.len()].map(|range| whole.slice(range)).to_vec();
    for copy in [body.clone(), body, OutBody::pieces(cut)] {
        assert_eq!(copy.size_hint().exact(), Some(whole.len() as u64));
        assert_eq!(read(copy).await.unwrap().concat(), whole);
    }
    assert!(read(OutBody::empty()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_body_in_a_file_arrives_whole_with_its_edits_as_often_as_it_is_sent() {
    for length in [16, PIECE_BYTES_MAX - 1, PIECE_BYTES_MAX, PIECE_BYTES_MAX * 2 + 7] {
        let content = bytes(length);
        let (parts, wanted) = edited(&content);
        let body = OutBody::file(spilled(&content, 1), parts);
        // Two at once, which have to take turns at reading, and one after them.
        let (first, second) = tokio::join!(read(body.clone()), read(body.clone()));
        for pieces in [first.unwrap(), second.unwrap(), read(body.clone()).await.unwrap()] {
            assert_eq!(pieces.concat(), wanted, "{length}");
            assert_eq!(pieces.len(), wanted.len().div_ceil(PIECE_BYTES_MAX), "no needless pieces");
        }
        assert_eq!(body.size_hint().exact(), Some(wanted.len() as u64));
    }
}

#[tokio::test]
async fn a_clone_of_a_body_that_was_begun_goes_on_from_there() {
    let content = bytes(PIECE_BYTES_MAX * 3);
    let parts: Arc<[Part]> = [Part::Kept(0..content.len() as u64)].into();
    let mut body = OutBody::file(spilled(&content, 2), parts);
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let copy = body.clone();
    assert_eq!(copy.size_hint().exact(), Some((content.len() - first.len()) as u64));
    assert_eq!(read(copy).await.unwrap().concat(), content[first.len()..]);
    assert_eq!(read(body).await.unwrap().concat(), content[first.len()..]);
}

#[tokio::test]
async fn a_reader_that_stops_holds_the_file_back_at_one_piece() {
    let content = bytes(PIECE_BYTES_MAX * 4);
    let (file, jobs) = (file_of(&content), Arc::new(Semaphore::new(4)));
    let same = file.try_clone().unwrap();
    let file = Arc::new(BodyFile::new(file, jobs.clone(), Box::new(())));
    let mut body = OutBody::file(file, [Part::Kept(0..content.len() as u64)].into());
    body.frame().await.unwrap().unwrap();
    // With all permits in hand no job is under way.
    drop(tokio::time::timeout(Duration::from_secs(10), jobs.acquire_many(4)).await.unwrap().unwrap());
    same.set_len(0).unwrap();
    let ahead = body.frame().await.unwrap().expect("one piece was read ahead").into_data().unwrap();
    assert_eq!(ahead, content[PIECE_BYTES_MAX..PIECE_BYTES_MAX * 2]);
    body.frame().await.unwrap().expect_err("and no more: the rest was still in the file");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_an_error_and_no_short_body() {
    let file = spilled(b"only this", 1);
    assert!(!file.failed());
    let body = OutBody::file(file.clone(), [Part::Kept(0..100)].into());
    assert_eq!(read(body).await.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(file.failed());
}

#[tokio::test]
async fn what_belongs_to_a_file_goes_after_the_last_reader() {
    struct Goes(Arc<AtomicBool>);
    impl Drop for Goes {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let gone = Arc::<AtomicBool>::default();
    let (jobs, with) = (Arc::new(Semaphore::new(1)), Box::new(Goes(gone.clone())));
    let file = Arc::new(BodyFile::new(file_of(b"abc"), jobs, with));
    let body = OutBody::file(file.clone(), [Part::Kept(0..3)].into());
    drop(file);
    assert_eq!(read(body.clone()).await.unwrap().concat(), b"abc");
    assert!(!gone.load(Ordering::SeqCst));
    drop(body);
    tokio::time::timeout(Duration::from_secs(10), async {
        while !gone.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("the file is closed on the blocking pool");
}

#[tokio::test]
async fn a_body_that_is_not_kept_can_be_sent_once() {
    let content = bytes(PIECE_BYTES_MAX + 7);
    let (parts, wanted) = edited(&content);
    let once = Arc::new(OnceBytes::new(content));
    let body = OutBody::once(once.clone(), parts);
    let unsent = body.clone();
    assert_eq!(unsent.size_hint().exact(), Some(wanted.len() as u64));
    drop(unsent);
    assert!(!once.is_spent() && !body.is_spent(), "a body that was never begun has sent nothing");
    assert_eq!(read(body.clone()).await.unwrap().concat(), wanted);
    assert!(once.is_spent() && body.is_spent());
    read(body).await.expect_err("never a short or an empty body instead");
}
