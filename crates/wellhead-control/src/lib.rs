//! wellhead-control
