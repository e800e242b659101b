//! Listening sockets: one per worker with `SO_REUSEPORT`, after making sure that nobody else has the port.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener};

/// Connections that the kernel may hold for a worker that is busy for a moment.
const BACKLOG: i32 = 4096;

/// `count` listeners on one address, for one worker each. A second gateway on the same port fails here, loudly:
/// the first bind is without `SO_REUSEPORT`. Port 0 picks a free one, the same for all.
pub fn bind_all(address: SocketAddr, count: usize) -> io::Result<Vec<TcpListener>> {
    if count <= 1 {
        return Ok(vec![bind(address, false)?]);
    }
    let found = {
        let probe = socket(address, false)?;
        probe.bind(&address.into())?;
        probe.local_addr()?.as_socket().ok_or_else(|| io::Error::other("listener without an address"))?
    };
    (0..count).map(|_| bind(found, true)).collect()
}

/// One listener.
pub fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    bind(address, false)
}

fn bind(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = socket(address, shared)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn socket(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of the process before may linger in TIME_WAIT; they must not keep its successor from starting.
    socket.set_reuse_address(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// What every connection gets. Tokens are small writes: without `TCP_NODELAY` each waits for the acknowledgement of the
/// one before. A peer that vanished without a word is noticed by keep-alive probes, one that takes nothing any more by
/// the limit on unacknowledged data (RFC 5482).
pub(crate) fn tune(stream: &tokio::net::TcpStream, silent_max: std::time::Duration) {
    let socket = socket2::SockRef::from(stream);
    let keepalive = socket2::TcpKeepalive::new().with_time(silent_max).with_interval(silent_max / 3);
    for (what, outcome) in [
        ("TCP_NODELAY", socket.set_tcp_nodelay(true)),
        ("TCP_USER_TIMEOUT", socket.set_tcp_user_timeout(Some(silent_max))),
        ("SO_KEEPALIVE", socket.set_tcp_keepalive(&keepalive)),
    ] {
        if let Err(error) = outcome {
            tracing::debug!(%error, what, "a socket option could not be set");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{bind_all, bind_one};

    #[test]
    fn a_second_gateway_on_the_same_port_fails() -> std::io::Result<()> {
        let first = bind_all("127.0.0.1:0".parse().map_err(std::io::Error::other)?, 3)?;
        let address = first[0].local_addr()?;
        assert!(first.iter().all(|l| l.local_addr().is_ok_and(|a| a == address)));
        for outcome in [bind_all(address, 2).map(drop), bind_one(address).map(drop)] {
            assert_eq!(outcome.map_err(|e| e.kind()), Err(std::io::ErrorKind::AddrInUse));
        }
        Ok(())
    }
}
