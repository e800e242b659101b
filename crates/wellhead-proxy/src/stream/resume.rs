//! The rest of an answer that broke off (decision 12): which target is asked for it and how. The client's stream goes
//! on with whatever works first; until then nothing of these attempts reaches it.

use crate::clock::nanos;
use crate::exchange::{Call, Exchange};
use crate::replay::Kept;
use crate::stages::attempt::{Missed, attempt};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;
use wellhead_config::snapshot::Rescue;
use wellhead_http::names;
use wellhead_resilience::SECOND;
use wellhead_types::{Cause, Failure, Retry, Scope};
use wellhead_wire::openai::request::RequestHead;
use wellhead_wire::openai::resume::{Original, Plan, PrefillForm, Resumed};
use wellhead_wire::openai::stream::Delivered;

use crate::answer::Opened;

/// Time to find somebody who goes on, where the model's deadline is not shorter. The client hears keep-alive comments
/// meanwhile; longer silence in the middle of a sentence is given up by people.
const RESCUE_MAX: u64 = 30 * SECOND;

/// Header fields in little memory.
pub(crate) type Fields = Box<[(HeaderName, HeaderValue)]>;

/// An answer that is to be gone on with.
#[derive(Debug)]
pub(crate) struct Resume {
    delivered: Delivered,
    best: bool,
    plan: Plan,
    /// What is sent instead of the client's own body, and its head; `None` for a restart.
    changed: Option<(Bytes, RequestHead)>,
    wants_json: bool,
}

impl Resume {
    /// What is sent instead of the client's own body.
    pub(crate) const fn changed(&self) -> Option<&(Bytes, RequestHead)> {
        self.changed.as_ref()
    }

    /// Whether the target is handed what was delivered.
    pub(crate) const fn prefills(&self) -> bool {
        matches!(self.plan, Plan::Prefill(_)) && self.changed.is_some()
    }

    /// Joins the stream of the attempt under way to what was delivered.
    pub(crate) fn joint(&self, call: &Call<'_>) -> Box<Resumed> {
        Box::new(Resumed::new(
            call.endpoint,
            self.plan,
            self.delivered.clone(),
            self.wants_json,
            call.plan.limits.event_bytes_max,
        ))
    }
}

impl Exchange {
    /// The request waits for as long as its answer flows, in case that the rest of it has to be asked for: in as little
    /// memory as it takes. As it came it shares the connection's read buffer, and keeps all of that alive.
    pub(crate) fn settle_down(&mut self) {
        self.early = None;
        self.own = None;
        if !self.call().is_rescuable() {
            return self.forget_request();
        }
        let mut passed = HeaderMap::new();
        wellhead_http::headers::request_headers(&self.headers, &mut passed);
        let state = self.headers.get(&names::TRACESTATE).map(|state| (&names::TRACESTATE, state));
        self.kept_headers = packed(&passed.iter().chain(state).collect::<Vec<_>>());
        self.headers = HeaderMap::new();
        self.own_body();
    }

    /// The request will not be sent again: what it takes is given back.
    fn forget_request(&mut self) {
        self.body = Kept::Memory(Bytes::new());
        self.asked = None;
        self.headers = HeaderMap::new();
    }
}

impl Call<'_> {
    /// Whether a broken answer to this request could be gone on with, as far as that is known before it breaks.
    pub(crate) fn is_rescuable(&self) -> bool {
        self.route.model.rescue != Rescue::Off
            && !self.route.model.atomic
            && self.endpoint.streams_chunks()
            && self.keeps_body()
    }
}

/// Fields with their values in one piece of memory: a map has room for eight, and each value its own.
fn packed(fields: &[(&HeaderName, &HeaderValue)]) -> Fields {
    let mut values = Vec::with_capacity(fields.iter().map(|(_, value)| value.len()).sum());
    fields.iter().for_each(|(_, value)| values.extend_from_slice(value.as_bytes()));
    let mut values = Bytes::from(values);
    let own = |(name, value): &(&HeaderName, &HeaderValue)| {
        let value = HeaderValue::from_maybe_shared(values.split_to(value.len())).ok()?;
        Some(((*name).clone(), value))
    };
    fields.iter().filter_map(own).collect()
}

/// Prepares the exchange for asking others for the rest, while the stream may last for `left`. False if request or answer
/// do not allow it.
pub(crate) fn begin(exchange: &mut Exchange, delivered: Delivered, left: Duration) -> bool {
    let Kept::Memory(body) = &exchange.body else { return false };
    let Ok(original) = Original::read(body, &exchange.head) else { return false };
    // Nothing asks for less than a restart.
    if let Some(refusal) = original.refusal(Plan::Restart, &delivered) {
        tracing::debug!(request = %exchange.books.record.request_id, %refusal, "a broken stream is not rescued");
        return false;
    }
    let best = exchange.route.model.rescue == Rescue::Best;
    let wants_json = original.wants_json();
    exchange.resume =
        Some(Box::new(Resume { delivered, best, plan: Plan::Restart, changed: None, wants_json }));
    let patience = nanos(exchange.route.model.deadline.min(left)).min(RESCUE_MAX);
    exchange.deadline = exchange.now().saturating_add(patience);
    exchange.ladder.rescue(exchange.deadline);
    exchange.release_attempts();
    for (name, value) in std::mem::take(&mut exchange.kept_headers) {
        exchange.headers.append(name, value);
    }
    true
}

/// Asks one target in every way that request and target allow, until one works. A way that it refuses says nothing about
/// the target, and never reaches the client.
pub(crate) async fn ask(exchange: &mut Exchange, number: usize) -> Result<Opened, Missed> {
    let form = exchange.target(number).prefill;
    let mut missed = Missed::Unavailable;
    for plan in plans(exchange, form) {
        if let Missed::Failed(failure, _) = &missed {
            if !exchange.ladder.once_more() {
                break;
            }
            exchange.books.fail_attempt(failure);
        }
        if !prepare(exchange, plan) {
            continue;
        }
        missed = match attempt(exchange, number).await {
            Err(Missed::Failed(failure, _)) if is_about_the_way(&failure) => {
                let failure = Failure { retry: Retry::Elsewhere, scope: Scope::Request, ..failure };
                Missed::Failed(failure, None)
            }
            outcome => return outcome,
        };
    }
    Err(missed)
}

/// The plans for a target of this form, the best first.
fn plans(exchange: &Exchange, form: PrefillForm) -> Vec<Plan> {
    let (Kept::Memory(body), Some(resume)) = (&exchange.body, &exchange.resume) else { return Vec::new() };
    let Ok(original) = Original::read(body, &exchange.head) else { return Vec::new() };
    let own = |plan| if matches!(plan, Plan::Prefill(_)) { Plan::Prefill(form) } else { plan };
    let open = |plan: &Plan| original.refusal(*plan, &resume.delivered).is_none();
    original.order(resume.best).map(own).filter(open).collect()
}

/// Makes the body of the next attempt.
fn prepare(exchange: &mut Exchange, plan: Plan) -> bool {
    let (Kept::Memory(body), Some(resume)) = (&exchange.body, &exchange.resume) else { return false };
    let changed = if plan == Plan::Restart {
        None
    } else {
        let Ok(original) = Original::read(body, &exchange.head) else { return false };
        let Ok(changed) = original.body(plan, &resume.delivered) else { return false };
        let content_type = exchange.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let Ok(head) = RequestHead::parse(exchange.endpoint, content_type, &changed) else { return false };
        Some((changed, head))
    };
    if let Some(resume) = &mut exchange.resume {
        resume.plan = plan;
        resume.changed = changed;
    }
    true
}

/// The failure concerns how the target was asked, and not the target.
fn is_about_the_way(failure: &Failure) -> bool {
    failure.retry == Retry::Never || failure.cause == Cause::ContinuationDiffers
}
