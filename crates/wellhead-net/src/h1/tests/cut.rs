//! Answers that break off: never a complete body, wherever the cut is.

use super::support::{HangUp, Peer, guard, pool, send};
use http_body::Body;
use http_body_util::BodyExt;
use wellhead_types::{Cause, Stage};

const WITH_LENGTH: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello world";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=\"b\"\r\n world\r\n0\r\nX: y\r\n\r\n";
const BODY: &[u8] = b"hello world";

/// The answer up to `end`, and then the end of the connection.
pub(super) async fn check_cut(peer: &Peer, text: &str, end: usize, how: Option<HangUp>) {
    let pool = pool();
    let (got, ()) = tokio::join!(
        async {
            let mut response = send(&pool, peer).await?;
            let mut read = Vec::new();
            let error = loop {
                assert!(!response.body().is_end_stream(), "{end}: complete after {read:?}");
                match response.frame().await {
                    Some(Ok(frame)) => read.extend_from_slice(&frame.into_data().unwrap()),
                    Some(Err(error)) => break error,
                    None => panic!("{end}: complete after {read:?}"),
                }
            };
            assert!(BODY.starts_with(&read), "{end}: {read:?}");
            // Whoever goes on reading does not come to another conclusion.
            assert!(response.frame().await.is_none_or(|frame| frame.is_err()));
            assert!(!response.body().is_end_stream());
            assert_eq!((error.stage, error.cause), (Stage::Stream, Cause::ResponseIncomplete), "{end}");
            Err(error)
        },
        async {
            let mut conn = peer.asked().await;
            conn.say(&text[..end]).await;
            match how {
                Some(how) => conn.hang_up(how),
                None => conn.finish().await,
            }
        }
    );
    let _: std::convert::Infallible = match got {
        Ok(never) => never,
        Err(error) => {
            let head = text.find("\r\n\r\n").unwrap() + 4;
            // A reset may overtake what came before it.
            assert!(
                how == Some(HangUp::Reset) || (error.stage == Stage::Headers) == (end < head),
                "{end}: {error:?}"
            );
            assert!(!error.unprocessed);
            return;
        }
    };
}

#[tokio::test]
async fn an_answer_with_a_length_cut_anywhere_is_an_error() {
    guard(async {
        let peer = Peer::clear().await;
        for end in 0..WITH_LENGTH.len() {
            check_cut(&peer, WITH_LENGTH, end, Some(HangUp::Fin)).await;
            check_cut(&peer, WITH_LENGTH, end, Some(HangUp::Reset)).await;
        }
        assert!(peer.is_left_alone().await);
    })
    .await;
}

#[tokio::test]
async fn a_chunked_answer_cut_anywhere_is_an_error() {
    guard(async {
        let peer = Peer::clear().await;
        for end in 0..CHUNKED.len() {
            check_cut(&peer, CHUNKED, end, Some(HangUp::Fin)).await;
            check_cut(&peer, CHUNKED, end, Some(HangUp::Reset)).await;
        }
        assert!(peer.is_left_alone().await);
    })
    .await;
}

/// Behind TLS the close without a word, and the orderly one, which proves nothing about the answer.
#[tokio::test]
async fn behind_tls_as_well() {
    guard(async {
        let peer = Peer::tls().await;
        for text in [WITH_LENGTH, CHUNKED] {
            for end in (0..text.len()).step_by(7).chain([text.len() - 2, text.len() - 1]) {
                check_cut(&peer, text, end, Some(HangUp::Fin)).await;
                check_cut(&peer, text, end, None).await;
            }
        }
    })
    .await;
}

/// The end of the connection is the end of these bodies only if it is an orderly one.
#[tokio::test]
async fn a_reset_is_no_end_of_a_body_without_a_length() {
    guard(async {
        let peer = Peer::clear().await;
        for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n"] {
            let text = format!("{head}hello");
            // The head must have been read, or there is no body yet.
            let pool = pool();
            let (response, mut conn) = tokio::join!(send(&pool, &peer), async {
                let mut conn = peer.asked().await;
                conn.say(&text).await;
                conn
            });
            let mut body = response.unwrap().into_body();
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hello");
            conn.say(" wor").await;
            conn.hang_up(HangUp::Reset);
            let error = loop {
                match body.frame().await.expect("complete") {
                    Ok(frame) => assert_eq!(frame.into_data().unwrap(), " wor"),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.cause, Cause::ResponseIncomplete);
        }
        // Behind TLS whoever cuts the connection could cut the answer (RFC 8446 section 6.1).
        let peer = Peer::tls().await;
        check_cut(&peer, "HTTP/1.1 200 OK\r\n\r\nhello", 24, Some(HangUp::Fin)).await;
    })
    .await;
}

/// A chunk that is none: what came before is delivered, then the error, and the connection is closed.
#[tokio::test]
async fn a_broken_chunk_ends_the_body_with_an_error() {
    guard(async {
        let peer = Peer::clear().await;
        for broken in ["zz\r\n", "5\nhello", "10000000000000000\r\n", "3\r\nabcd\r\n", "0\r\n\n"] {
            let pool = pool();
            let (response, mut conn) = tokio::join!(send(&pool, &peer), async {
                let mut conn = peer.asked().await;
                conn.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
                conn
            });
            let mut body = response.unwrap().into_body();
            let (error, ()) = tokio::join!(
                async {
                    let mut read = Vec::new();
                    loop {
                        match body.frame().await.expect("complete") {
                            Ok(frame) => read.extend_from_slice(&frame.into_data().unwrap()),
                            Err(error) => {
                                assert!(read.starts_with(b"hello"), "{read:?}");
                                break error;
                            }
                        }
                    }
                },
                async {
                    conn.say(format!("5\r\nhello\r\n{broken}")).await;
                    conn.closed().await;
                }
            );
            assert_eq!(error.cause, Cause::ProtocolError, "{broken:?}");
            assert!(body.frame().await.is_none_or(|frame| frame.is_err()) && !body.is_end_stream());
        }
    })
    .await;
}
