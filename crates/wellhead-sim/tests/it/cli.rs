//! The command: it says where it listens, answers, and ends at SIGTERM.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;

use wellhead_sim::{CliOptions, SimOptions, run_cli};

/// Hands on what is written.
struct Lines(mpsc::SyncSender<String>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(String::from_utf8_lossy(bytes).into_owned()).map_err(io::Error::other)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_command_runs_until_it_is_told_to_end() {
    let (sender, written) = mpsc::sync_channel(64);
    let options =
        CliOptions { sim: SimOptions::default(), faults: Some("status:503".parse().unwrap()), threads: 1 };
    let running = std::thread::spawn(move || run_cli(options, &mut Lines(sender)));
    let mut text = String::new();
    while !text.contains("Try: curl") || !text.ends_with('\n') {
        text += &written.recv().unwrap();
    }
    assert!(text.contains("status:503"));
    let addr = text.split("http://").nth(1).unwrap().split('/').next().unwrap();
    let mut socket = TcpStream::connect(addr).unwrap();
    socket.write_all(b"GET /v1/models HTTP/1.1\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let pid = std::process::id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    running.join().unwrap().unwrap();
}
