//! wellhead-http
