//! A body in a file, read on the blocking pool while it is sent: disks may hang, workers may not.

use super::PIECE_BYTES_MAX;
use super::part::{Part, length};
use bytes::Bytes;
use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

/// A client's body in a file. All attempts read from it, each at its own place.
pub struct BodyFile {
    /// Gone only while this is being dropped.
    inner: Option<Inner>,
    jobs: Arc<Semaphore>,
    failed: AtomicBool,
}

struct Inner {
    file: File,
    /// Whatever has to go when the file goes.
    _with: Box<dyn Send + Sync>,
}

impl BodyFile {
    /// A file that holds a body. Reads take a permit of `jobs` each; `with` is dropped after the file is closed.
    pub fn new(file: File, jobs: Arc<Semaphore>, with: Box<dyn Send + Sync>) -> Self {
        Self { inner: Some(Inner { file, _with: with }), jobs, failed: AtomicBool::new(false) }
    }

    /// Whether a read has failed: what became of an attempt since then is no fault of the target's.
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// The first `length` bytes, read on the blocking pool.
    pub async fn read(self: &Arc<Self>, length: usize) -> io::Result<Bytes> {
        let permit = self.jobs.clone().acquire_owned().await.map_err(io::Error::other)?;
        let file = self.clone();
        let job = tokio::task::spawn_blocking(move || {
            let mut bytes = vec![0; length];
            let read = file.read_at(&mut bytes, 0);
            drop(permit);
            read.map(|()| Bytes::from(bytes))
        });
        job.await?
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<()> {
        match &self.inner {
            Some(inner) => inner.file.read_exact_at(into, at),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl fmt::Debug for BodyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyFile").field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl Drop for BodyFile {
    /// Closing an unlinked file gives its blocks back, which is work for the disk.
    fn drop(&mut self) {
        let inner = self.inner.take();
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || drop(inner));
        }
    }
}

/// One reading of the file. While a piece is with the connection the next one is read, and no further.
pub(super) struct FileReader {
    file: Arc<BodyFile>,
    parts: Arc<[Part]>,
    length: u64,
    /// Bytes that have been handed out.
    sent: u64,
    ahead: Option<Reading>,
}

impl FileReader {
    pub(super) fn new(file: Arc<BodyFile>, parts: Arc<[Part]>) -> Self {
        let length = length(&parts);
        Self { file, parts, length, sent: 0, ahead: None }
    }

    /// Bytes still to be handed out.
    pub(super) const fn left(&self) -> u64 {
        self.length - self.sent
    }

    /// The next piece.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left() == 0 {
            return Poll::Ready(None);
        }
        let mut reading = self.ahead.take().unwrap_or_else(|| self.start());
        let Poll::Ready(read) = Pin::new(&mut reading.0).poll(cx) else {
            self.ahead = Some(reading);
            return Poll::Pending;
        };
        let read = read.unwrap_or_else(|ended| Err(io::Error::other(ended)));
        match &read {
            Ok(piece) => {
                self.sent += piece.len() as u64;
                if self.left() > 0 {
                    self.ahead = Some(self.start());
                }
            }
            Err(_) => self.file.failed.store(true, Ordering::Relaxed),
        }
        Poll::Ready(Some(read))
    }

    /// Begins to read the piece behind what was handed out.
    fn start(&self) -> Reading {
        let (file, parts, from) = (self.file.clone(), self.parts.clone(), self.sent);
        let length = usize::try_from(self.left()).map_or(PIECE_BYTES_MAX, |left| left.min(PIECE_BYTES_MAX));
        let jobs = file.jobs.clone();
        let job = move |permit: Option<OwnedSemaphorePermit>| {
            let read = assemble(&file, &parts, from, length);
            drop(permit);
            read
        };
        Reading(match jobs.clone().try_acquire_owned() {
            Ok(permit) => tokio::task::spawn_blocking(move || job(Some(permit))),
            // A task waits, not the body: a connection that stops polling would keep a permit that it was given.
            Err(_) => tokio::spawn(async move {
                let permit = jobs.acquire_owned().await.ok();
                tokio::task::spawn_blocking(move || job(permit)).await?
            }),
        })
    }
}

impl Clone for FileReader {
    fn clone(&self) -> Self {
        let (file, parts) = (self.file.clone(), self.parts.clone());
        Self { file, parts, length: self.length, sent: self.sent, ahead: None }
    }
}

impl fmt::Debug for FileReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileReader")
            .field("length", &self.length)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

/// A piece on its way. Dropping it forgets the piece; a read that has begun ends by itself.
struct Reading(JoinHandle<io::Result<Bytes>>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// `length` bytes of what the parts make, from `from` on.
fn assemble(file: &BodyFile, parts: &[Part], from: u64, length: usize) -> io::Result<Bytes> {
    let mut piece = vec![0; length];
    let (mut skip, mut filled) = (from, 0);
    for part in parts {
        let bytes = part.len();
        if skip >= bytes {
            skip -= bytes;
            continue;
        }
        let room = &mut piece[filled..];
        let take = usize::try_from(bytes - skip).map_or(room.len(), |left| left.min(room.len()));
        match part {
            Part::Kept(range) => file.read_at(&mut room[..take], range.start + skip)?,
            Part::New(new) => {
                let new = usize::try_from(skip).ok().and_then(|skip| new.get(skip..)).unwrap_or_default();
                room.iter_mut().zip(new).for_each(|(to, from)| *to = *from);
            }
        }
        (skip, filled) = (0, filled + take);
        if filled == length {
            break;
        }
    }
    Ok(piece.into())
}
