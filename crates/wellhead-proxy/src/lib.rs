//! wellhead-proxy
