//! A request as the endpoints see it, whatever protocol carried it.

use bytes::Bytes;

/// A request that was read whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    /// `HTTP/1.1`, `HTTP/1.0` or `HTTP/2`.
    pub(crate) version: &'static str,
    /// In the order and the spelling in which they came.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// Numbers the connections of this simulator.
    pub(crate) connection: u64,
}

impl Request {
    /// The first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    /// The API key, from whichever header carries it.
    pub(crate) fn key(&self) -> Option<&str> {
        let bearer = self.header("authorization").and_then(|value| {
            let (scheme, key) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
        });
        bearer.or_else(|| self.header("api-key")).or_else(|| self.header("x-api-key"))
    }

    /// Does the client understand gzip?
    pub(crate) fn accepts_gzip(&self) -> bool {
        self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("accept-encoding")).any(
            |(_, value)| {
                value.split(',').any(|coding| {
                    let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
                    let refused = matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
                    matches!(name.trim(), "gzip" | "*") && !refused
                })
            },
        )
    }

    /// Splits a request target into path and query.
    pub(crate) fn set_target(&mut self, target: &str) {
        // Absolute form, as a proxy would send it: the path starts behind the authority.
        let origin = match target.split_once("://") {
            Some((_, rest)) if !target.starts_with('/') => {
                rest.find(['/', '?']).map_or("/", |at| &rest[at..])
            }
            _ => target,
        };
        let (path, query) = match origin.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (origin, None),
        };
        path.clone_into(&mut self.path);
        self.query = query;
    }
}
