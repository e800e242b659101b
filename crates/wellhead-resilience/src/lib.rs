//! wellhead-resilience
