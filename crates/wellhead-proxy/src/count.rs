//! How long a prompt is, where nobody can be asked: an estimate, so that a client which only wants to know whether its
//! prompt fits goes on while its vendor is down.

use crate::body::GatewayBody;
use crate::exchange::Exchange;
use crate::rescue;
use crate::settle::Books;
use crate::stages::attempt::GaveUp;
use http::Response;
use http::header::{self, HeaderValue};
use std::time::Duration;
use wellhead_http::names;
use wellhead_resilience::ladder::{End, TARGETS_MAX};
use wellhead_types::{Rung, Usage};
use wellhead_wire::anthropic::encode_count_answer;
use wellhead_wire::openai::Endpoint;

/// A count is a question before the question: vendors answer it at once, and an estimate is worth more than waiting.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// Whether no target of the model counts.
pub(crate) fn is_nobodys(exchange: &Exchange) -> bool {
    exchange.endpoint == Endpoint::CountTokens
        && exchange.books.unfit.count_ones() as usize >= exchange.route.targets.len().min(TARGETS_MAX)
}

/// Whether it is nobody's fault but the targets' that there is no count: what the vendor says of a wrong prompt is told.
pub(crate) fn may_estimate(exchange: &Exchange, gave_up: &GaveUp) -> bool {
    exchange.endpoint == Endpoint::CountTokens && (gave_up.end != End::PassOn || gave_up.answer.is_none())
}

/// The estimate, by the bytes of the prompt.
pub(crate) fn estimated(mut books: Box<Books>) -> Response<GatewayBody> {
    let body = encode_count_answer(books.input_estimate);
    books.record.status = 200;
    books.record.rung = Rung::Degraded;
    books.record.usage = Some(Usage::default());
    books.record.response_bytes = body.len() as u64;
    let mut response = Response::new(GatewayBody::whole(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(&names::X_WELLHEAD_DEGRADED, HeaderValue::from_static("estimate"));
    rescue::identify(headers, &books);
    rescue::survival(headers, Rung::Degraded, &books);
    books.close(Rung::Degraded.outcome());
    response
}
