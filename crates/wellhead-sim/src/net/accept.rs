//! The listener and its connections.

use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::io::Io;
use super::{http1, http2};
use crate::core::Core;
use crate::options::CONNECTIONS_MAX;

/// What every HTTP/2 connection starts with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// A pause after a failed accept: the usual reason is a lack of file descriptors, which needs a moment.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// Accepts until `stop` says so; returns once every connection is closed.
pub(crate) async fn run(
    core: Arc<Core>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, _)) => {
                if connections.len() >= CONNECTIONS_MAX || core.refuses(Instant::now()) {
                    Io::Plain(socket).reset_on_close();
                    continue;
                }
                connections.spawn(connection(Arc::clone(&core), socket, tls.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "the simulator cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Waits for the end of the simulator; its owner being gone is one.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Serves one connection; at a stop it is reset, as the death of a process does to a peer that still sends.
async fn connection(
    core: Arc<Core>,
    socket: TcpStream,
    tls: Option<TlsAcceptor>,
    mut stop: watch::Receiver<bool>,
) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "the client left at once");
        return;
    }
    let _open = core.open();
    let number = core.next_connection();
    let mut io = match tls {
        None => Io::Plain(socket),
        Some(tls) => tokio::select! {
            stream = tls.accept(socket) => match stream {
                Ok(stream) => Io::Tls(Box::new(stream)),
                Err(error) => return tracing::debug!(%error, "a TLS handshake failed"),
            },
            () = stopped(&mut stop) => return,
        },
    };
    tokio::select! {
        biased;
        () = serve(&core, &mut io, number) => return,
        () = stopped(&mut stop) => {}
    }
    io.reset_on_close();
}

/// Finds out which protocol the client speaks and serves it.
async fn serve(core: &Arc<Core>, io: &mut Io, number: u64) {
    let mut buf = BytesMut::with_capacity(4096);
    loop {
        let known = buf.len().min(PREFACE.len());
        if buf.get(..known) != PREFACE.get(..known) {
            return http1::serve(core, io, &mut buf, number).await;
        }
        if known == PREFACE.len() {
            return http2::serve(core, io, buf, number).await;
        }
        match io.read_buf(&mut buf).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}
