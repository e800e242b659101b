//! Chunks in, lines out.

/// Longest line: one piece of an answer, or a whole one.
pub const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A line is longer than [`LINE_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line of the stream is longer than {LINE_BYTES_MAX} bytes")]
pub struct LineTooLong;

/// Cuts a stream into lines. Blank ones are left out.
#[derive(Debug, Default)]
pub struct Lines {
    held: Vec<u8>,
}

impl Lines {
    /// Takes the next chunk and shows every line that it completes.
    pub fn push(&mut self, chunk: &[u8], on_line: &mut dyn FnMut(&[u8])) -> Result<(), LineTooLong> {
        let mut rest = chunk;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            if self.held.len().saturating_add(line.len()) > LINE_BYTES_MAX {
                return Err(LineTooLong);
            }
            if self.held.is_empty() {
                show(line, on_line);
            } else {
                self.held.extend_from_slice(line);
                show(&std::mem::take(&mut self.held), on_line);
            }
            rest = after;
        }
        if self.held.len().saturating_add(rest.len()) > LINE_BYTES_MAX {
            return Err(LineTooLong);
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
