//! Where the request may go: the model that it names, if the app may use it.

use crate::plan::{AppPlan, Plan, Route};
use crate::rescue::Refusal;
use std::sync::Arc;

/// Names offered in an error; more would bury the message.
const SUGGESTIONS_MAX: usize = 10;

/// Finds the route of a model.
pub(crate) fn route(plan: &Plan, app: &AppPlan, model: &str) -> Result<Arc<Route>, Refusal> {
    match plan.routes.get(model) {
        Some(route) if app.may_use(model) => Ok(route.clone()),
        // A model that the app may not use looks like one that is not there: keys are no way to find out names.
        _ => Err(Refusal::model_unknown(model, &allowed(plan, app))),
    }
}

fn allowed<'a>(plan: &'a Plan, app: &AppPlan) -> Vec<&'a str> {
    plan.routes.keys().map(|name| &**name).filter(|name| app.may_use(name)).take(SUGGESTIONS_MAX).collect()
}
