//! The text that is said when there is nothing else to say.

use super::answers::prepared;
use crate::answer::Opened;
use crate::exchange::Exchange;
use crate::replay::{self, Kept};
use wellhead_resilience::SECOND;
use wellhead_types::Rung;
use wellhead_wire::openai::stand_in::{StandIn, may_answer};

/// The declared text as an answer; `None` if the request cannot be answered by one, or is too large to be looked at.
pub(super) async fn say(exchange: &mut Exchange) -> Option<Opened> {
    if !replay::read_back(exchange).await {
        return None;
    }
    let sub = exchange.substitute.as_ref()?;
    let text = sub.asked.model.fallback.as_ref()?.text.as_ref()?;
    let Kept::Memory(body) = &exchange.body else { return None };
    if !may_answer(exchange.endpoint, exchange.head.n, body) {
        return None;
    }
    let stand_in = StandIn {
        endpoint: exchange.endpoint,
        text,
        model: &exchange.head.model,
        id: &exchange.books.record.request_id.to_string(),
        created_s: exchange.worker.gateway.clock.wall_ns(exchange.now()) / SECOND,
        n: exchange.head.n,
        streamed: exchange.head.stream,
        asked_usage: exchange.head.asked_usage,
    };
    Some(prepared(exchange, stand_in.write(), Rung::Degraded))
}
