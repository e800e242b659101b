//! wellhead-quota
