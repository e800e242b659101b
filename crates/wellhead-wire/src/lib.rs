//! wellhead-wire
