//! Limits of the app: reserved before the call, trued up after it.

use crate::plan::AppPlan;
use crate::rescue::Refusal;
use wellhead_quota::Admission;
use wellhead_resilience::Nanos;

/// Reserves one request, `tokens` tokens and a place in flight.
pub(crate) fn admit(app: &AppPlan, tokens: u64, now: Nanos) -> Result<Admission, Refusal> {
    app.limits.admit(tokens, now).map_err(|hit| Refusal::limit(&app.name, &hit))
}
