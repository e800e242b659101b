//! Waiting for a target instead of failing: asks who may wait and for how long, and waits.

use crate::clock::nanos;
use crate::exchange::Exchange;
use crate::replay::Kept;
use crate::stages::queue;
use crate::state::{Called, Place, RouteKey};
use wellhead_resilience::Nanos;
use wellhead_resilience::hold::{Guest, Hold, Left, RoomView, decide};
use wellhead_resilience::ladder::{End, Event};
use wellhead_telemetry::metrics::Held;
use wellhead_types::Name;

/// Nobody can take the request now. Returns what the ladder is told after the wait, or instead of it.
pub(crate) async fn hold(exchange: &mut Exchange, recovery: Nanos) -> Event<'static> {
    if queue::is_crowded(exchange) {
        return queue::wait(exchange, recovery, Event::Waited).await;
    }
    let Hold::Wait { until } = may_wait(exchange, recovery) else { return Event::Refused };
    match &mut exchange.hold {
        Some(place) => place.again(until, recovery, false),
        None => exchange.hold = take(exchange, until, Some(recovery), false),
    }
    match &exchange.hold {
        // Who has to give way to somebody more important is refused with what is known of the recovery.
        Some(place) if place.called().await == Called::Shed => Event::Refused,
        Some(_) => Event::Waited,
        None => Event::Refused,
    }
}

/// `target` could be asked now, but others wait for the same targets already: the request joins them for a moment,
/// instead of overtaking them. Returns what the ladder is told if it did.
pub(crate) async fn queue(exchange: &mut Exchange, target: usize) -> Option<Event<'static>> {
    let (room, key) = (&exchange.worker.gateway.room, route(exchange));
    if !room.has_line(&key) {
        return None;
    }
    if room.is_crowd(&key) {
        let soon = queue::soon(exchange.now());
        return Some(queue::wait(exchange, soon, Event::Queued(target)).await);
    }
    let Hold::Wait { until } = may_wait(exchange, exchange.now()) else { return None };
    exchange.hold = take(exchange, until, None, false);
    let place = exchange.hold.as_ref()?;
    match place.called().await {
        Called::Shed => Some(Event::Refused),
        Called::Turn | Called::Over => Some(Event::Queued(target)),
    }
}

/// Somebody answers.
pub(crate) fn answered(exchange: &mut Exchange) {
    leave(exchange, Left::Answered);
}

/// The request is given up. `asked`: it has tried since it waited last.
pub(crate) fn gave_up(exchange: &mut Exchange, end: End, refused: bool, asked: bool) {
    let recovery = match end {
        End::RateLimited { recovery }
        | End::TimedOut { recovery }
        | End::Overloaded { recovery }
        | End::NoHealthyUpstream { recovery } => recovery,
        End::PassOn => None,
    };
    if matches!(end, End::Overloaded { .. }) {
        exchange.route.metrics.count_shed(exchange.class());
    }
    if exchange.hold.is_none() && refused {
        exchange.route.metrics.count_held(Held::Refused);
    }
    // What is passed on is an answer as well.
    let left = match end {
        End::PassOn => Left::Answered,
        _ if asked => Left::Failed { recovery },
        _ => Left::Unasked,
    };
    leave(exchange, left);
}

fn leave(exchange: &mut Exchange, left: Left) {
    if let Some(place) = exchange.hold.take() {
        place.leave(left);
    }
}

fn may_wait(exchange: &Exchange, recovery: Nanos) -> Hold {
    let (now, longest) = (exchange.now(), longest(exchange));
    let decide = |since, view| decide(now, since, exchange.deadline, longest, Some(recovery), view);
    match &exchange.hold {
        Some(place) => decide(place.since, RoomView { has_place: true }),
        None => exchange.worker.gateway.room.decide(&guest(exchange), now, |view| decide(now, view)),
    }
}

/// How long it may wait in all.
pub(crate) fn longest(exchange: &Exchange) -> Nanos {
    let model = &exchange.route.model;
    // In the middle of an answer, its client has been promised not to be left without content for longer.
    let longest = nanos(match exchange.resume {
        Some(_) => model.hold_max.min(model.stream_idle_timeout),
        None => model.hold_max,
    });
    exchange.hurry().map_or(longest, |after| after.min(longest))
}

pub(crate) fn take(
    exchange: &Exchange,
    until: Nanos,
    recovery: Option<Nanos>,
    for_room: bool,
) -> Option<Box<Place>> {
    let gateway = &exchange.worker.gateway;
    let who = (route(exchange), guest(exchange));
    Place::take(gateway, &exchange.route.metrics, who, until, recovery, for_room)
}

pub(crate) fn route(exchange: &Exchange) -> RouteKey {
    let targets = exchange.route.targets.len();
    (exchange.route.model.name.clone(), exchange.ladder.fit(targets))
}

pub(crate) fn guest(exchange: &Exchange) -> Guest<Name> {
    Guest {
        tenant: exchange.books.record.app.clone().unwrap_or_else(|| "".into()),
        class: exchange.class(),
        tokens: exchange.tokens,
        bytes: bytes(exchange),
    }
}

/// Bytes of memory that wait with it.
fn bytes(exchange: &Exchange) -> u64 {
    match &exchange.body {
        Kept::Memory(body) => body.len() as u64,
        Kept::File(..) | Kept::Once(..) => 0,
    }
}
