//! `GET /v1/models`: exactly the names that this key may send as `model`, in a stable order, without asking anybody.

use crate::body::GatewayBody;
use crate::plan::{AppPlan, Plan};
use http::Response;
use http::header::{self, HeaderValue};
use serde_json::{Value, json};

/// The list.
pub(crate) fn list(plan: &Plan, app: &AppPlan) -> Response<GatewayBody> {
    let data: Vec<Value> =
        plan.routes.keys().filter(|name| app.may_use(name)).map(|name| model(name)).collect();
    answer(&json!({ "object": "list", "data": data }))
}

/// One model, if the key may use it.
pub(crate) fn one(plan: &Plan, app: &AppPlan, id: &str) -> Option<Response<GatewayBody>> {
    (plan.routes.contains_key(id) && app.may_use(id)).then(|| answer(&model(id)))
}

/// `created` is required by the dialect and means nothing for an alias: 0, so that the list never changes by itself.
fn model(name: &str) -> Value {
    json!({ "id": name, "object": "model", "created": 0, "owned_by": "wellhead" })
}

fn answer(body: &Value) -> Response<GatewayBody> {
    let mut response = Response::new(GatewayBody::whole(body.to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
