//! How much may be deferred at once. Whatever is over a limit is refused when it comes; nothing accepted is dropped.

/// Most that may be kept, requests that wait and results together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests of the process.
    pub requests_max: u64,
    /// Bytes of bodies and results of the process.
    pub bytes_max: u64,
    /// Requests of one app.
    pub app_requests_max: u64,
    /// Bytes of bodies and results of one app.
    pub app_bytes_max: u64,
}

/// What is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Requests.
    pub requests: u64,
    /// Bytes of bodies and results.
    pub bytes: u64,
}

/// The limit that was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// `defer.requests_max`.
    Requests,
    /// `defer.bytes_max`.
    Bytes,
    /// `defer.app_requests_max`.
    AppRequests,
    /// `defer.app_bytes_max`.
    AppBytes,
}

impl Full {
    /// The setting that says how much.
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Requests => "defer.requests_max",
            Self::Bytes => "defer.bytes_max",
            Self::AppRequests => "defer.app_requests_max",
            Self::AppBytes => "defer.app_bytes_max",
        }
    }
}

impl Usage {
    pub(super) const fn add(&mut self, bytes: u64) {
        self.requests += 1;
        self.bytes += bytes;
    }

    pub(super) const fn remove(&mut self, bytes: u64) {
        self.requests = self.requests.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    pub(super) const fn resize(&mut self, from: u64, to: u64) {
        self.bytes = self.bytes.saturating_sub(from).saturating_add(to);
    }
}

/// Whether one more request of `bytes` fits beside `all` and the `app`'s own.
pub(super) fn check(all: Usage, app: Usage, bytes: u64, limits: &Limits) -> Result<(), Full> {
    let over = |used: u64, more: u64, max: u64| used.saturating_add(more) > max;
    match () {
        () if over(app.requests, 1, limits.app_requests_max) => Err(Full::AppRequests),
        () if over(app.bytes, bytes, limits.app_bytes_max) => Err(Full::AppBytes),
        () if over(all.requests, 1, limits.requests_max) => Err(Full::Requests),
        () if over(all.bytes, bytes, limits.bytes_max) => Err(Full::Bytes),
        () => Ok(()),
    }
}
