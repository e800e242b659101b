//! `host:port` to listen on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::{Value as Json, json};

use super::{Leaf, Problem};
use crate::read::Written;

/// An IP address and a port. `localhost` is read as 127.0.0.1; other names would need a resolver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address(pub SocketAddr);

impl Leaf for Address {
    const WRITTEN: Written = Written::Text;

    fn expected() -> String {
        "an IP address and a port, such as 127.0.0.1:4000 or [::1]:4000".to_owned()
    }

    fn hint(text: &str) -> Option<String> {
        text.parse::<u16>().ok().map(|port| format!("127.0.0.1:{port}"))
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self(address));
        }
        if let Some(port) = text.strip_prefix("localhost:").and_then(|port| port.parse::<u16>().ok()) {
            return Ok(Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)));
        }
        if text.contains("://") {
            return Err(Problem::new("is a URL").suggest(text.split("://").nth(1).map(str::to_owned)));
        }
        if let Some(port) = text.strip_prefix(['*', ':']).map(|rest| rest.trim_start_matches(':')) {
            let suggestion = port.parse::<u16>().ok().map(|port| format!("0.0.0.0:{port}"));
            return Err(Problem::new("names no address").suggest(suggestion));
        }
        if text.parse::<IpAddr>().is_ok() {
            return Err(Problem::new("has no port"));
        }
        match text.rsplit_once(':') {
            Some((_, port)) if port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_err() => {
                Err(Problem::new("has a port that does not exist").expected("a port from 1 to 65535"))
            }
            _ => Err(Problem::new("is not an address")),
        }
    }

    fn to_json(&self) -> Json {
        json!(self.0.to_string())
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "examples": ["127.0.0.1:4000", "[::1]:4000"] })
    }
}
