//! One admitted request on its way through the attempts: everything that they need, owned, so that it can travel into
//! the body of the answer.

use crate::gateway::Worker;
use crate::plan::{Plan, Route, TargetPlan};
use crate::replay::Kept;
use crate::settle::Books;
use crate::state::Place;
use crate::stream::{Fields, Resume};
use crate::substitute::Substitute;
use bytes::Bytes;
use http::HeaderMap;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use wellhead_http::trace::Trace;
use wellhead_resilience::Nanos;
use wellhead_resilience::fair::Class;
use wellhead_resilience::ladder::{Effect, Event, Ladder};
use wellhead_wire::openai::Endpoint;
use wellhead_wire::openai::request::RequestHead;

/// The request and its state.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) worker: Arc<Worker>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) route: Arc<Route>,
    pub(crate) endpoint: Endpoint,
    pub(crate) head: RequestHead,
    pub(crate) body: Kept,
    /// The client's headers as they came.
    pub(crate) headers: HeaderMap,
    /// What is left of them while an answer flows.
    pub(crate) kept_headers: Fields,
    pub(crate) trace: Trace,
    pub(crate) ladder: Ladder,
    pub(crate) deadline: Nanos,
    pub(crate) books: Box<Books>,
    /// Present for streamed requests.
    pub(crate) early: Option<Arc<Early>>,
    /// What it will probably use, in tokens.
    pub(crate) tokens: u64,
    /// Its place in the waiting room, while it has one.
    pub(crate) hold: Option<Box<Place>>,
    /// The target about to be asked is open, as all others are.
    pub(crate) last_light: bool,
    /// There once the answer has broken off and others are asked for the rest.
    pub(crate) resume: Option<Box<Resume>>,
    /// There if the model declares what stands in for it.
    pub(crate) substitute: Option<Box<Substitute>>,
}

impl Exchange {
    pub(crate) fn now(&self) -> Nanos {
        self.worker.gateway.clock.now()
    }

    /// How important it is.
    pub(crate) fn class(&self) -> Class {
        self.books.record.priority
    }

    pub(crate) fn target(&self, number: usize) -> &TargetPlan {
        &self.route.targets[number]
    }

    /// Whether somebody else than this target could answer instead.
    pub(crate) fn has_alternative(&self, target: usize, now: Nanos) -> bool {
        let (targets, worker) = (&self.route.targets, self.worker.number);
        self.ladder.has_alternative(targets.len(), target, &|i| targets[i].view(worker, now))
    }

    /// Asks the ladder what to do next.
    pub(crate) fn decide(&mut self, event: Event<'_>) -> Effect {
        let (now, worker) = (self.now(), self.worker.number);
        let route = &self.route;
        self.ladder.step(event, route.targets.len(), &|i| route.targets[i].view(worker, now), now)
    }
}

/// Events that reach the client before the commit point: reasoning that arrives after the headers had to be sent.
/// They do not commit; another target may still take over.
#[derive(Debug, Default)]
pub(crate) struct Early {
    open: AtomicBool,
    events: Mutex<VecDeque<Bytes>>,
}

impl Early {
    /// The headers are on their way: from now on events may follow.
    pub(crate) fn open(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// Hands events to the client's body. It takes all of them before it lets the attempt read on, so the queue holds
    /// what one read from the upstream yields, at most one event over the connection's buffer.
    pub(crate) fn push(&self, events: impl IntoIterator<Item = Bytes>) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).extend(events);
    }

    pub(crate) fn pop(&self) -> Option<Bytes> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}
