//! wellhead-store
