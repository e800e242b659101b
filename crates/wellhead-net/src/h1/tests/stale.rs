//! Idle connections that the target has closed, or closes just then.

use super::support::{HangUp, Peer, answer, ask, guard, idle, is_replaced, pool, post, read, settle};
use crate::OutBody;
use bytes::Bytes;
use http::Request;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use wellhead_types::{Cause, Stage};

/// What the pool takes for a connection that closed before it saw the request; slower than this is no such case.
const SOON: Duration = Duration::from_millis(100);

#[tokio::test]
async fn one_that_was_closed_is_not_asked() {
    guard(async {
        let peer = Peer::clear().await;
        for how in [HangUp::Fin, HangUp::Reset] {
            let pool = pool();
            idle(&pool, &peer).await.hang_up(how);
            settle().await;
            is_replaced(&pool, &peer).await;
        }
        // Half closed: it still reads, but will not answer.
        let pool = pool();
        let mut conn = idle(&pool, &peer).await;
        tokio::io::AsyncWriteExt::shutdown(&mut conn.io).await.unwrap();
        settle().await;
        let (closed, ()) = tokio::join!(conn.closed(), is_replaced(&pool, &peer));
        assert_eq!(closed, 0, "no byte of the request went there");
    })
    .await;
}

/// The client has had no occasion to see that it is closed.
#[tokio::test]
async fn one_that_closes_just_then_costs_no_error() {
    guard(async {
        let peer = Peer::clear().await;
        for how in [HangUp::Fin, HangUp::Reset] {
            for _ in 0..20 {
                let pool = pool();
                idle(&pool, &peer).await.hang_up(how);
                is_replaced(&pool, &peer).await;
            }
        }
    })
    .await;
}

/// The request reaches the target, which closes without a word: from here that is the same.
pub(super) async fn check_closed_when_asked(peer: &Peer, how: Option<HangUp>) {
    // A machine that stands still for longer than the window makes it another case; then again.
    for _ in 0..50 {
        let pool = pool();
        let mut conn = idle(&pool, peer).await;
        let built = AtomicU32::new(0);
        let start = Instant::now();
        let sent = async {
            let build = |_| {
                built.fetch_add(1, Ordering::Relaxed);
                post(Bytes::from_static(b"question"))
            };
            let response = pool.send(&peer.endpoint, &build).await;
            (response, start.elapsed())
        };
        let server = async {
            let request = conn.request().await;
            match how {
                Some(how) => conn.hang_up(how),
                None => conn.finish().await,
            }
            let mut fresh = peer.accept().await;
            assert_eq!(fresh.request().await, request, "the same question");
            fresh.say(answer("fresh")).await;
            std::future::pending::<()>().await;
        };
        let got = tokio::select! {
            got = sent => got,
            () = server => unreachable!("it waits for ever"),
        };
        match got {
            (Ok(response), _) => {
                assert_eq!(read(response).await.unwrap().1, "fresh");
                assert_eq!(built.load(Ordering::Relaxed), 2);
                return;
            }
            (Err(error), took) => assert!(took >= SOON, "{error:?} after {took:?}"),
        }
    }
    panic!("this machine is too slow for the case");
}

#[tokio::test]
async fn one_that_closes_when_it_is_asked_costs_no_error() {
    guard(async {
        let peer = Peer::clear().await;
        for how in [HangUp::Fin, HangUp::Reset] {
            check_closed_when_asked(&peer, Some(how)).await;
        }
    })
    .await;
}

/// Two idle connections, both dead, and a fresh one that fails as well: there is one replacement, and it is a fresh one.
#[tokio::test]
async fn it_is_replaced_once() {
    guard(async {
        let peer = Peer::clear().await;
        let pool = pool();
        let (a, b, conns) = tokio::join!(ask(&pool, &peer), ask(&pool, &peer), async {
            let mut conns = [peer.asked().await, peer.asked().await];
            for conn in &mut conns {
                conn.say(answer("x")).await;
            }
            conns
        });
        a.unwrap();
        b.unwrap();
        let left = std::cell::Cell::new(None);
        let built = AtomicU32::new(0);
        let count = |_| {
            built.fetch_add(1, Ordering::Relaxed);
            post(Bytes::from_static(b"question"))
        };
        let sent = pool.send(&peer.endpoint, &count);
        let server = async {
            let [mut first, mut second] = conns;
            // Whichever is asked says nothing, nor does the replacement.
            let other = tokio::select! {
                _ = first.request() => {
                    first.hang_up(HangUp::Fin);
                    second
                }
                _ = second.request() => {
                    second.hang_up(HangUp::Fin);
                    first
                }
            };
            left.set(Some(other));
            peer.asked().await.hang_up(HangUp::Fin);
            std::future::pending::<()>().await;
        };
        let got = tokio::select! {
            got = sent => got,
            () = server => unreachable!("it waits for ever"),
        };
        let error = got.unwrap_err();
        assert_eq!(
            (error.stage, error.cause, error.unprocessed),
            (Stage::Headers, Cause::ConnectionReset, false)
        );
        assert!(built.load(Ordering::Relaxed) <= 2);
        assert!(peer.is_left_alone().await, "not asked a third time");
        drop(pool);
        let other = left.take().unwrap();
        assert_eq!(other.closed().await, 0, "the other idle one was not tried");
    })
    .await;
}

/// Whoever worked on the request for a while and then closed may have done what it asks.
#[tokio::test]
async fn one_that_closes_later_is_not_replaced() {
    guard(async {
        let peer = Peer::clear().await;
        let pool = pool();
        let mut conn = idle(&pool, &peer).await;
        let (got, ()) = tokio::join!(ask(&pool, &peer), async {
            conn.request().await;
            // The case itself is that time passes; more of it changes nothing.
            tokio::time::sleep(SOON * 2).await;
            conn.hang_up(HangUp::Fin);
        });
        let error = got.unwrap_err();
        assert_eq!(
            (error.stage, error.cause, error.unprocessed),
            (Stage::Headers, Cause::ConnectionReset, false)
        );
        assert!(peer.is_left_alone().await);
    })
    .await;
}

/// A byte of an answer proves that the request was seen.
#[tokio::test]
async fn one_that_began_to_answer_is_not_replaced() {
    guard(async {
        let peer = Peer::clear().await;
        for said in
            ["H", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nX: y\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "\r\n"]
        {
            let pool = pool();
            let mut conn = idle(&pool, &peer).await;
            let (got, ()) = tokio::join!(ask(&pool, &peer), async {
                conn.request().await;
                conn.say(said).await;
                conn.hang_up(HangUp::Fin);
            });
            assert_eq!(got.unwrap_err().cause, Cause::ConnectionReset, "{said:?}");
            assert!(peer.is_left_alone().await, "{said:?}");
        }
    })
    .await;
}

/// What could not be written is written again, from its beginning.
#[tokio::test]
async fn a_large_request_is_whole_on_the_connection_that_replaces() {
    guard(async {
        let peer = Peer::clear().await;
        let body: Bytes = (0..8_u32 << 20).map(|i| u8::try_from(i % 251).unwrap()).collect();
        for how in [HangUp::Fin, HangUp::Reset] {
            let pool = pool();
            // Closed with bytes unread, which resets; no time passes that the pool could notice.
            idle(&pool, &peer).await.hang_up(how);
            let build = |_| Request::post("/").body(OutBody::full(body.clone())).unwrap();
            let (got, request) =
                tokio::join!(async { read(pool.send(&peer.endpoint, &build).await?).await }, async {
                    let mut conn = peer.accept().await;
                    let request = conn.request().await;
                    conn.say(answer("whole")).await;
                    request
                });
            assert_eq!(got.unwrap().1, "whole");
            assert!(request.ends_with(&body) && request.len() < body.len() + 200);
        }
    })
    .await;
}
