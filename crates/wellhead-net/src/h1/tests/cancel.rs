//! Whoever does not want an answer any more closes its connection, at once: the target stops working on it.

use super::support::{Conn, Peer, guard, pool, post, send};
use crate::Pool;
use bytes::Bytes;
use http_body_util::BodyExt;

/// Runs the request until `stop` is done, and drops it.
async fn drop_when<T>(request: impl Future, stop: impl Future<Output = T>) -> T {
    tokio::select! {
        _ = request => panic!("there is no answer"),
        stopped = stop => stopped,
    }
}

async fn check_fresh(pool: &Pool, peer: &Peer, dropped: Conn) {
    dropped.closed().await;
    super::support::is_replaced(pool, peer).await;
}

pub(super) async fn check_dropped_request(peer: &Peer) {
    // While the target works on it, has begun a head, or has sent an interim answer.
    for said in ["", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let pool = pool();
        let conn = drop_when(send(&pool, peer), async {
            let mut conn = peer.asked().await;
            conn.say(said).await;
            conn
        })
        .await;
        check_fresh(&pool, peer, conn).await;
    }
    // While it is being sent.
    let pool = pool();
    let body = Bytes::from(vec![0; 48 << 20]);
    let build = |_| post(body.clone());
    let conn = drop_when(pool.send(&peer.endpoint, &build), async {
        let mut conn = peer.accept().await;
        tokio::io::AsyncReadExt::read_u8(&mut conn.io).await.unwrap();
        conn
    })
    .await;
    check_fresh(&pool, peer, conn).await;
    // On a connection that was idle.
    let idle = super::support::idle(&pool, peer).await;
    let conn = drop_when(send(&pool, peer), async {
        let (same, conn) = peer.asked_again(idle).await;
        assert!(same);
        conn
    })
    .await;
    check_fresh(&pool, peer, conn).await;
}

pub(super) async fn check_dropped_body(peer: &Peer) {
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        // Only the last chunk is missing.
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r",
        "HTTP/1.1 200 OK\r\n\r\nhello",
    ] {
        for frames in [0, 1] {
            let pool = pool();
            let (response, conn) = tokio::join!(send(&pool, peer), async {
                let mut conn = peer.asked().await;
                conn.say(text).await;
                conn
            });
            let mut body = response.unwrap().into_body();
            if frames > 0 && text.ends_with("hello") {
                assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hello");
            }
            drop(body);
            check_fresh(&pool, peer, conn).await;
        }
    }
}

#[tokio::test]
async fn dropping_the_request_closes_its_connection() {
    guard(async { check_dropped_request(&Peer::clear().await).await }).await;
}

#[tokio::test]
async fn dropping_the_body_closes_its_connection() {
    guard(async { check_dropped_body(&Peer::clear().await).await }).await;
}

/// While it waits for the target: the usual case of a caller that goes away within a stream.
#[tokio::test]
async fn dropping_a_body_that_is_being_read_closes_its_connection() {
    guard(async {
        let peer = Peer::clear().await;
        let pool = pool();
        let (response, mut conn) = tokio::join!(send(&pool, &peer), async {
            let mut conn = peer.asked().await;
            conn.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            conn
        });
        let reading = tokio::spawn(response.unwrap().into_body().collect());
        conn.say("5\r\nhello\r\n").await;
        super::support::settle().await;
        reading.abort();
        check_fresh(&pool, &peer, conn).await;
    })
    .await;
}

/// An answer that is complete was not cut off, whether anybody reads it or not.
#[tokio::test]
async fn dropping_a_body_that_is_complete_keeps_its_connection() {
    guard(async {
        let peer = Peer::clear().await;
        let pool = pool();
        let (response, conn) = tokio::join!(send(&pool, &peer), async {
            let mut conn = peer.asked().await;
            conn.say(super::support::answer("unread")).await;
            conn
        });
        drop(response.unwrap());
        let (got, (same, _conn)) = tokio::join!(super::support::ask(&pool, &peer), async {
            let (same, mut conn) = peer.asked_again(conn).await;
            conn.say(super::support::answer("second")).await;
            (same, conn)
        });
        assert_eq!((got.unwrap().1, same), ("second".into(), true));
    })
    .await;
}
