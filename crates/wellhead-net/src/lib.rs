//! wellhead-net
