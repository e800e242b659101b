//! The same behind TLS, where bytes wait in other places and ends look different.

use super::support::{HangUp, Peer, ask, guard, idle, is_replaced, pool, post, read, settle};
use super::{cancel, reuse, stale, unasked};
use bytes::Bytes;
use std::fmt::Write;

#[tokio::test]
async fn connections_are_reused_or_not_for_the_same_reasons() {
    guard(async {
        let peer = Peer::tls().await;
        reuse::check_kept(&peer).await;
        reuse::check_dropped(&peer).await;
    })
    .await;
}

#[tokio::test]
async fn what_nobody_asked_for_is_noticed() {
    guard(async { unasked::check_unasked(&Peer::tls().await).await }).await;
}

#[tokio::test]
async fn closed_connections_are_replaced() {
    guard(async {
        let peer = Peer::tls().await;
        for how in [Some(HangUp::Fin), Some(HangUp::Reset), None] {
            for seen in [true, false] {
                let pool = pool();
                let conn = idle(&pool, &peer).await;
                match how {
                    Some(how) => conn.hang_up(how),
                    None => conn.finish().await,
                }
                if seen {
                    settle().await;
                }
                is_replaced(&pool, &peer).await;
            }
            stale::check_closed_when_asked(&peer, how).await;
        }
    })
    .await;
}

#[tokio::test]
async fn dropping_closes() {
    guard(async {
        let peer = Peer::tls().await;
        cancel::check_dropped_request(&peer).await;
        cancel::check_dropped_body(&peer).await;
    })
    .await;
}

#[tokio::test]
async fn an_orderly_end_completes_a_body_without_a_length() {
    guard(async {
        let peer = Peer::tls().await;
        let pool = pool();
        let (got, ()) = tokio::join!(ask(&pool, &peer), async {
            let mut conn = peer.asked().await;
            conn.say("HTTP/1.1 200 OK\r\n\r\nall of it").await;
            conn.finish().await;
        });
        assert_eq!(got.unwrap().1, "all of it");
    })
    .await;
}

/// Larger than every buffer on the way, in both directions.
#[tokio::test]
async fn large_bodies_are_whole() {
    guard(async {
        let peer = Peer::tls().await;
        let body: Bytes = (0..8 << 20).map(|i: u32| u8::try_from(i % 251).unwrap()).collect();
        let pool = pool();
        for chunked in [false, true] {
            let asking = async { read(pool.send(&peer.endpoint, &|_| post(body.clone())).await?).await };
            let (got, request) = tokio::join!(asking, async {
                let mut conn = peer.accept().await;
                let request = conn.request().await;
                let mut head = "HTTP/1.1 200 OK\r\nConnection: close\r\n".to_owned();
                if chunked {
                    conn.say(head + "Transfer-Encoding: chunked\r\n\r\n").await;
                    for piece in body.chunks(77_777) {
                        conn.say(format!("{:x}\r\n", piece.len())).await;
                        conn.say(piece).await;
                        conn.say("\r\n").await;
                    }
                    conn.say("0\r\n\r\n").await;
                } else {
                    write!(head, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
                    conn.say(head).await;
                    conn.say(&body).await;
                }
                request
            });
            assert!(got.unwrap().1 == body, "the answer");
            assert!(request.ends_with(&body), "the request");
        }
    })
    .await;
}
