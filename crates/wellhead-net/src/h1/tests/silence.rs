//! Fresh connections that end without an answer: an error, and nobody is asked again.

use super::support::{HangUp, Peer, ask, guard, idle, pool, post};
use crate::OutBody;
use crate::body::{OnceBytes, Part};
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use wellhead_types::{Cause, Stage};

#[tokio::test]
async fn a_fresh_connection_that_closes_silently_is_an_error() {
    guard(async {
        let peer = Peer::clear().await;
        for how in [HangUp::Fin, HangUp::Reset] {
            for reads in [true, false] {
                let pool = pool();
                let built = AtomicU32::new(0);
                let build = |_| {
                    built.fetch_add(1, Ordering::Relaxed);
                    post(Bytes::from_static(b"question"))
                };
                let (got, ()) = tokio::join!(pool.send(&peer.endpoint, &build), async {
                    let mut conn = peer.accept().await;
                    if reads {
                        conn.request().await;
                    } else {
                        tokio::io::AsyncReadExt::read_u8(&mut conn.io).await.unwrap();
                    }
                    conn.hang_up(how);
                });
                let error = got.unwrap_err();
                // It may have been processed: the caller decides whether to ask elsewhere.
                assert_eq!(
                    (error.stage, error.cause, error.unprocessed),
                    (Stage::Headers, Cause::ConnectionReset, false)
                );
                assert_eq!(built.load(Ordering::Relaxed), 1);
                assert!(peer.is_left_alone().await);
            }
        }
    })
    .await;
}

/// A body of 8 MiB that is refused by closing: still an error about the connection, not a wait for an answer.
#[tokio::test]
async fn a_connection_that_closes_within_the_request_is_an_error() {
    guard(async {
        let peer = Peer::clear().await;
        for how in [HangUp::Fin, HangUp::Reset] {
            let pool = pool();
            let body = Bytes::from(vec![0; 8 << 20]);
            let build = |_| post(body.clone());
            let (got, ()) = tokio::join!(pool.send(&peer.endpoint, &build), async {
                let mut conn = peer.accept().await;
                tokio::io::AsyncReadExt::read_u8(&mut conn.io).await.unwrap();
                conn.hang_up(how);
            });
            assert_eq!(got.unwrap_err().cause, Cause::ConnectionReset);
            assert!(peer.is_left_alone().await);
        }
    })
    .await;
}

/// Bytes that are no answer of HTTP/1.1 end the connection, which stays open otherwise.
#[tokio::test]
async fn what_is_no_answer_is_refused_and_the_connection_closed() {
    guard(async {
        let peer = Peer::clear().await;
        for said in [
            "SSH-2.0-OpenSSH_9\r\n",
            "\u{15}\u{3}\u{3}\0\u{2}\u{2}(",
            "<html>",
            "HTTP/2.0 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
            "HTTP/1.1 099 x\r\n\r\n",
        ] {
            let pool = pool();
            let (got, ()) = tokio::join!(ask(&pool, &peer), async {
                let mut conn = peer.asked().await;
                conn.say(said).await;
                conn.closed().await;
            });
            let error = got.unwrap_err();
            assert_eq!((error.cause, error.unprocessed), (Cause::ProtocolError, false), "{said:?}");
            assert!(peer.is_left_alone().await, "{said:?}");
        }
    })
    .await;
}

/// A body that cannot be read to its end: the target waits for the rest, and its answer must not be waited for.
#[tokio::test]
async fn a_request_whose_own_body_fails_is_an_error_at_once() {
    guard(async {
        let peer = Peer::clear().await;
        let parts: Arc<[Part]> = Arc::new([Part::Kept(0..8)]);
        for idles in [false, true] {
            let pool = pool();
            let conn = if idles { Some(idle(&pool, &peer).await) } else { None };
            // Sent before, and not kept.
            let bytes = Arc::new(OnceBytes::new(Bytes::from_static(b"question")));
            OutBody::once(bytes.clone(), parts.clone()).collect().await.unwrap();
            let built = AtomicU32::new(0);
            let build = |_| {
                built.fetch_add(1, Ordering::Relaxed);
                Request::post("/").body(OutBody::once(bytes.clone(), parts.clone())).unwrap()
            };
            let (got, ()) = tokio::join!(pool.send(&peer.endpoint, &build), async {
                let conn = match conn {
                    Some(conn) => conn,
                    None => peer.accept().await,
                };
                assert_eq!(conn.closed().await, 0, "no request without its body");
            });
            let error = got.unwrap_err();
            assert_eq!((error.stage, error.cause), (Stage::Send, Cause::Internal));
            assert_eq!(built.load(Ordering::Relaxed), 1, "another connection cannot help");
            assert!(peer.is_left_alone().await);
        }
    })
    .await;
}

/// A connection that closed just then is no error, unless what was to be sent is gone with it.
#[tokio::test]
async fn what_can_be_sent_once_is_not_sent_twice() {
    guard(async {
        let peer = Peer::clear().await;
        let parts: Arc<[Part]> = Arc::new([Part::Kept(0..8)]);
        let pool = pool();
        let mut conn = idle(&pool, &peer).await;
        let bytes = Arc::new(OnceBytes::new(Bytes::from_static(b"question")));
        let built = AtomicU32::new(0);
        let build = |_| {
            built.fetch_add(1, Ordering::Relaxed);
            Request::post("/").body(OutBody::once(bytes.clone(), parts.clone())).unwrap()
        };
        let (got, ()) = tokio::join!(pool.send(&peer.endpoint, &build), async {
            assert!(conn.request().await.ends_with(b"question"));
            conn.hang_up(HangUp::Fin);
        });
        let error = got.unwrap_err();
        assert_eq!((error.stage, error.cause), (Stage::Headers, Cause::ConnectionReset));
        assert_eq!(built.load(Ordering::Relaxed), 1);
        assert!(peer.is_left_alone().await);
    })
    .await;
}
