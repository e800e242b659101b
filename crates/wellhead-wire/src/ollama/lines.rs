//! Chunks in, lines out.

/// Longest line: one piece of an answer, or a whole one.
pub const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A line is longer than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line of the stream is longer than {bytes_max} bytes")]
pub struct LineTooLong {
    bytes_max: usize,
}

/// Cuts a stream into lines. Blank ones are left out.
#[derive(Debug)]
pub struct Lines {
    held: Vec<u8>,
    bytes_max: usize,
}

impl Default for Lines {
    fn default() -> Self {
        Self::new(LINE_BYTES_MAX)
    }
}

impl Lines {
    /// A line may have at most `bytes_max` bytes.
    pub const fn new(bytes_max: usize) -> Self {
        Self { held: Vec::new(), bytes_max }
    }

    /// Takes the next chunk and shows every line that it completes.
    pub fn push(&mut self, chunk: &[u8], on_line: &mut dyn FnMut(&[u8])) -> Result<(), LineTooLong> {
        let mut rest = chunk;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            if self.held.len().saturating_add(line.len()) > self.bytes_max {
                return Err(LineTooLong { bytes_max: self.bytes_max });
            }
            if self.held.is_empty() {
                show(line, on_line);
            } else {
                self.held.extend_from_slice(line);
                show(&std::mem::take(&mut self.held), on_line);
            }
            rest = after;
        }
        if self.held.len().saturating_add(rest.len()) > self.bytes_max {
            return Err(LineTooLong { bytes_max: self.bytes_max });
        }
        self.held.extend_from_slice(rest);
        Ok(())
    }

    /// The bytes have ended: the last line may lack its end.
    pub fn finish(&mut self, on_line: &mut dyn FnMut(&[u8])) {
        show(&std::mem::take(&mut self.held), on_line);
    }
}

fn show(line: &[u8], on_line: &mut dyn FnMut(&[u8])) {
    let line = line.trim_ascii();
    if !line.is_empty() {
        on_line(line);
    }
}
