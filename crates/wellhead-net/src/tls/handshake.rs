//! The handshake, with a look at the first bytes of the answer: the most frequent mistake is TLS to a port that does
//! not speak it, and what such a port says tells what to do.

use super::failure::of_handshake;
use crate::SendError;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::io;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wellhead_types::{Cause, Stage};

/// Content types of TLS records: change cipher spec, alert, handshake, application data (RFC 8446 section 5.1).
const RECORD_TYPES: std::ops::RangeInclusive<u8> = 20..=23;
/// Of the answer, as much as fits on a line of a log.
const PEEK_BYTES_MAX: usize = 64;

/// Shakes hands as a client, and expects the peer to be `name`.
pub(crate) async fn shake_hands(
    tcp: TcpStream,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
) -> Result<TlsStream<TcpStream>, SendError> {
    let (expected, mut hello) = (name.clone(), Vec::new());
    let mut connect = TlsConnector::from(config).connect_with(name, tcp, |session| {
        // Writing to memory does not fail. A session that cannot begin says so when it is asked to go on.
        while session.wants_write() && session.write_tls(&mut hello).is_ok_and(|written| written > 0) {}
    });
    if let Some(tcp) = connect.get_mut().filter(|_| !hello.is_empty()) {
        let said = first_words(tcp, &hello).await.map_err(|error| of_handshake(&error, &expected))?;
        if let Some(said) = said {
            let detail = format!("TLS handshake: the port speaks no TLS; it answered {said}");
            return Err(SendError::new(Stage::Tls, Cause::TlsPlaintext, detail));
        }
    }
    connect.await.map_err(|error| of_handshake(&error, &expected))
}

/// Sends the hello, and looks at the answer without taking it. Returns what was said if that is no TLS.
async fn first_words(tcp: &mut TcpStream, hello: &[u8]) -> io::Result<Option<String>> {
    tcp.write_all(hello).await?;
    let mut said = [0; PEEK_BYTES_MAX];
    let length = tcp.peek(&mut said).await?;
    let said = said.get(..length).unwrap_or_default();
    Ok(said.first().filter(|first| !RECORD_TYPES.contains(first)).map(|_| described(said)))
}

/// What a peer that speaks no TLS speaks instead, with its first line.
fn described(said: &[u8]) -> String {
    let line = said.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let text: String = String::from_utf8_lossy(line).chars().filter(|c| !c.is_control()).collect();
    let protocol = if said.starts_with(b"HTTP/") {
        "in plain HTTP"
    } else if said.starts_with(b"SSH-") {
        "in SSH"
    } else if said.starts_with(&[0, 0]) && said.get(3) == Some(&4) {
        // A SETTINGS frame (RFC 9113 section 6.5) begins with its length of 3 bytes, far below 65536.
        return "in plain HTTP/2".to_owned();
    } else if !line.is_empty() && line.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
        "in text"
    } else {
        return format!("bytes that begin with {:02x?}", said.get(..said.len().min(8)).unwrap_or_default());
    };
    format!("{protocol}: {text:?}")
}

#[cfg(test)]
mod tests {
    use super::described;

    #[test]
    fn what_a_port_speaks_is_told_from_its_first_bytes() {
        for (said, expected) in [
            (
                &b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"[..],
                "in plain HTTP: \"HTTP/1.1 400 Bad Request\"",
            ),
            (b"SSH-2.0-OpenSSH_9.6\r\n", "in SSH: \"SSH-2.0-OpenSSH_9.6\""),
            (b"-ERR unknown command\r\n", "in text: \"-ERR unknown command\""),
            (b"\0\0\x12\x04\0\0\0\0\0\0\x03", "in plain HTTP/2"),
            (b"\xff\xfb\x01", "bytes that begin with [ff, fb, 01]"),
            (b"\n", "bytes that begin with [0a]"),
        ] {
            assert_eq!(described(said), expected);
        }
    }
}
