//! The attempts: asks the ladder, executes what it says on sockets, tells it what happened. Decides nothing itself. Here
//! is the loop; one attempt is [`send`], then [`open`] or [`refused`].

mod credential;
mod kind;
mod limit;
mod open;
mod refused;
mod send;

pub(crate) use limit::{Limit, limit};
pub(crate) use open::open;
pub(crate) use send::{Begun, Terms, attempt, begin, send, settled, tell_key};

use crate::answer::Opened;
use crate::exchange::Exchange;
use crate::stages::{hedge, hold, queue};
use crate::stream;
use bytes::Bytes;
use http::HeaderMap;
use wellhead_resilience::Nanos;
use wellhead_resilience::breaker::Class;
use wellhead_resilience::ladder::{Effect, End, Event};
use wellhead_types::{Failure, Side, Stage};

/// What the attempts came to.
pub(crate) type Outcome = Result<Opened, GaveUp>;

/// Nothing is left to try.
#[derive(Debug)]
pub(crate) struct GaveUp {
    pub(crate) end: End,
    /// The newest failure, if anything was sent at all.
    pub(crate) last: Option<Failure>,
    /// The upstream's own answer, where it is passed on.
    pub(crate) answer: Option<UpstreamError>,
}

/// An error answer as the upstream gave it.
#[derive(Debug)]
pub(crate) struct UpstreamError {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why one attempt did not open an answer.
pub(crate) enum Missed {
    /// Nothing was sent: others were quicker to take the room that it had.
    Full,
    /// Nothing was sent: the last free key or the probe was taken by another request.
    Unavailable,
    Failed(Failure, Option<UpstreamError>),
}

const fn missed(failure: Failure) -> Missed {
    Missed::Failed(failure, None)
}

/// Runs attempts until one opens an answer or nothing is left.
pub(crate) async fn run(exchange: &mut Exchange) -> Outcome {
    if exchange.body.is_once() {
        exchange.ladder.explore_nothing();
    }
    hedge::on_stream(exchange);
    let mut first = exchange.decide(Event::Start);
    if let Effect::Send(target) | Effect::LastLight(target) = first
        && exchange.worker.gateway.room.places() > 0
        && let Some(event) = Box::pin(hold::queue(exchange, target)).await
    {
        first = exchange.decide(event);
    }
    go_on(exchange, first).await
}

/// The same from a first effect on.
pub(crate) async fn go_on(exchange: &mut Exchange, mut effect: Effect) -> Outcome {
    let mut last = None;
    let mut answer = None;
    let (mut refused, mut asked) = (false, false);
    loop {
        exchange.last_light = matches!(effect, Effect::LastLight(_));
        if exchange.last_light {
            queue::all_are_open(exchange);
        }
        if let Effect::Send(target) = effect
            && let Some(at) = queue::not_before(exchange)
        {
            let event = Box::pin(queue::wait(exchange, at, Event::Queued(target))).await;
            asked = false;
            effect = exchange.decide(event);
            continue;
        }
        let price = match effect {
            Effect::Send(target) => price(exchange, target),
            _ => Price::Free,
        };
        effect = match effect {
            Effect::Send(target) if price == Price::TooHigh => exchange.decide(Event::TooDear(target)),
            Effect::Send(target) | Effect::LastLight(target) => match ask(exchange, target).await {
                Ok(opened) => {
                    hold::answered(exchange);
                    return Ok(opened);
                }
                Err(Missed::Full) => {
                    unsent(exchange, price);
                    exchange.decide(Event::Full(target))
                }
                Err(Missed::Unavailable) => {
                    unsent(exchange, price);
                    exchange.decide(Event::Unavailable(target))
                }
                Err(Missed::Failed(failure, upstream)) => {
                    // Of two, the one that failed last.
                    let target = exchange.books.current_target().unwrap_or(target);
                    let next = failed(exchange, target, &failure);
                    let next = exchange.possible(next);
                    (last, answer, asked) = (Some(failure), upstream, true);
                    next
                }
            },
            Effect::Hold { recovery } => {
                // Boxed: nearly no request comes here, and every one would carry it.
                let event = Box::pin(hold::hold(exchange, recovery)).await;
                (refused, asked) = (matches!(event, Event::Refused), false);
                exchange.decide(event)
            }
            Effect::Wait(until) => {
                tokio::time::sleep_until(exchange.worker.gateway.clock.instant(until)).await;
                exchange.decide(Event::Waited)
            }
            Effect::GiveUp(end) => {
                hold::gave_up(exchange, end, refused, asked);
                return Err(GaveUp { end, last, answer });
            }
        };
    }
}

/// What an attempt costs its route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Price {
    Free,
    /// It was paid at that moment, after so many attempts.
    Paid(Nanos, usize),
    /// The route cannot afford it.
    TooHigh,
}

/// What another attempt costs (survival.md R4). The first one is no retry. Nor is the first one that goes to somebody else
/// who works: that is what a standby is for, however many requests fail at the same moment. All others are paid from the
/// route's budget, so that retries never become the load that keeps an upstream down. Asking an open target, or one whose
/// rest is over by a request that waits for that, has limits of its own: one at a time.
fn price(exchange: &Exchange, target: usize) -> Price {
    let attempts = exchange.own_attempts();
    let Some(first) = attempts.first() else { return Price::Free };
    let (now, next) = (exchange.now(), exchange.target(target));
    let works = || next.view(exchange.worker.number, now).class <= Class::Unknown;
    if exchange.ladder.is_probing() || (attempts.len() == 1 && first.target != next.id && works()) {
        return Price::Free;
    }
    if exchange.route.budget.try_retry(now) {
        return Price::Paid(now, attempts.len());
    }
    tracing::debug!(request = %exchange.books.record.request_id, "the budget for retries is used up");
    Price::TooHigh
}

/// Others were quicker to ask the target: what was paid for that is given back, if nothing was sent at all. Who is asked
/// for the rest of an answer may have been asked in one way before it could not be asked in the next.
fn unsent(exchange: &Exchange, price: Price) {
    if let Price::Paid(at, attempts) = price
        && exchange.own_attempts().len() == attempts
    {
        exchange.route.budget.give_back(at);
    }
}

/// Asks one target: for the answer, or for the rest of one that broke off.
async fn ask(exchange: &mut Exchange, target: usize) -> Result<Opened, Missed> {
    if exchange.resume.is_some() {
        // Boxed: nearly no request comes here, and every one would carry it.
        return Box::pin(stream::ask(exchange, target)).await;
    }
    attempt(exchange, target).await
}

/// Writes a failure down and asks what is next.
fn failed(exchange: &mut Exchange, target: usize, failure: &Failure) -> Effect {
    exchange.books.fail_attempt(failure);
    tracing::debug!(
        request = %exchange.books.record.request_id,
        target = %exchange.target(target).id,
        cause = failure.cause.as_str(),
        status = failure.status,
        detail = failure.detail,
        "an attempt failed"
    );
    if failure.side == Side::Client && failure.stage == Stage::Prepare {
        // It will not be able to do it next time either.
        exchange.ladder.exclude(target);
    }
    exchange.decide(Event::Failed(target, failure))
}
