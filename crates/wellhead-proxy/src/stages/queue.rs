//! Waiting for room: targets work, and have as much to do as they can take, or an outage is just over and not everybody
//! is let in at once. Who is next, and who waits in vain, is decided by the waiting room; here is waited.

use crate::exchange::Exchange;
use crate::stages::hold;
use crate::state::{Called, Turn};
use std::sync::atomic::Ordering::Relaxed;
use wellhead_resilience::hold::{Expected, Hold, Left, ROOM_PAUSE, RoomView, decide_room};
use wellhead_resilience::ladder::Event;
use wellhead_resilience::ramp::Admit;
use wellhead_resilience::{Nanos, SECOND};

/// What a client is told that is refused for want of room when nobody knows how long the queue takes.
const RETRY_UNKNOWN: Nanos = SECOND;

/// Whether a target that could answer this request works and has no room.
pub(crate) fn is_crowded(exchange: &Exchange) -> bool {
    let (now, worker) = (exchange.now(), exchange.worker.number);
    let targets = &exchange.route.targets;
    let fit = exchange.ladder.fit(targets.len());
    targets.iter().enumerate().any(|(i, target)| fit >> i & 1 == 1 && target.view(worker, now).full)
}

/// Waits for room, until it is the request's turn (`turn` is what the ladder is told then) or it waits in vain.
/// `at` is when there will be room as far as is known.
pub(crate) async fn wait(exchange: &mut Exchange, at: Nanos, turn: Event<'static>) -> Event<'static> {
    let until = match may_wait(exchange) {
        Hold::Wait { until } => until,
        Hold::TooShort { recovery } | Hold::TooLong { recovery } | Hold::Full { recovery } => {
            return shed(exchange, recovery);
        }
    };
    match &mut exchange.hold {
        Some(place) => place.again(until, at, true),
        None => exchange.hold = hold::take(exchange, until, Some(at), true),
    }
    let Some(place) = &exchange.hold else { return shed(exchange, None) };
    match place.called().await {
        Called::Turn => turn,
        Called::Over | Called::Shed => {
            let expected = expected(exchange);
            shed(exchange, expected)
        }
    }
}

/// After an outage not everybody is let in at once (metastability): whether this request has to wait, and until when.
pub(crate) fn not_before(exchange: &mut Exchange) -> Option<Nanos> {
    let now = exchange.now();
    match exchange.route.ramp.admit(now)? {
        Admit::Go(permit) => {
            exchange.books.permit = Some(permit);
            None
        }
        Admit::Later(at) => Some(at),
    }
}

/// Every target that the request may use is open. If nobody may use one that works, the ramp decides how many are let in
/// from the first success on.
pub(crate) fn all_are_open(exchange: &Exchange) {
    let now = exchange.now();
    if !exchange.route.is_down(None, now) {
        return;
    }
    exchange.route.ramp.on_down(exchange.route.budget.requests_per_second(now), now);
}

/// The request has been sent: its place in the queue is free.
pub(crate) fn seated(exchange: &mut Exchange) {
    if exchange.hold.as_ref().is_some_and(|place| place.for_room)
        && let Some(place) = exchange.hold.take()
    {
        let now = exchange.now();
        exchange.route.metrics.observe_wait(exchange.class(), crate::settle::since(place.since, now));
        let more = has_more(exchange);
        exchange.books.queued =
            Some(Box::new(Turn { route: hold::route(exchange), expected: exchange.tokens }));
        place.leave(Left::Seated { more, now });
    }
}

/// Whether somebody else who waits for the same would find room.
fn has_more(exchange: &Exchange) -> bool {
    let now = exchange.now();
    let targets = &exchange.route.targets;
    let fit = exchange.ladder.fit(targets.len());
    targets.iter().enumerate().any(|(i, target)| {
        // Neither health nor the ramp is asked: who is called looks at everything.
        fit >> i & 1 == 1 && !target.is_full(target.state.in_flight.load(Relaxed), now)
    })
}

fn may_wait(exchange: &Exchange) -> Hold {
    let (now, longest) = (exchange.now(), hold::longest(exchange));
    let decide = |since, expected, view| decide_room(now, since, exchange.deadline, longest, expected, view);
    if let Some(place) = &exchange.hold {
        return decide(place.since, Expected::default(), RoomView { has_place: true });
    }
    let (room, guest) = (&exchange.worker.gateway.room, hold::guest(exchange));
    let expected = room.expected(&hold::route(exchange), &guest, now);
    room.decide(&guest, now, |view| decide(now, expected, view))
}

/// When a request that comes now would have its turn.
fn expected(exchange: &Exchange) -> Option<Nanos> {
    let (now, guest) = (exchange.now(), hold::guest(exchange));
    let expected = exchange.worker.gateway.room.expected(&hold::route(exchange), &guest, now);
    expected.wait.map(|wait| now.saturating_add(wait))
}

fn shed(exchange: &Exchange, recovery: Option<Nanos>) -> Event<'static> {
    Event::Shed { recovery: Some(recovery.unwrap_or_else(|| exchange.now().saturating_add(RETRY_UNKNOWN))) }
}

/// Asks again soon: whoever makes room may have looked just before this one came.
pub(crate) const fn soon(now: Nanos) -> Nanos {
    now.saturating_add(ROOM_PAUSE)
}
