//! Which connections are used again, and which are not.

use super::support::{Peer, answer, ask, ask_by, guard, pool, read, send, settle};
use crate::{Connector, Pool, PoolLimits};
use http::Method;
use std::time::Duration;

/// Answers after which the connection is used again, and their bodies.
const KEPT: [(&str, &str); 14] = [
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", "ok"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
    ("HTTP/1.1 500 x\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nno", "no"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "ok"),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\no\r\n1 \r\nk\r\n0;c\r\nX: y\r\n\r\n",
        "ok",
    ),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""),
    ("HTTP/1.1 204 No Content\r\n\r\n", ""),
    ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", ""),
    ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"),
    (
        "HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "ok",
    ),
    ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", "ok"),
    ("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1, max=1\r\nContent-Length: 2\r\n\r\nok", "ok"),
    ("HTTP/1.1 200 \r\nConnection: close-not\r\nContent-Length: 2\r\n\r\nok", "ok"),
];

/// Answers after which the client closes by itself, and their bodies.
const DROPPED: [(&str, &str); 16] = [
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", "ok"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close, keep-alive\r\n\r\nok", "ok"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x, CLOSE\r\n\r\nok", "ok"),
    ("HTTP/1.1 200 OK\r\nConnection: close\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", "ok"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n", "ok"),
    ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"),
    ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=5\r\n\r\nok", "ok"),
    // More than the answer: the rest would be taken for the next one.
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!", "ok"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n", "ok"),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nstolen!",
        "ok",
    ),
    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nstolen!", ""),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n0\r\n\r\n", "ok"),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nstolen!",
        "",
    ),
    ("HTTP/1.1 204 No Content\r\n\r\nok", ""),
    ("HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok", ""),
    ("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", ""),
];

pub(super) async fn check_kept(peer: &Peer) {
    for (text, body) in KEPT {
        let pool = pool();
        let (got, conn) = tokio::join!(ask(&pool, peer), async {
            let mut conn = peer.asked().await;
            conn.say(text).await;
            conn
        });
        assert_eq!(got.unwrap().1, body, "{text:?}");
        let (got, (same, _conn)) = tokio::join!(ask(&pool, peer), async {
            let (same, mut conn) = peer.asked_again(conn).await;
            conn.say(answer("second")).await;
            (same, conn)
        });
        assert_eq!((got.unwrap().1, same), ("second".into(), true), "{text:?}");
    }
}

pub(super) async fn check_dropped(peer: &Peer) {
    for (text, body) in DROPPED {
        let pool = pool();
        let (got, ()) = tokio::join!(ask(&pool, peer), async {
            let mut conn = peer.asked().await;
            conn.say(text).await;
            conn.closed().await;
        });
        assert_eq!(got.unwrap().1, body, "{text:?}");
        let (got, _conn) = tokio::join!(ask(&pool, peer), async {
            let mut conn = peer.asked().await;
            conn.say(answer("second")).await;
            conn
        });
        assert_eq!(got.unwrap().1, "second", "{text:?}");
    }
}

#[tokio::test]
async fn a_complete_answer_leaves_the_connection_for_the_next() {
    guard(async { check_kept(&Peer::clear().await).await }).await;
}

#[tokio::test]
async fn an_answer_that_leaves_doubts_takes_the_connection_with_it() {
    guard(async { check_dropped(&Peer::clear().await).await }).await;
}

/// The head and the rest come apart, so that the surplus is met while the body is read.
#[tokio::test]
async fn surplus_behind_a_body_that_comes_later() {
    guard(async {
        let peer = Peer::clear().await;
        for (start, rest) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok", "okHTTP/1.1 200 OK\r\n\r\n"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nok",
                "ok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            ),
        ] {
            let pool = pool();
            let (head, mut conn) = tokio::join!(send(&pool, &peer), async {
                let mut conn = peer.asked().await;
                conn.say(start).await;
                conn
            });
            let (got, ()) = tokio::join!(read(head.unwrap()), async {
                conn.say(rest).await;
                conn.closed().await;
            });
            assert_eq!(got.unwrap().1, "okok");
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_to_head_has_no_body_and_leaves_the_connection() {
    guard(async {
        let peer = Peer::clear().await;
        for fields in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
            let pool = pool();
            let (got, conn) = tokio::join!(ask_by(&pool, &peer, &Method::HEAD), async {
                let mut conn = peer.asked().await;
                conn.say(format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).await;
                conn
            });
            assert_eq!(got.unwrap().1, "");
            let (got, (same, _conn)) = tokio::join!(ask(&pool, &peer), async {
                let (same, mut conn) = peer.asked_again(conn).await;
                conn.say(answer("second")).await;
                (same, conn)
            });
            assert_eq!((got.unwrap().1, same), ("second".into(), true));
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_that_the_close_ends_is_whole_and_the_connection_gone() {
    guard(async {
        let peer = Peer::clear().await;
        for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"] {
            for body in ["", "all of it\r\n0\r\n\r\n"] {
                let pool = pool();
                let (got, ()) = tokio::join!(ask(&pool, &peer), async {
                    let mut conn = peer.asked().await;
                    conn.say(format!("{head}{body}")).await;
                    conn.finish().await;
                });
                assert_eq!(got.unwrap().1, body, "{head:?}");
                super::support::is_replaced(&pool, &peer).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn no_more_connections_are_kept_than_allowed() {
    guard(async {
        let peer = Peer::clear().await;
        let pool =
            Pool::new(Connector::default(), PoolLimits { idle_per_endpoint_max: 1, ..PoolLimits::default() });
        let (a, b, [first, second]) = tokio::join!(ask(&pool, &peer), ask(&pool, &peer), async {
            let mut conns = [peer.asked().await, peer.asked().await];
            for conn in &mut conns {
                conn.say(answer("x")).await;
            }
            conns
        });
        assert_eq!((a.unwrap().1, b.unwrap().1), ("x".into(), "x".into()));
        // One of the two is closed, the other one asked again.
        let (got, ()) = tokio::join!(ask(&pool, &peer), async {
            let (mut first, mut second) = (first, second);
            let (a, b) = tokio::join!(first.try_request(), async { second.try_request().await });
            assert!(a.is_some() != b.is_some());
            let mut asked = if a.is_some() { first } else { second };
            asked.say(answer("second")).await;
        });
        assert_eq!(got.unwrap().1, "second");
        assert!(peer.is_left_alone().await);
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_was_idle_for_too_long_is_closed() {
    guard(async {
        let peer = Peer::clear().await;
        let limits = PoolLimits { idle_max: Duration::ZERO, ..PoolLimits::default() };
        let pool = Pool::new(Connector::default(), limits);
        let conn = super::support::idle(&pool, &peer).await;
        let (got, (same, _conn)) = tokio::join!(ask(&pool, &peer), async {
            let (same, mut conn) = peer.asked_again(conn).await;
            conn.say(answer("second")).await;
            (same, conn)
        });
        assert_eq!((got.unwrap().1, same), ("second".into(), false));
        // And without a request when the worker tidies up.
        let conn = super::support::idle(&pool, &peer).await;
        pool.reap();
        assert_eq!(conn.closed().await, 0);
    })
    .await;
}

#[tokio::test]
async fn tidying_up_keeps_what_is_good_and_closes_what_the_target_closed() {
    guard(async {
        let peer = Peer::clear().await;
        let pool = pool();
        let conn = super::support::idle(&pool, &peer).await;
        pool.reap();
        let (got, (same, mut conn)) = tokio::join!(ask(&pool, &peer), async {
            let (same, mut conn) = peer.asked_again(conn).await;
            conn.say(answer("second")).await;
            (same, conn)
        });
        assert_eq!((got.unwrap().1, same), ("second".into(), true));
        tokio::io::AsyncWriteExt::shutdown(&mut conn.io).await.unwrap();
        settle().await;
        pool.reap();
        assert_eq!(conn.closed().await, 0);
    })
    .await;
}
