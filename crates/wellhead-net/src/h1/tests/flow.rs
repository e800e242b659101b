//! Nothing piles up in the process: whoever is slow slows down whoever is fast.

use super::support::{guard, post, settle};
use crate::OutBody;
use crate::h1::{Socket, send};
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const LARGE: usize = 8 << 20;
/// Of each of the two socket buffers; the kernel doubles it.
const KERNEL_BYTES: u32 = 64 * 1024;
/// Both socket buffers, a piece of a request that is being written, and one read of an answer; and as much again, for how
/// kernels count.
const HELD_BYTES_MAX: u64 = 1 << 20;

/// Two ends with small buffers, so that what is in flight is not in the kernel.
async fn connection() -> (Socket, TcpStream) {
    let listener = TcpSocket::new_v4().unwrap();
    listener.set_recv_buffer_size(KERNEL_BYTES).unwrap();
    listener.set_send_buffer_size(KERNEL_BYTES).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = listener.listen(1).unwrap();
    let client = TcpSocket::new_v4().unwrap();
    client.set_recv_buffer_size(KERNEL_BYTES).unwrap();
    client.set_send_buffer_size(KERNEL_BYTES).unwrap();
    let (client, server) = tokio::join!(client.connect(listener.local_addr().unwrap()), listener.accept());
    (Socket::Clear(client.unwrap()), server.unwrap().0)
}

/// Counts what of a request is not needed any more.
struct Piece(Vec<u8>, Arc<AtomicU64>);

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.1.fetch_add(self.0.len() as u64, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_large_request_waits_for_a_slow_reader() {
    guard(async {
        let (socket, mut server) = connection().await;
        let body: Vec<u8> = (0..LARGE).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let let_go = Arc::new(AtomicU64::new(0));
        let pieces = body
            .chunks(64 * 1024)
            .map(|piece| Bytes::from_owner(Piece(piece.to_vec(), let_go.clone())))
            .collect();
        let request = Request::post("/").body(OutBody::pieces(pieces)).unwrap();
        let (response, request) = tokio::join!(send(socket, request), async {
            let mut read = Vec::new();
            let mut buffer = vec![0; 100_000];
            while !read.ends_with(&body[LARGE - 251..]) || read.len() < LARGE {
                // Time enough for a client that would take it all at once.
                settle().await;
                let taken = let_go.load(Ordering::Relaxed);
                assert!(taken <= read.len() as u64 + HELD_BYTES_MAX, "{taken} taken, {} read", read.len());
                let bytes = server.read(&mut buffer).await.unwrap();
                assert!(bytes > 0);
                read.extend_from_slice(&buffer[..bytes]);
            }
            server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            read
        });
        assert_eq!(response.unwrap_or_else(|e| panic!("{e:?}")).status(), 200);
        assert!(request.starts_with(b"POST / HTTP/1.1\r\n") && request.ends_with(&body));
    })
    .await;
}

#[tokio::test]
async fn a_large_answer_waits_for_a_slow_reader() {
    guard(async {
        for chunked in [false, true] {
            let (socket, mut server) = connection().await;
            let body: Arc<[u8]> = (0..LARGE).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let written = Arc::new(AtomicU64::new(0));
            let writer = tokio::spawn({
                let (body, written) = (body.clone(), written.clone());
                async move {
                    let framing = if chunked {
                        "Transfer-Encoding: chunked".to_owned()
                    } else {
                        format!("Content-Length: {LARGE}")
                    };
                    server
                        .write_all(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n").as_bytes())
                        .await
                        .unwrap();
                    for piece in body.chunks(32 * 1024) {
                        if chunked {
                            server.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await.unwrap();
                        }
                        server.write_all(piece).await.unwrap();
                        if chunked {
                            server.write_all(b"\r\n").await.unwrap();
                        }
                        written.fetch_add(piece.len() as u64, Ordering::Relaxed);
                    }
                    if chunked {
                        server.write_all(b"0\r\n\r\n").await.unwrap();
                    }
                    server
                }
            });
            let response = send(socket, post(Bytes::new())).await.unwrap_or_else(|e| panic!("{e:?}"));
            let mut answer = response.into_body();
            let mut read = Vec::new();
            loop {
                settle().await;
                let written = written.load(Ordering::Relaxed);
                assert!(
                    written <= read.len() as u64 + HELD_BYTES_MAX,
                    "{written} written, {} read",
                    read.len()
                );
                let Some(frame) = answer.frame().await else { break };
                let data = frame.unwrap().into_data().unwrap();
                assert!(data.len() <= 64 * 1024);
                read.extend_from_slice(&data);
            }
            assert_eq!(read, body[..]);
            writer.await.unwrap();
        }
    })
    .await;
}
