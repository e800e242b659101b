//! The one thread that writes the log of deferred requests (decision 28). What has gathered while it waited for the disk
//! goes into one write and one fdatasync. The outbox learns of a record when it is durable, and not before, so nobody
//! acts on what a crash could take back.

use super::files::Files;
use bytes::Bytes;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use wellhead_resilience::defer::{Id, Outbox, Place, Record, frame};

/// Jobs that wait for the thread. Whoever comes then waits for its turn, with a request whose memory is counted.
const JOBS_MAX: usize = 256;
/// How long a request waits for its record to be durable: a disk that takes longer is out of order.
pub(super) const APPEND_MAX: Duration = Duration::from_secs(10);
/// Bytes on disk beyond twice what is needed, before what is needed is written anew.
const WASTE_BYTES_MAX: u64 = 64 << 20;
/// Segments before the same is done: a process that is started again and again leaves many that are nearly empty.
const SEGMENTS_MAX: usize = 64;
/// Bytes that are written anew at once, so that requests do not wait for it.
const MOVED_BYTES_MAX: u64 = 8 << 20;

/// It could not be written, or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DiskFailed;

enum Job {
    Append(Record, Bytes, oneshot::Sender<Result<(), DiskFailed>>),
    Read(Id, oneshot::Sender<Result<Bytes, DiskFailed>>),
    /// Something was forgotten: there may be files to delete.
    Tidy,
}

/// What the thread and everybody else share.
#[derive(Debug)]
pub(super) struct Shared {
    outbox: Mutex<Outbox>,
    /// Counts the changes of the outbox.
    changed: watch::Sender<u64>,
    disk_bytes: AtomicU64,
    failing: AtomicBool,
}

/// The way to the thread.
#[derive(Debug)]
pub(super) struct Journal {
    jobs: mpsc::Sender<Job>,
    shared: Arc<Shared>,
}

/// A place in the thread's list of jobs.
pub(super) struct Turn<'a>(mpsc::Permit<'a, Job>);

impl Journal {
    /// Reads the log and starts the thread.
    pub(super) fn open(dir: PathBuf) -> io::Result<Self> {
        let (files, outbox) = Files::open(dir)?;
        let (jobs, waiting) = mpsc::channel(JOBS_MAX);
        let shared = Arc::new(Shared {
            outbox: Mutex::new(outbox),
            changed: watch::Sender::new(0),
            disk_bytes: AtomicU64::new(files.bytes()),
            failing: AtomicBool::new(false),
        });
        let writer = Writer { files, shared: shared.clone() };
        std::thread::Builder::new().name("deferred-log".to_owned()).spawn(move || writer.run(waiting))?;
        Ok(Self { jobs, shared })
    }

    pub(super) fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.shared.outbox()
    }

    /// Tells of every change from now on.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Says that something else has changed that those who listen want to know.
    pub(super) fn nudge(&self) {
        self.shared.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Bytes of the log on disk.
    pub(super) fn disk_bytes(&self) -> u64 {
        self.shared.disk_bytes.load(Ordering::Relaxed)
    }

    /// Waits for a place in the list of jobs.
    pub(super) async fn turn(&self) -> Result<Turn<'_>, DiskFailed> {
        match tokio::time::timeout(APPEND_MAX, self.jobs.reserve()).await {
            Ok(Ok(permit)) => Ok(Turn(permit)),
            Ok(Err(_)) | Err(_) => Err(DiskFailed),
        }
    }

    /// Writes a record down; returns when it is durable.
    pub(super) async fn append(&self, record: Record, body: Bytes) -> Result<(), DiskFailed> {
        let done = self.turn().await?.append(record, body);
        durable(done).await
    }

    /// The body of a request, or of its answer once it has one.
    pub(super) async fn read(&self, id: Id) -> Result<Bytes, DiskFailed> {
        let (done, read) = oneshot::channel();
        self.turn().await?.0.send(Job::Read(id, done));
        tokio::time::timeout(APPEND_MAX, read).await.map_err(|_| DiskFailed)?.map_err(|_| DiskFailed)?
    }

    /// Says that something was forgotten. If the list is full, somebody else will soon.
    pub(super) fn tidy(&self) {
        drop(self.jobs.try_send(Job::Tidy));
    }
}

impl Turn<'_> {
    /// Writes a record down. The outbox takes it when it is durable, or is told that it will never be; whether anybody
    /// waits for that is no matter.
    pub(super) fn append(self, record: Record, body: Bytes) -> oneshot::Receiver<Result<(), DiskFailed>> {
        let (done, durable) = oneshot::channel();
        self.0.send(Job::Append(record, body, done));
        durable
    }
}

/// Waits until a record is durable.
pub(super) async fn durable(done: oneshot::Receiver<Result<(), DiskFailed>>) -> Result<(), DiskFailed> {
    tokio::time::timeout(APPEND_MAX, done).await.map_err(|_| DiskFailed)?.map_err(|_| DiskFailed)?
}

impl Shared {
    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Writer {
    files: Files,
    shared: Arc<Shared>,
}

struct Append {
    record: Record,
    head: Vec<u8>,
    body: Bytes,
    done: oneshot::Sender<Result<(), DiskFailed>>,
}

impl Writer {
    fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.blocking_recv() {
            let (mut appends, mut reads) = (Vec::new(), Vec::new());
            let mut next = Some(first);
            while let Some(job) = next {
                match job {
                    Job::Append(record, body, done) => match frame::write(&record, &body) {
                        Ok(head) => appends.push(Append { record, head, body, done }),
                        Err(frame::TooLarge) => self.refused(&record, done),
                    },
                    Job::Read(id, done) => reads.push((id, done)),
                    Job::Tidy => {}
                }
                next = (appends.len() + reads.len() < JOBS_MAX).then(|| jobs.try_recv().ok()).flatten();
            }
            self.append(appends);
            for (id, done) in reads {
                let _ = done.send(self.read(id));
            }
            self.tidy();
        }
    }

    fn append(&mut self, appends: Vec<Append>) {
        if appends.is_empty() {
            return;
        }
        let framed: Vec<_> = appends.iter().map(|append| (&append.head[..], &append.body[..])).collect();
        match self.files.append(&framed) {
            Ok(places) => {
                let mut outbox = self.shared.outbox();
                for (append, place) in appends.iter().zip(places) {
                    outbox.apply(&append.record, place);
                }
                drop(outbox);
                if self.shared.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("deferred requests can be written again");
                }
                for append in appends {
                    let _ = append.done.send(Ok(()));
                }
            }
            Err(error) => {
                if !self.shared.failing.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "deferred requests cannot be written; none are accepted meanwhile");
                }
                appends.into_iter().for_each(|append| self.refused(&append.record, append.done));
            }
        }
        self.shared.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn refused(&self, record: &Record, done: oneshot::Sender<Result<(), DiskFailed>>) {
        if let Record::Accepted(request) = record {
            self.shared.outbox().abandon(request.id);
        }
        let _ = done.send(Err(DiskFailed));
    }

    fn read(&self, id: Id) -> Result<Bytes, DiskFailed> {
        let place = self.shared.outbox().get(id).map(|entry| entry.body).ok_or(DiskFailed)?;
        self.load(place)
    }

    fn load(&self, place: Place) -> Result<Bytes, DiskFailed> {
        self.files.read(place).map(Bytes::from).map_err(|error| {
            tracing::error!(%error, segment = place.segment, "a deferred request cannot be read");
            DiskFailed
        })
    }

    /// Gives back what nobody needs: whole segments, and where much of the rest is waste, one more piece by piece.
    fn tidy(&mut self) {
        if self.files.count() > 1 {
            let (oldest, needed) = {
                let outbox = self.shared.outbox();
                (outbox.oldest_segment(), outbox.total().bytes)
            };
            self.files.delete_before(oldest);
            let wasteful = self.files.bytes() > needed.saturating_mul(2).saturating_add(WASTE_BYTES_MAX);
            if let Some(oldest) = oldest.filter(|oldest| Some(*oldest) != self.files.active())
                && (wasteful || self.files.count() > SEGMENTS_MAX)
            {
                self.move_from(oldest);
            }
        }
        self.shared.disk_bytes.store(self.files.bytes(), Ordering::Relaxed);
    }

    /// Writes what a segment is needed for into the active one.
    fn move_from(&mut self, segment: u64) {
        let ids = self.shared.outbox().in_segment(segment);
        let mut moved = 0;
        for id in ids {
            let Some(entry) = self.shared.outbox().get(id).cloned() else { continue };
            let Ok(body) = self.load(entry.body) else { return };
            let record = Record::Moved(Box::new(entry));
            let Ok(head) = frame::write(&record, &body) else { return };
            let Ok(places) = self.files.append(&[(&head, &body)]) else { return };
            for place in places {
                self.shared.outbox().apply(&record, place);
            }
            moved += (head.len() + body.len()) as u64;
            if moved > MOVED_BYTES_MAX {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
