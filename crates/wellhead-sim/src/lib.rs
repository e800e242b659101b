//! wellhead-sim
