//! The files of the log of deferred requests: segments that are written from front to back and deleted from the oldest
//! on. Everything here may block; it is called by the journal's own thread.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use wellhead_resilience::defer::frame::{self, BODY_BYTES_MAX, HEAD_BYTES, JSON_BYTES_MAX, MARK};
use wellhead_resilience::defer::{Outbox, Place};

/// A segment that has reached this is followed by another one.
const SEGMENT_BYTES_MAX: u64 = 16 << 20;
/// A segment ends with the record that takes it over the limit.
const FILE_BYTES_MAX: u64 = SEGMENT_BYTES_MAX + (HEAD_BYTES + JSON_BYTES_MAX + BODY_BYTES_MAX) as u64;

/// A record's head and JSON, and its body.
pub(super) type Framed<'a> = (&'a [u8], &'a [u8]);

/// All segments.
#[derive(Debug)]
pub(super) struct Files {
    dir: PathBuf,
    /// Sizes by number.
    sizes: BTreeMap<u64, u64>,
    active: Option<Active>,
    newest: u64,
}

#[derive(Debug)]
struct Active {
    number: u64,
    file: File,
    bytes: u64,
}

impl Files {
    /// Reads what is there. The directory is made when something is written.
    pub(super) fn open(dir: PathBuf) -> io::Result<(Self, Outbox)> {
        let mut files = Self { dir, sizes: BTreeMap::new(), active: None, newest: 0 };
        let mut outbox = Outbox::default();
        for number in files.list()? {
            let bytes = files.load(number, &mut outbox)?;
            files.sizes.insert(number, bytes);
            files.newest = number;
        }
        outbox.recover();
        files.delete_before(outbox.oldest_segment());
        Ok((files, outbox))
    }

    /// Bytes on disk.
    pub(super) fn bytes(&self) -> u64 {
        self.sizes.values().sum()
    }

    /// Segments on disk.
    pub(super) fn count(&self) -> usize {
        self.sizes.len()
    }

    /// The segment that is being written.
    pub(super) fn active(&self) -> Option<u64> {
        self.active.as_ref().map(|active| active.number)
    }

    /// Writes records and waits until they are durable. All of them are, or none.
    pub(super) fn append(&mut self, records: &[Framed<'_>]) -> io::Result<Vec<Place>> {
        let Active { number, mut file, bytes: before } = match self.active.take() {
            Some(active) if active.bytes < SEGMENT_BYTES_MAX => active,
            _ => self.create()?,
        };
        let (mut at, mut places) = (before, Vec::with_capacity(records.len()));
        let mut written = Ok(());
        for (head, body) in records {
            written = written.and_then(|()| file.write_all(head)).and_then(|()| file.write_all(body));
            at += head.len() as u64;
            places.push(Place { segment: number, at, bytes: body.len() as u64 });
            at += body.len() as u64;
        }
        if let Err(error) = written.and_then(|()| file.sync_data()) {
            // Their senders are told that they were not accepted, so they must not be found later. Whatever cannot be
            // undone is left behind: the next record goes into a new file.
            let _ = file.set_len(before).and_then(|()| file.sync_data());
            return Err(error);
        }
        self.sizes.insert(number, at);
        self.active = Some(Active { number, file, bytes: at });
        Ok(places)
    }

    /// Reads a body.
    pub(super) fn read(&self, place: Place) -> io::Result<Vec<u8>> {
        let length = usize::try_from(place.bytes).unwrap_or(usize::MAX);
        if length > BODY_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut body = vec![0; length];
        if length > 0 {
            File::open(self.path(place.segment))?.read_exact_at(&mut body, place.at)?;
        }
        Ok(body)
    }

    /// Deletes the segments before the oldest one that is needed, the oldest first; all but the active one if none is.
    pub(super) fn delete_before(&mut self, needed: Option<u64>) {
        let active = self.active();
        while let Some((number, _)) = self.sizes.first_key_value() {
            let number = *number;
            if needed.is_some_and(|needed| number >= needed) || Some(number) == active {
                return;
            }
            if let Err(error) = fs::remove_file(self.path(number)) {
                // Not the next one before this one: see `Outbox::oldest_segment`.
                tracing::warn!(dir = %self.dir.display(), number, %error, "an old file of deferred requests stays");
                return;
            }
            self.sizes.remove(&number);
        }
    }

    fn create(&mut self) -> io::Result<Active> {
        if !self.dir.exists() {
            DirBuilder::new().mode(0o700).create(&self.dir)?;
            if let Some(parent) = self.dir.parent() {
                File::open(parent)?.sync_all()?;
            }
        }
        self.newest += 1;
        let number = self.newest;
        let path = self.path(number);
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&MARK)?;
        // The name has to be durable before anything in the file is promised.
        File::open(&self.dir)?.sync_all()?;
        let bytes = MARK.len() as u64;
        self.sizes.insert(number, bytes);
        Ok(Active { number, file, bytes })
    }

    fn path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("{number:016x}.log"))
    }

    /// Numbers of the segments, the oldest first.
    fn list(&self) -> io::Result<Vec<u64>> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".log"));
            numbers.extend(number.and_then(|digits| u64::from_str_radix(digits, 16).ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Takes one segment into the outbox and returns its size.
    fn load(&self, number: u64, outbox: &mut Outbox) -> io::Result<u64> {
        let path = self.path(number);
        let mut log = Vec::new();
        File::open(&path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut log)?;
        if log.len() as u64 > FILE_BYTES_MAX {
            return Err(foreign(&path, "is larger than any file of deferred requests"));
        }
        let why = "is no file of deferred requests, or one of a newer version";
        let mut reader = frame::read(&log).map_err(|frame::Foreign| foreign(&path, why))?;
        for read in reader.by_ref() {
            let place = Place { segment: number, at: read.body_at, bytes: read.body.len() as u64 };
            outbox.apply(&read.record, place);
        }
        if reader.damaged() > 0 {
            tracing::error!(file = %path.display(), records = reader.damaged(), "deferred requests are damaged on disk");
        }
        if reader.torn() > 0 {
            tracing::info!(
                file = %path.display(), bytes = reader.torn(),
                "the last record was not complete when the process ended; nothing of it had been promised"
            );
        }
        Ok(log.len() as u64)
    }
}

fn foreign(path: &Path, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} {why}", path.display()))
}
