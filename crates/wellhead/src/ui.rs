//! Everything that commands print. Results go to stdout, remarks and errors to stderr. A reader that went away
//! (`wellhead status | head -1`) is no error.

use std::io::{self, IsTerminal, Write};

/// ANSI colours that carry meaning here.
#[derive(Clone, Copy)]
pub(crate) enum Colour {
    /// Something failed.
    Red,
    /// Something is worth knowing.
    Yellow,
    /// All is well.
    Green,
}

/// Stdout that goes on when its reader has gone.
pub(crate) struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match io::stdout().lock().write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            other => other,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match io::stdout().lock().flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

/// Prints a result.
pub(crate) fn out(text: &str) -> io::Result<()> {
    out_bytes(text.as_bytes())
}

/// Prints bytes as they are.
pub(crate) fn out_bytes(bytes: &[u8]) -> io::Result<()> {
    Stdout.write_all(bytes)?;
    Stdout.flush()
}

/// Prints a remark, out of the way of results that a script reads.
pub(crate) fn note(text: &str) {
    // There is nobody left to tell when stderr is gone.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints an error with its causes.
pub(crate) fn error(error: &anyhow::Error) {
    let label = paint(Colour::Red, "error", &io::stderr());
    note(&format!("{label}: {error:#}"));
}

/// Colours a word, if the stream is a terminal and `NO_COLOR` is not set (no-color.org).
pub(crate) fn paint(colour: Colour, word: &str, stream: &impl IsTerminal) -> String {
    let wanted = stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let code = match colour {
        Colour::Red => 31,
        Colour::Yellow => 33,
        Colour::Green => 32,
    };
    if wanted { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() }
}

/// Columns under each other; the last one is not padded.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_stand_under_each_other() {
        let row = |cells: &[&str]| cells.iter().map(|&c| c.to_owned()).collect::<Vec<_>>();
        assert_eq!(
            table(&[row(&["ID", "NAME"]), row(&["key_1", "ü"]), row(&["k"])]),
            "ID     NAME\nkey_1  ü\nk\n"
        );
        assert_eq!(table(&[]), "");
    }
}
