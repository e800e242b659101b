//! Where the request may go: the model that it names, if the app may use it.

use crate::plan::{AppPlan, Plan, Route};
use crate::rescue::Refusal;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use wellhead_types::Name;

/// Names offered in an error; more would bury the message.
const SUGGESTIONS_MAX: usize = 10;

/// Names on each side, in the order of the alphabet, among which the one that was meant is looked for; with the next
/// bound it keeps the search below a tenth of a millisecond, however many models there are.
const NEIGHBOURS_MAX: usize = 32;
/// Longest name for which another one is guessed.
const GUESSED_BYTES_MAX: usize = 64;

/// Finds the route of a model.
pub(crate) fn route(plan: &Plan, app: &AppPlan, model: &str) -> Result<Arc<Route>, Refusal> {
    match plan.routes.get(model) {
        Some(route) if app.may_use(model) => Ok(route.clone()),
        // A model that the app may not use looks like one that is not there: keys are no way to find out names.
        _ => Err(Refusal::model_unknown(model, meant(plan, app, model).as_deref(), &allowed(plan, app))),
    }
}

/// The name that was probably meant, of those that the app may use.
fn meant(plan: &Plan, app: &AppPlan, model: &str) -> Option<String> {
    if model.len() > GUESSED_BYTES_MAX {
        return None;
    }
    let before = plan.routes.range::<Name, _>((Unbounded, Excluded(Name::from(model)))).rev();
    let after = plan.routes.range::<Name, _>((Excluded(Name::from(model)), Unbounded));
    let near = before.take(NEIGHBOURS_MAX).chain(after.take(NEIGHBOURS_MAX)).map(|(name, _)| &**name);
    wellhead_config::nearest(model, near.filter(|name| app.may_use(name)))
}

fn allowed<'a>(plan: &'a Plan, app: &AppPlan) -> Vec<&'a str> {
    plan.routes.keys().map(|name| &**name).filter(|name| app.may_use(name)).take(SUGGESTIONS_MAX).collect()
}
