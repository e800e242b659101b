//! However an answer is cut into segments, it is the same answer.

use super::support::{Peer, answer, ask, guard, pool, send, settle};
use crate::h1::HeadReader;
use http::Method;
use http_body::Body;
use http_body_util::BodyExt;
use wellhead_http::http1::HEAD_BYTES_MAX;
use wellhead_types::Cause;

const ANSWERS: [(&str, &str); 5] = [
    ("HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello", "hello"),
    (
        "HTTP/1.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\nT: u\r\n\r\n",
        "hello",
    ),
    ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 0\r\n\r\n", ""),
    ("HTTP/1.0 200 OK\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello", "hello"),
    ("\r\nHTTP/1.1 200\r\nX-A:b\r\ncontent-length:5\r\n\r\nhello", "hello"),
];

#[tokio::test]
async fn in_one_segment_or_one_byte_each() {
    guard(async {
        let peer = Peer::clear().await;
        for (text, body) in ANSWERS {
            for piece in [text.len(), 1, 2, 7] {
                let pool = pool();
                let (response, ()) = tokio::join!(
                    async {
                        let response = send(&pool, &peer).await.unwrap();
                        assert_eq!(response.headers()["x-a"], "b");
                        assert!(!response.headers().contains_key("transfer-encoding"));
                        response.into_body().collect().await.unwrap().to_bytes()
                    },
                    async {
                        let mut conn = peer.asked().await;
                        for piece in text.as_bytes().chunks(piece) {
                            conn.say(piece).await;
                            // Each is read before the next is sent.
                            settle().await;
                        }
                    }
                );
                assert_eq!(response, body, "{text:?} in pieces of {piece}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_length_is_known_from_the_start() {
    guard(async {
        let peer = Peer::clear().await;
        let pool = pool();
        let (response, mut conn) = tokio::join!(send(&pool, &peer), async {
            let mut conn = peer.asked().await;
            conn.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel").await;
            conn
        });
        let mut body = response.unwrap().into_body();
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(10), false));
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hel");
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(7), false));
        conn.say("lo, you").await;
        let rest = body.collect().await.unwrap().to_bytes();
        assert_eq!(rest, "lo, you");
    })
    .await;
}

/// A piece is handed on when it comes, not when there is more.
#[tokio::test]
async fn each_piece_is_delivered_before_the_next_is_sent() {
    guard(async {
        let peer = Peer::clear().await;
        let pool = pool();
        let (response, mut conn) = tokio::join!(send(&pool, &peer), async {
            let mut conn = peer.asked().await;
            conn.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            conn
        });
        let mut body = response.unwrap().into_body();
        for i in 0..50 {
            let data = format!("data: {i}\n\n");
            conn.say(format!("{:x}\r\n{data}\r\n", data.len())).await;
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), data);
        }
        assert!(!body.is_end_stream());
        conn.say("0\r\n\r\n").await;
        assert!(body.frame().await.is_none());
        assert!(body.is_end_stream());
    })
    .await;
}

#[tokio::test]
async fn a_large_head_in_pieces() {
    guard(async {
        let peer = Peer::clear().await;
        let value = "v".repeat(1_200);
        let fields: String = (0..95).map(|i| format!("x-{i}: {value}\r\n")).collect();
        let text = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 4\r\n\r\ndone");
        assert!(text.len() > 110 * 1024 && text.len() < HEAD_BYTES_MAX);
        for piece in [text.len(), 10_000, 1_001] {
            let pool = pool();
            let (got, _conn) = tokio::join!(ask(&pool, &peer), async {
                let mut conn = peer.asked().await;
                for piece in text.as_bytes().chunks(piece) {
                    conn.say(piece).await;
                    tokio::task::yield_now().await;
                }
                conn
            });
            assert_eq!(got.unwrap().1, "done");
        }
    })
    .await;
}

#[tokio::test]
async fn a_head_without_end_is_refused_and_the_connection_closed() {
    guard(async {
        let peer = Peer::clear().await;
        for (start, more) in [
            ("HTTP/1.1 200 OK\r\nX: ", "aaaaaaaaaaaaaaaa"),
            ("", "\r\n\r\n\r\n\r\n"),
            ("HTTP/1.1 200 ", "OK OK OK "),
        ] {
            let pool = pool();
            let (got, sent) = tokio::join!(ask(&pool, &peer), async {
                let mut conn = peer.asked().await;
                conn.say(start).await;
                let more = more.repeat(64);
                let mut sent = 0;
                while tokio::io::AsyncWriteExt::write_all(&mut conn.io, more.as_bytes()).await.is_ok() {
                    sent += more.len();
                    tokio::task::yield_now().await;
                }
                sent
            });
            assert_eq!(got.unwrap_err().cause, Cause::ProtocolError, "{start:?}");
            assert!(sent >= HEAD_BYTES_MAX - 8 * 1024, "refused after {sent} bytes");
        }
    })
    .await;
}

/// Byte by byte, a head of the largest size: that must not cost the square of it, which would be minutes.
#[test]
fn a_dribbled_head_is_not_read_anew_for_each_byte() {
    let mut reader = HeadReader { method: Method::POST, partial: Vec::new(), interim: 0, unsent: None };
    let start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ";
    let text = format!("{start}{}\r\n\r\n", "a".repeat(HEAD_BYTES_MAX - start.len() - 4));
    let (last, before) = text.as_bytes().split_last().unwrap();
    for byte in before {
        assert!(reader.take(&[*byte]).unwrap().is_none());
    }
    assert_eq!(reader.take(&[*last]).unwrap().unwrap().head.bytes, HEAD_BYTES_MAX);
    // And one byte more is too many.
    let mut reader = HeadReader { method: Method::POST, partial: Vec::new(), interim: 0, unsent: None };
    let refused =
        "HTTP/1.1 200 ".bytes().chain(std::iter::repeat(b'a')).position(|byte| reader.take(&[byte]).is_err());
    assert_eq!(refused, Some(HEAD_BYTES_MAX - 1));
}

#[tokio::test]
async fn answers_of_http_1_0() {
    guard(async {
        let peer = Peer::clear().await;
        for (text, body) in [
            ("HTTP/1.0 200 OK\r\n\r\nhello", "hello"),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"),
            ("HTTP/1.0 404 Not Found\r\nConnection: close\r\n\r\n", ""),
            ("HTTP/1.0 204 No Content\r\n\r\n", ""),
        ] {
            let pool = pool();
            let (got, ()) = tokio::join!(ask(&pool, &peer), async {
                let mut conn = peer.asked().await;
                conn.say(text).await;
                conn.finish().await;
            });
            assert_eq!(got.unwrap().1, body, "{text:?}");
        }
        let pool = pool();
        let (got, ()) = tokio::join!(ask(&pool, &peer), async {
            let mut conn = peer.asked().await;
            conn.say("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").await;
            conn.closed().await;
        });
        assert_eq!(got.unwrap_err().cause, Cause::ProtocolError);
        // Several at once, each answered on its own connection.
        let (a, b, c, ()) = tokio::join!(ask(&pool, &peer), ask(&pool, &peer), ask(&pool, &peer), async {
            let mut conns = [peer.asked().await, peer.asked().await, peer.asked().await];
            for conn in conns.iter_mut().rev() {
                conn.say(answer("x")).await;
            }
        });
        assert_eq!([a.unwrap().1, b.unwrap().1, c.unwrap().1], ["x", "x", "x"]);
    })
    .await;
}
