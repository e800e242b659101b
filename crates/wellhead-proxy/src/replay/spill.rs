//! Bodies in files: unlinked from the start, in the data directory, which is private. Nothing here touches the disk on
//! a worker (decision 7).

use super::Budget;
use bytes::Bytes;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wellhead_net::body::BodyFile;

/// Bytes in files, over all requests of the process: as much as the spool of records, so that uploads cannot fill the
/// disk that the store needs.
const FILES_BYTES_MAX: u64 = 4 << 30;

/// How long a request waits for its file: a 32 MiB body at the pace of a slow disk. A disk that hangs costs this once,
/// see [`Spill::permit`].
const WRITE_MAX: Duration = Duration::from_secs(2);

/// Jobs of one worker that write, at once. Its blocking pool has four threads, which all of these fill.
const WRITE_JOBS_MAX: usize = 1;

/// Jobs of one worker that read, at once. A piece comes from the page cache within 0.1 ms: enough for any network.
const READ_JOBS_MAX: usize = 2;

/// Jobs of one worker that hash a large body, at once. A body of 32 MiB takes a few dozen milliseconds.
const HASH_JOBS_MAX: usize = 1;

/// Jobs of one worker that translate a large body, at once. One more would leave no thread to the others, and there is one
/// core for each worker anyway.
const TRANSLATE_JOBS_MAX: usize = 1;

/// Smaller bodies are translated on the worker itself: that takes less than a millisecond (decision 7).
const TRANSLATED_AT_ONCE_BYTES_MAX: usize = 256 * 1024;

/// What one worker may do at once on its blocking pool.
#[derive(Debug)]
pub(crate) struct DiskJobs {
    writes: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    hashes: Arc<Semaphore>,
    translations: Arc<Semaphore>,
}

impl Default for DiskJobs {
    fn default() -> Self {
        let [writes, reads, hashes, translations] =
            [WRITE_JOBS_MAX, READ_JOBS_MAX, HASH_JOBS_MAX, TRANSLATE_JOBS_MAX]
                .map(|max| Arc::new(Semaphore::new(max)));
        Self { writes, reads, hashes, translations }
    }
}

impl DiskJobs {
    /// Waits for the right to hash.
    pub(crate) async fn hash(&self) -> Option<OwnedSemaphorePermit> {
        self.hashes.clone().acquire_owned().await.ok()
    }

    /// Translates a body of so many bytes: at once, or on the blocking pool if that takes too long for a worker. `None` if
    /// it panicked there.
    pub(crate) async fn translate<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if bytes <= TRANSLATED_AT_ONCE_BYTES_MAX {
            return Some(work());
        }
        let permit = self.translations.clone().acquire_owned().await.ok()?;
        let job = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        job.await.ok()
    }
}

/// Makes the files.
#[derive(Debug)]
pub(crate) struct Spill {
    dir: Arc<Path>,
    space: Arc<Budget>,
    /// The last attempt to make a file failed.
    failing: AtomicBool,
}

impl Spill {
    /// Files go into `dir`.
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir: dir.into(), space: Arc::default(), failing: AtomicBool::new(false) }
    }

    /// Writes a body into a file of its own, or returns nothing and says in the log why, once until it works again.
    pub(crate) async fn write(&self, jobs: &DiskJobs, bytes: &Bytes) -> Option<Arc<BodyFile>> {
        match tokio::time::timeout(WRITE_MAX, self.try_write(jobs, bytes)).await {
            Ok(Ok(file)) => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!(dir = %self.dir.display(), "large request bodies go to files again");
                }
                Some(file)
            }
            Ok(Err(error)) => self.failed(&error),
            Err(_) => self.failed(&io::ErrorKind::TimedOut.into()),
        }
    }

    fn failed(&self, error: &io::Error) -> Option<Arc<BodyFile>> {
        if !self.failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                dir = %self.dir.display(), %error,
                "large request bodies stay in memory, because they cannot be written to files; requests are served \
                 as before until `limits.replay_bytes_max` is used up"
            );
        }
        None
    }

    async fn try_write(&self, jobs: &DiskJobs, bytes: &Bytes) -> io::Result<Arc<BodyFile>> {
        let mut space = self.space.share();
        if !space.grow(bytes.len() as u64, FILES_BYTES_MAX) {
            return Err(io::Error::other(format!("{FILES_BYTES_MAX} bytes are in such files already")));
        }
        let permit = self.permit(jobs).await?;
        let (dir, bytes) = (self.dir.clone(), bytes.clone());
        let job = tokio::task::spawn_blocking(move || {
            let written = make(&dir, &bytes);
            drop(permit);
            written
        });
        Ok(Arc::new(BodyFile::new(job.await??, jobs.reads.clone(), Box::new(space))))
    }

    /// Waits for its turn; while the disk hangs only as long as it takes to see that.
    async fn permit(&self, jobs: &DiskJobs) -> io::Result<OwnedSemaphorePermit> {
        let writes = jobs.writes.clone();
        if self.failing.load(Ordering::Relaxed) {
            return writes.try_acquire_owned().map_err(io::Error::other);
        }
        writes.acquire_owned().await.map_err(io::Error::other)
    }
}

#[cfg(test)]
impl Spill {
    pub(super) fn space(&self) -> &Budget {
        &self.space
    }
}

#[cfg(test)]
impl DiskJobs {
    /// What all writes under way would hold.
    pub(super) fn all_writes(&self) -> Option<OwnedSemaphorePermit> {
        self.writes.clone().try_acquire_many_owned(u32::try_from(WRITE_JOBS_MAX).ok()?).ok()
    }
}

/// An unlinked file that only this process can read.
fn make(dir: &Path, bytes: &[u8]) -> io::Result<std::fs::File> {
    let mut file = tempfile::tempfile_in(dir)?;
    file.write_all(bytes)?;
    Ok(file)
}
