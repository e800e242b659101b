//! Limits without clocks or I/O: requests per minute, tokens per minute, requests in flight. Admission waits for no
//! lock; giving unused tokens back holds a short one.
//!
//! Every function that depends on time takes `now_ns`: nanoseconds on a monotonic clock that all callers share, from
//! any origin. Callers on different threads may pass times that are slightly out of order.
//!
//! The state of a limit outlives the configuration that set it: `set_limit` and `AppLimits::set` change the numbers
//! and keep what was used.

mod app;
mod concurrency;
mod gcra;
mod headers;
mod history;
mod tokens;

#[cfg(test)]
mod tests;

pub use app::{Admission, AppLimits, LimitHit, Which};
pub use concurrency::{Concurrency, Permit};
pub use gcra::{Admitted, Denied, Gcra, NEVER, WINDOW_NS};
pub use headers::{LimitHeaders, Window, duration_text};
pub use tokens::{Reservation, Tokens};
