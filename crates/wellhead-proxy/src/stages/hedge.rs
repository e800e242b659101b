//! A second attempt for a stream whose first token is late: [`Race`] decides, this module sends, waits, cancels and
//! writes down. Who brings content first answers.
//!
//! Nothing of either goes to the client while both run, so that it hears one answer; and once reasoning of the first
//! has gone out, nobody is asked beside it. The probe of a resting target is hedged soon, because its user shall not pay
//! for it. It goes on without its user when the other one wins: a target that is merely slower than its stand-in would
//! never come back otherwise.

use crate::answer::Opened;
use crate::exchange::{Call, Exchange, OwnCall};
use crate::settle::{Books, Detached, Signs};
use crate::stages::attempt::{self, Begun, Missed, Terms};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use wellhead_resilience::Nanos;
use wellhead_resilience::hedge::{Ask, Effect, Event, Race, Runner, when};
use wellhead_resilience::ladder::Ladder;
use wellhead_telemetry::RouteMetrics;
use wellhead_telemetry::metrics::Hedged;
use wellhead_types::{Retry, Rung};

/// How the loser of a race stands in the record. What it used is not known: it is cancelled before it says so.
const LOST: &str = "hedge_lost";

type Outcome = Result<Opened, Missed>;
type Running<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A stream has been asked for; fifty of them pay for one hedge.
pub(crate) fn on_stream(exchange: &Exchange) {
    let route = &exchange.route;
    if exchange.head.stream && route.model.hedge && route.targets.len() > 1 {
        route.hedges.on_stream();
    }
}

/// When another target is asked beside an attempt that has just been begun; `None`: never.
pub(crate) fn due(exchange: &Exchange, begun: &Begun) -> Option<Nanos> {
    let call = exchange.call();
    let (route, target) = (call.route, call.target(begun.number));
    if !call.head.stream || !route.model.hedge || !target.compared {
        return None;
    }
    let known = target.state.latencies.known(true);
    if !begun.is_probe && known.p95.is_none() {
        return None;
    }
    let (targets, now) = (route.targets.len(), begun.started);
    let repeatable = call.resume.is_none() && !call.body.is_once();
    let ask = Ask {
        started: begun.started,
        ends: Nanos::MAX,
        streamed: true,
        committed: false,
        alternative: repeatable
            && exchange.ladder.has_willing(begun.number, targets, &|i| call.view(i, now), now),
        probe: begun.is_probe,
    };
    let due = when(&ask, &known, &route.hedges)?;
    (call.worker.gateway.clock.instant(due) < begun.terms.limit.at).then_some(due)
}

/// Waits for the first attempt until it is due, and then for both.
pub(crate) async fn race(exchange: &mut Exchange, first: Begun, due: Nanos) -> Outcome {
    let due = exchange.worker.gateway.clock.instant(due);
    let own = first.is_probe.then(|| OwnCall::of(exchange));
    let (call, ladder, books) = exchange.split();
    let mut race = Race::new(first.is_probe);
    let mut first = Lane::start(call, own, first, books);
    let alone = match tokio::time::timeout_at(due, &mut first.running).await {
        Ok(outcome) => Ok(outcome),
        Err(_) => match send_second(&call, ladder, books, &mut race, &first) {
            Some(second) => Err(second),
            None => Ok((&mut first.running).await),
        },
    };
    match alone {
        Ok(outcome) => {
            attempt::settled(call.worker, call.route, books, &first.begun, &outcome);
            outcome
        }
        Err(second) => both(call, ladder, books, race, first, second).await,
    }
}

/// One of two attempts.
struct Lane<'a> {
    begun: Begun,
    signs: Arc<Signs>,
    running: Run<'a>,
}

/// It may need the request, or have all that it needs.
enum Run<'a> {
    Bound(Running<'a>),
    Own(Running<'static>),
}

impl Future for Run<'_> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Outcome> {
        match &mut *self {
            Self::Bound(running) => running.as_mut().poll(cx),
            Self::Own(running) => running.as_mut().poll(cx),
        }
    }
}

impl<'a> Lane<'a> {
    /// The attempt under way in the books; with `own` it can go on when the request is over.
    fn start(call: Call<'a>, own: Option<OwnCall>, begun: Begun, books: &mut Books) -> Self {
        let signs = Arc::new(Signs::default());
        books.watch(signs.clone());
        let seen = signs.clone();
        let running = match own {
            Some(own) => Run::Own(Box::pin(async move { run(&own.call(), &begun, &seen).await })),
            None => Run::Bound(Box::pin(async move { run(&call, &begun, &seen).await })),
        };
        Self { begun, signs, running }
    }
}

async fn run(call: &Call<'_>, begun: &Begun, signs: &Signs) -> Outcome {
    let response = attempt::send(call, begun).await?;
    signs.set_status(response.status().as_u16());
    attempt::open(call, begun, response, Some(signs)).await
}

/// The first one is late. `None`: it is waited for as if nothing had been due.
fn send_second<'a>(
    call: &Call<'a>,
    ladder: &mut Ladder,
    books: &mut Books,
    race: &mut Race,
    first: &Lane<'_>,
) -> Option<Lane<'a>> {
    let now = call.now();
    if first.signs.has_begun() || is_overloaded(call, now) {
        return None;
    }
    if race.step(Event::Due, &call.route.hedges) != Effect::SendSecond {
        return None;
    }
    let second = begin_second(call, ladder, books, &first.begun, now);
    match &second {
        Some(second) => {
            // What either says from now on waits until it has won.
            first.signs.set_quiet(true);
            second.signs.set_quiet(true);
        }
        None => drop(race.step(Event::Unsent, &call.route.hedges)),
    }
    second
}

fn begin_second<'a>(
    call: &Call<'a>,
    ladder: &mut Ladder,
    books: &mut Books,
    first: &Begun,
    now: Nanos,
) -> Option<Lane<'a>> {
    let number = ladder.beside(first.number, call.route.targets.len(), &|i| call.view(i, now), now)?;
    let limit = attempt::limit(call, ladder, number);
    books.turn();
    let terms = Terms { last_light: false, rung: first.terms.rung.max(Rung::Hedged), limit };
    let begun = attempt::begin(call, books, number, terms);
    let second = begun.ok().map(|begun| Lane::start(*call, None, begun, books));
    books.turn();
    if second.is_none() {
        ladder.unsent(number);
    }
    second
}

/// Whether an attempt more would be a burden: others wait for a target, the model comes back from an outage, or retries
/// have been so many that it can afford no more.
fn is_overloaded(call: &Call<'_>, now: Nanos) -> bool {
    let (room, route) = (&call.worker.gateway.room, call.route);
    room.places() > 0 || route.ramp.rate().is_some() || route.budget.left(now) == 0
}

/// Waits for the first content of two attempts, or for the end of both. The books are open at the first one.
async fn both<'a>(
    call: Call<'a>,
    ladder: &mut Ladder,
    books: &mut Books,
    mut race: Race,
    first: Lane<'a>,
    second: Lane<'a>,
) -> Outcome {
    let mut counted = Counted { metrics: &call.route.metrics, result: Hedged::Left };
    let mut lanes = [Some(first), Some(second)];
    loop {
        let (runner, begun, outcome) = next(&mut lanes).await;
        if runner == Runner::Second && lanes[0].is_some() {
            books.turn();
        }
        attempt::settled(call.worker, call.route, books, &begun, &outcome);
        let event = if outcome.is_ok() { Event::Content(runner) } else { Event::Failed(runner) };
        match (race.step(event, &call.route.hedges), outcome) {
            (Effect::GoOn, Err(Missed::Failed(failure, answer))) => {
                if runner == Runner::Second {
                    counted.result = Hedged::Failed;
                }
                // What the first one says of the request holds as it would without a second one, which may be asked for
                // less: its no says nothing about the first.
                if runner == Runner::First && failure.retry == Retry::Never {
                    counted.result = Hedged::Lost;
                    lose(&call, books, lanes.iter_mut().find_map(Option::take));
                    return Err(Missed::Failed(failure, answer));
                }
                books.fail_attempt(&failure);
                let now = call.now();
                ladder.failed_beside(begun.number, &failure, &|i| call.view(i, now), now);
                books.turn();
                lanes.iter().flatten().for_each(|lane| lane.signs.set_quiet(false));
            }
            (Effect::Take { winner, .. }, outcome) => {
                counted.result = match (winner, counted.result) {
                    (Runner::Second, _) => Hedged::Won,
                    (Runner::First, Hedged::Failed) => Hedged::Failed,
                    (Runner::First, _) => Hedged::Lost,
                };
                lose(&call, books, lanes.iter_mut().find_map(Option::take));
                return outcome;
            }
            (_, outcome) => {
                counted.result = Hedged::Failed;
                return outcome;
            }
        }
    }
}

/// The next of the attempts that ends.
async fn next(lanes: &mut [Option<Lane<'_>>; 2]) -> (Runner, Begun, Outcome) {
    poll_fn(|cx| {
        for (lane, runner) in lanes.iter_mut().zip([Runner::First, Runner::Second]) {
            if let Some(running) = lane
                && let Poll::Ready(outcome) = Pin::new(&mut running.running).poll(cx)
            {
                let begun = running.begun;
                *lane = None;
                return Poll::Ready((runner, begun, outcome));
            }
        }
        Poll::Pending
    })
    .await
}

/// Cancels the other one of two, if it still runs. The books are open at the one that stays.
fn lose(call: &Call<'_>, books: &mut Books, loser: Option<Lane<'_>>) {
    let Some(loser) = loser else { return };
    books.turn();
    match loser.running {
        Run::Bound(_) => books.end_attempt(LOST),
        Run::Own(running) => {
            if let Some(detached) = books.detach(LOST) {
                tokio::spawn(find_out(running, loser.begun, detached));
            }
        }
    }
    books.turn();
    tracing::debug!(target = %call.target(loser.begun.number).id, "the other one of two attempts was quicker");
}

/// The probe goes on until it is known whether its target answers. Its limits are those of any attempt; what it would
/// say is not read.
async fn find_out(running: Running<'static>, begun: Begun, detached: Detached) {
    let outcome = running.await;
    let now = detached.worker.gateway.clock.now();
    attempt::tell_key(&detached.worker, &detached.route, &begun, &outcome, now);
    match &outcome {
        Ok(opened) => detached.answers(opened.first_at.unwrap_or(now), now),
        Err(Missed::Failed(failure, _)) => detached.fails(failure, now),
        Err(Missed::Full | Missed::Unavailable) => {}
    }
}

/// Counts what became of a second attempt, also if its client leaves.
struct Counted<'a> {
    metrics: &'a RouteMetrics,
    result: Hedged,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.metrics.count_hedge(self.result);
    }
}
