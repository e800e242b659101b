//! Who may ask the admin listener for what.
//!
//! Probes answer to everybody: they say yes or no. Status and metrics answer without a token to the same machine only.
//! Everything under `/api` wants the token. All but probes want a `Host` that a rebound DNS name cannot fake, so that a
//! web page in somebody's browser reaches nothing here. There is no CORS.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Admin;
use super::problem::Problem;
use super::server::Peer;

/// What it takes to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Nothing.
    Nothing,
    /// An honest `Host`.
    Host,
    /// An honest `Host`, and being on this machine or having the token.
    LocalOrToken,
    /// An honest `Host` and the token.
    Token,
}

fn need(path: &str) -> Need {
    match path {
        "/livez" | "/readyz" | "/healthz" => Need::Nothing,
        "/status" | "/metrics" => Need::LocalOrToken,
        "/api/v1/openapi.json" => Need::Host,
        // Unknown paths below /api too: whoever has no token learns nothing about what is there.
        _ if path.starts_with("/api") => Need::Token,
        _ => Need::Host,
    }
}

/// Lets a request through, or answers 400, 401 or 421.
pub(super) async fn admit(
    State(admin): State<Arc<Admin>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let need = need(request.uri().path());
    if need == Need::Nothing {
        return next.run(request).await;
    }
    if !host_is_honest(&request, &admin.hosts) {
        let detail = "the Host header names neither an IP address, nor localhost, nor a host that was allowed with \
                      --admin-host";
        return Problem::new(StatusCode::MISDIRECTED_REQUEST, "host-not-allowed", detail).into_response();
    }
    let open = is_open(need, peer.ip(), has_token(request.headers(), &admin));
    if open {
        return next.run(request).await;
    }
    let detail =
        "send `Authorization: Bearer TOKEN`; the token is in the file admin-token of the data directory";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"wellhead\""))
        .into_response()
}

/// Whether somebody at that address, with or without the token, may ask for it.
fn is_open(need: Need, peer: IpAddr, has_token: bool) -> bool {
    match need {
        Need::Nothing | Need::Host => true,
        // An IPv4 address in IPv6 clothes counts as what it is.
        Need::LocalOrToken => has_token || peer.to_canonical().is_loopback(),
        Need::Token => has_token,
    }
}

fn has_token(headers: &HeaderMap, admin: &Admin) -> bool {
    let given = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).and_then(|value| {
        let (scheme, token) = value.split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
    });
    // Constant time in the content; the length of a random token is no secret.
    given.is_some_and(|token| {
        aws_lc_rs::constant_time::verify_slices_are_equal(token, admin.token.expose().as_bytes()).is_ok()
    })
}

/// A page under a rebound name sends that name as `Host`; an address or `localhost` cannot be rebound.
fn host_is_honest(request: &Request, allowed: &[String]) -> bool {
    let in_target = request.uri().authority().map(|authority| authority.as_str());
    let mut in_headers = request.headers().get_all(header::HOST).iter();
    let in_header = in_headers.next().map(|value| value.to_str());
    if in_headers.next().is_some() {
        return false;
    }
    let host = match (in_target, in_header) {
        (Some(target), None) => target,
        (None, Some(Ok(header))) => header,
        (Some(target), Some(Ok(header))) if target.eq_ignore_ascii_case(header) => target,
        _ => return false,
    };
    let Some(host) = host_without_port(host) else { return false };
    let host = host.to_ascii_lowercase();
    host == "localhost" || host.parse::<IpAddr>().is_ok() || allowed.contains(&host)
}

fn host_without_port(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.find(':').map_or((authority, ""), |at| authority.split_at(at)),
    };
    let port_is_fine = port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.parse::<u16>().is_ok());
    port_is_fine.then_some(host)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{Need, host_is_honest, is_open, need};
    use axum::body::Body;
    use axum::extract::Request;

    fn honest(hosts: &[&str]) -> bool {
        let request = hosts.iter().fold(Request::builder().uri("/status"), |r, host| r.header("host", *host));
        host_is_honest(&request.body(Body::empty()).unwrap(), &["gateway.internal".to_owned()])
    }

    #[test]
    fn only_names_that_cannot_be_rebound_are_honest() {
        for host in [
            "127.0.0.1:4001",
            "127.0.0.1",
            "[::1]:4001",
            "localhost:4001",
            "LOCALHOST",
            "10.1.2.3:4001",
            "gateway.internal:80",
            "Gateway.Internal",
        ] {
            assert!(honest(&[host]), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
            "a@127.0.0.1",
            "127.0.0.1:80:80",
            "127.0.0.1:x",
            "[::1",
            "[::1]x",
            "127.0.0.1/x",
            "localhost?x",
        ] {
            assert!(!honest(&[host]), "{host}");
        }
        assert!(!honest(&[]));
        assert!(!honest(&["localhost", "localhost"]));
    }

    #[test]
    fn other_machines_need_the_token_for_status_and_everybody_for_the_api() {
        for (peer, local) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("2001:db8::1", false),
        ] {
            let peer = peer.parse().unwrap();
            assert_eq!(is_open(Need::LocalOrToken, peer, false), local, "{peer}");
            assert!(is_open(Need::LocalOrToken, peer, true) && is_open(Need::Token, peer, true));
            assert!(!is_open(Need::Token, peer, false), "{peer}");
        }
    }

    #[test]
    fn the_api_wants_the_token_known_path_or_not() {
        for path in ["/api/v1/apps", "/api", "/api/v2/whatever", "/api/v1/openapi.json/x", "/apix"] {
            assert_eq!(need(path), Need::Token, "{path}");
        }
        assert_eq!(need("/status"), Need::LocalOrToken);
        assert_eq!(need("/livez"), Need::Nothing);
        assert_eq!(need("/livez/"), Need::Host);
    }
}
