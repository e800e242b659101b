//! Interim answers (RFC 9110 section 15.2).

use super::support::{HangUp, Peer, answer, ask, guard, pool};
use wellhead_types::Cause;

const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nContent-Length: 3\r\n\r\n";

#[tokio::test]
async fn they_are_skipped_however_they_come() {
    guard(async {
        let peer = Peer::clear().await;
        for interim in [
            vec![CONTINUE],
            vec![HINTS],
            vec!["HTTP/1.1 102 Processing\r\n\r\n", HINTS, HINTS, CONTINUE],
            vec!["HTTP/1.1 199 \r\n\r\n"],
            vec!["HTTP/1.0 100 Continue\r\n\r\n"],
        ] {
            let whole = interim.concat() + &answer("final");
            // In one piece, one head each, and one byte each.
            let pieces: Vec<&str> = whole.split_inclusive("\r\n\r\n").collect();
            let bytes: Vec<&str> = whole.split_inclusive(|_| true).collect();
            for pieces in [vec![&whole[..]], pieces, bytes] {
                let pool = pool();
                let (got, _conn) = tokio::join!(ask(&pool, &peer), async {
                    let mut conn = peer.asked().await;
                    for piece in pieces {
                        conn.say(piece).await;
                        tokio::task::yield_now().await;
                    }
                    conn
                });
                let (status, body) = got.unwrap();
                assert_eq!((status.as_u16(), &body[..]), (200, &b"final"[..]), "{interim:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn one_before_the_request_was_read_is_skipped_too() {
    guard(async {
        let peer = Peer::clear().await;
        let pool = pool();
        let (got, ()) = tokio::join!(ask(&pool, &peer), async {
            let mut conn = peer.accept().await;
            conn.say(CONTINUE).await;
            conn.request().await;
            conn.say(answer("final")).await;
        });
        assert_eq!(got.unwrap().1, "final");
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_is_refused() {
    guard(async {
        let peer = Peer::clear().await;
        let pool = pool();
        let (got, ()) = tokio::join!(ask(&pool, &peer), async {
            let mut conn = peer.asked().await;
            conn.say("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n").await;
            conn.closed().await;
        });
        let error = got.unwrap_err();
        assert_eq!(error.cause, Cause::ProtocolError);
        assert!(error.detail.contains("upgrade"), "{}", error.detail);
        assert!(peer.is_left_alone().await);
    })
    .await;
}

#[tokio::test]
async fn endless_ones_are_refused() {
    guard(async {
        let peer = Peer::clear().await;
        for together in [1, 5, 1_000] {
            let pool = pool();
            let (got, ()) = tokio::join!(ask(&pool, &peer), async {
                let mut conn = peer.asked().await;
                let many = CONTINUE.repeat(together);
                // Until the client has had enough.
                while tokio::io::AsyncWriteExt::write_all(&mut conn.io, many.as_bytes()).await.is_ok() {
                    tokio::task::yield_now().await;
                }
            });
            let error = got.unwrap_err();
            assert_eq!(error.cause, Cause::ProtocolError);
            assert!(error.detail.contains("interim"), "{}", error.detail);
        }
    })
    .await;
}

#[tokio::test]
async fn one_without_an_answer_behind_it_is_none() {
    guard(async {
        let peer = Peer::clear().await;
        for said in [CONTINUE, HINTS] {
            let pool = pool();
            let (got, ()) = tokio::join!(ask(&pool, &peer), async {
                let mut conn = peer.asked().await;
                conn.say(said).await;
                conn.hang_up(HangUp::Fin);
            });
            assert_eq!(got.unwrap_err().cause, Cause::ConnectionReset);
        }
    })
    .await;
}
