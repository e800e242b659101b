//! Waiting for a target instead of failing: asks who may wait and for how long, and waits.

use crate::clock::nanos;
use crate::exchange::Exchange;
use crate::replay::Kept;
use crate::state::{Place, RouteKey};
use wellhead_resilience::Nanos;
use wellhead_resilience::hold::{Hold, Left, RoomView, decide};
use wellhead_resilience::ladder::{End, Event};
use wellhead_telemetry::metrics::Held;
use wellhead_types::Name;

/// Nobody can take the request now. Returns what the ladder is told after the wait, or instead of it.
pub(crate) async fn hold(exchange: &mut Exchange, recovery: Nanos) -> Event<'static> {
    let Hold::Wait { until } = may_wait(exchange, recovery) else { return Event::Refused };
    match &mut exchange.hold {
        Some(place) => place.again(until, recovery),
        None => exchange.hold = take(exchange, until, Some(recovery)),
    }
    match &exchange.hold {
        Some(place) => {
            place.called().await;
            Event::Waited
        }
        None => Event::Refused,
    }
}

/// Somebody could be asked now, but others wait for the same targets already: the request joins them for a moment,
/// instead of overtaking them. Returns whether it did.
pub(crate) async fn queue(exchange: &mut Exchange) -> bool {
    if !exchange.worker.gateway.room.has_line(&route(exchange)) {
        return false;
    }
    let Hold::Wait { until } = may_wait(exchange, exchange.now()) else { return false };
    exchange.hold = take(exchange, until, None);
    let Some(place) = &exchange.hold else { return false };
    place.called().await;
    true
}

/// Somebody answers.
pub(crate) fn answered(exchange: &mut Exchange) {
    leave(exchange, Left::Answered);
}

/// The request is given up.
pub(crate) fn gave_up(exchange: &mut Exchange, end: End, refused: bool) {
    let recovery = match end {
        End::RateLimited { recovery } | End::TimedOut { recovery } | End::NoHealthyUpstream { recovery } => {
            recovery
        }
        End::PassOn => None,
    };
    if exchange.hold.is_none() && refused {
        exchange.route.metrics.count_held(Held::Refused);
    }
    // What is passed on is an answer as well.
    leave(exchange, if matches!(end, End::PassOn) { Left::Answered } else { Left::Failed { recovery } });
}

fn leave(exchange: &mut Exchange, left: Left) {
    if let Some(place) = exchange.hold.take() {
        place.leave(left);
    }
}

fn may_wait(exchange: &Exchange, recovery: Nanos) -> Hold {
    let now = exchange.now();
    let (since, room) = match &exchange.hold {
        Some(place) => (place.since, RoomView { has_place: true }),
        None => (now, exchange.worker.gateway.room.view(&tenant(exchange), bytes(exchange))),
    };
    let model = &exchange.route.model;
    // In the middle of an answer, its client has been promised not to be left without content for longer.
    let longest = match exchange.resume {
        Some(_) => model.hold_max.min(model.stream_idle_timeout),
        None => model.hold_max,
    };
    let longest = exchange.hurry().map_or(nanos(longest), |after| after.min(nanos(longest)));
    decide(now, since, exchange.deadline, longest, Some(recovery), room)
}

fn take(exchange: &Exchange, until: Nanos, recovery: Option<Nanos>) -> Option<Box<Place>> {
    let gateway = &exchange.worker.gateway;
    let who = (route(exchange), tenant(exchange), bytes(exchange));
    Place::take(gateway, &exchange.route.metrics, who, until, recovery)
}

fn route(exchange: &Exchange) -> RouteKey {
    let targets = exchange.route.targets.len();
    (exchange.route.model.name.clone(), exchange.ladder.fit(targets))
}

fn tenant(exchange: &Exchange) -> Name {
    exchange.books.record.app.clone().unwrap_or_else(|| "".into())
}

/// Bytes of memory that wait with it.
fn bytes(exchange: &Exchange) -> u64 {
    match &exchange.body {
        Kept::Memory(body) => body.len() as u64,
        Kept::File(..) | Kept::Once(..) => 0,
    }
}
