//! Answers that come before the request has been read.

use super::support::{Conn, Peer, answer, ask, guard, pool, post, read};
use crate::OutBody;
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;

/// More than any kernel holds for a connection.
const LARGE: usize = 48 << 20;

/// Reads the head of the request and no more than came with it.
async fn head(peer: &Peer) -> Conn {
    let mut conn = peer.accept().await;
    tokio::io::AsyncReadExt::read_u8(&mut conn.io).await.unwrap();
    conn
}

#[tokio::test]
async fn an_answer_is_read_though_the_request_is_not() {
    guard(async {
        let peer = Peer::clear().await;
        let body = Bytes::from(vec![7; LARGE]);
        for text in [
            "HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n\r\ntoo large",
            "HTTP/1.1 413 Content Too Large\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ntoo large\r\n0\r\n\r\n",
            "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 9\r\n\r\ntoo large",
        ] {
            let pool = pool();
            let (got, received) = tokio::join!(
                async { read(pool.send(&peer.endpoint, &|_| post(body.clone())).await?).await },
                async {
                    let mut conn = head(&peer).await;
                    conn.say(text).await;
                    // The client gives up the rest: it must not be taken for the next request.
                    conn.closed().await
                }
            );
            let (status, said) = got.unwrap();
            assert_eq!((status.as_u16(), &said[..]), (413, &b"too large"[..]));
            assert!(received < LARGE, "{received} bytes");
            super::support::is_replaced(&pool, &peer).await;
        }
    })
    .await;
}

/// The server closes with the request unread, which resets the connection under the client's feet. What it said before is
/// still the answer.
#[tokio::test]
async fn an_answer_before_the_connection_broke_is_read() {
    guard(async {
        let peer = Peer::clear().await;
        let body = Bytes::from(vec![7; LARGE]);
        let pool = pool();
        let (got, ()) = tokio::join!(
            async {
                let response = pool.send(&peer.endpoint, &|_| post(body.clone())).await?;
                read(response).await
            },
            async {
                let mut conn = head(&peer).await;
                conn.say("HTTP/1.1 413 x\r\nContent-Length: 9\r\n\r\ntoo large").await;
                drop(conn);
            }
        );
        assert_eq!(got.unwrap().0.as_u16(), 413);
        super::support::is_replaced(&pool, &peer).await;
    })
    .await;
}

/// An answer that streams while the request is still being sent: both get through, and then the connection is as good as
/// any.
#[tokio::test]
async fn the_rest_is_sent_while_the_answer_is_read() {
    for tls in [false, true] {
        guard(async {
            let peer = Peer::either(tls).await;
            let body: Bytes = (0..LARGE).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let pool = pool();
            let build = |_| Request::post("/").body(OutBody::full(body.clone())).unwrap();
            let (response, mut conn) = tokio::join!(pool.send(&peer.endpoint, &build), async {
                let mut conn = peer.accept().await;
                conn.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n").await;
                conn
            });
            let mut response = response.unwrap();
            assert_eq!(response.frame().await.unwrap().unwrap().into_data().unwrap(), "early");
            let (rest, (request, conn)) = tokio::join!(response.into_body().collect(), async {
                let request = conn.request().await;
                conn.say("4\r\nlate\r\n0\r\n\r\n").await;
                (request, conn)
            });
            assert_eq!(rest.unwrap().to_bytes(), "late");
            assert!(request.ends_with(&body));
            let (got, (same, _conn)) = tokio::join!(ask(&pool, &peer), async {
                let (same, mut conn) = peer.asked_again(conn).await;
                conn.say(answer("second")).await;
                (same, conn)
            });
            assert_eq!((got.unwrap().1, same), ("second".into(), true));
        })
        .await;
    }
}
