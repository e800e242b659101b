//! Idle connections on which the target says something that nobody asked for. Taken for an answer it would be the answer
//! to the wrong request.

use super::support::{Peer, answer, ask, guard, idle, is_replaced, pool, settle};

const UNASKED: [&str; 4] = [
    "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen",
    "\r\n",
    "x",
];

pub(super) async fn check_unasked(peer: &Peer) {
    for said in UNASKED {
        for closes in [true, false] {
            let pool = pool();
            let mut conn = idle(&pool, peer).await;
            conn.say(said).await;
            let conn = if closes {
                conn.finish().await;
                None
            } else {
                Some(conn)
            };
            settle().await;
            is_replaced(&pool, peer).await;
            if let Some(conn) = conn {
                assert_eq!(conn.closed().await, 0, "{said:?}: nothing was asked there");
            }
        }
    }
}

#[tokio::test]
async fn a_connection_that_spoke_unasked_is_not_used_again() {
    guard(async { check_unasked(&Peer::clear().await).await }).await;
}

#[tokio::test]
async fn tidying_up_closes_it() {
    guard(async {
        let peer = Peer::clear().await;
        let pool = pool();
        let mut conn = idle(&pool, &peer).await;
        conn.say(UNASKED[0]).await;
        settle().await;
        pool.reap();
        assert_eq!(conn.closed().await, 0);
    })
    .await;
}

/// A server that times out many idle connections at once: none of its notices may become an answer, even when more have
/// to be thrown away than a task may read from in one go.
#[tokio::test]
async fn two_hundred_connections_that_spoke_unasked() {
    guard(async {
        const COUNT: usize = 200;
        let peer = Peer::clear().await;
        let pool = pool();
        let mut requests = Vec::new();
        for _ in 0..COUNT {
            requests.push(Box::pin(ask(&pool, &peer)));
        }
        let mut conns = Vec::new();
        let serve = async {
            for _ in 0..COUNT {
                conns.push(peer.asked().await);
            }
            for conn in &mut conns {
                conn.say(answer("first")).await;
            }
        };
        let ask_all = async {
            let mut open = requests;
            std::future::poll_fn(|cx| {
                open.retain_mut(|request| match request.as_mut().poll(cx) {
                    std::task::Poll::Ready(got) => {
                        assert_eq!(got.unwrap().1, "first");
                        false
                    }
                    std::task::Poll::Pending => true,
                });
                if open.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
        };
        tokio::join!(serve, ask_all);
        for conn in &mut conns {
            conn.say(UNASKED[0]).await;
        }
        settle().await;
        is_replaced(&pool, &peer).await;
        for conn in conns {
            assert_eq!(conn.closed().await, 0);
        }
    })
    .await;
}
