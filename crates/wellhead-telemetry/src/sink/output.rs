//! Where the lines go: collected in memory, written in one piece.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;

use super::line::{self, JsonLines};
use super::{AccessLog, StartError};
use crate::metrics::Pipeline;
use crate::record::RequestRecord;

/// Written as soon as this much has come together: few system calls, little memory.
const BUFFER_BYTES: usize = 64 * 1024;

/// Failed writes between two warnings: a full disk must not fill the program's own log as well.
const WARN_EVERY: u64 = 1_000;

/// The access log, open.
pub(super) struct Output {
    sink: Sink,
    format: Format,
    buffer: Vec<u8>,
    /// Lines in `buffer`.
    lines: u64,
}

enum Sink {
    Off,
    Writer(Box<dyn Write + Send>),
    File(PathBuf, File),
}

enum Format {
    Json(JsonLines),
    Human,
}

impl Output {
    pub(super) fn open(log: AccessLog) -> Result<Self, StartError> {
        let json = Format::Json(JsonLines::new());
        let (sink, format) = match log {
            AccessLog::Off => (Sink::Off, json),
            AccessLog::Stdout { tty } => {
                (Sink::Writer(Box::new(io::stdout())), if tty { Format::Human } else { json })
            }
            AccessLog::File(path) => match open(&path) {
                Ok(file) => (Sink::File(path, file), json),
                Err(e) => return Err(StartError::OpenFile(path, e)),
            },
        };
        Ok(Self { sink, format, buffer: Vec::new(), lines: 0 })
    }

    #[cfg(test)]
    pub(super) fn to_writer(writer: impl Write + Send + 'static) -> Self {
        let format = Format::Json(JsonLines::new());
        Self { sink: Sink::Writer(Box::new(writer)), format, buffer: Vec::new(), lines: 0 }
    }

    /// Adds the record's line; writes when enough has come together.
    pub(super) fn add(&mut self, record: &RequestRecord, pipeline: &Pipeline) {
        if matches!(self.sink, Sink::Off) {
            return;
        }
        let start = self.buffer.len();
        let written = match &mut self.format {
            Format::Json(lines) => {
                lines.add(&mut self.buffer, record);
                Ok(())
            }
            Format::Human => line::human(&mut self.buffer, record),
        };
        if written.is_err() {
            // A Vec takes everything: unreachable, and still not half a line in the log.
            self.buffer.truncate(start);
            pipeline.records_dropped.fetch_add(1, Relaxed);
            return;
        }
        self.lines += 1;
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush(pipeline);
        }
    }

    /// Writes what has come together. Lines that cannot be written are dropped and counted.
    pub(super) fn flush(&mut self, pipeline: &Pipeline) {
        if self.buffer.is_empty() {
            return;
        }
        let written = match &mut self.sink {
            Sink::Off => Ok(()),
            Sink::Writer(writer) => writer.write_all(&self.buffer).and_then(|()| writer.flush()),
            Sink::File(_, file) => file.write_all(&self.buffer),
        };
        if let Err(e) = written {
            pipeline.records_dropped.fetch_add(self.lines, Relaxed);
            if pipeline.write_errors.fetch_add(1, Relaxed).is_multiple_of(WARN_EVERY) {
                tracing::warn!(error = %e, lines = self.lines, "the access log cannot be written; lines are lost");
            }
        }
        self.buffer.clear();
        self.lines = 0;
    }

    /// Opens a file anew under the same name.
    pub(super) fn reopen(&mut self) {
        if let Sink::File(path, file) = &mut self.sink {
            match open(path) {
                Ok(fresh) => *file = fresh,
                Err(e) => tracing::warn!(
                    error = %e,
                    path = %path.display(),
                    "the access log cannot be opened anew; going on with the old file"
                ),
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
