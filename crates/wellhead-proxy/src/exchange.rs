//! One admitted request on its way through the attempts: everything that they need, owned, so that it can travel into
//! the body of the answer.

use crate::front::Foreign;
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
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use wellhead_http::trace::Trace;
use wellhead_resilience::Nanos;
use wellhead_resilience::fair::Class;
use wellhead_resilience::ladder::{Effect, Event, Ladder, TargetView};
use wellhead_wire::anthropic::Version;
use wellhead_wire::chat::Dialect;
use wellhead_wire::openai::Endpoint;
use wellhead_wire::openai::request::RequestHead;
use wellhead_wire::openai::stream::Identity;

/// The request and its state.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) worker: Arc<Worker>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) route: Arc<Route>,
    pub(crate) endpoint: Endpoint,
    pub(crate) head: RequestHead,
    pub(crate) body: Kept,
    /// What was asked, where the client speaks another dialect: `body` says as much of it as OpenAI Chat can.
    pub(crate) asked: Option<Arc<Foreign>>,
    /// The client's own body, where a target of the model speaks its dialect; not once the answer flows.
    pub(crate) own: Option<Arc<Own>>,
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

/// What an attempt reads of its request. Two of them can share it, while books and ladder are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) worker: &'a Arc<Worker>,
    pub(crate) plan: &'a Arc<Plan>,
    pub(crate) route: &'a Arc<Route>,
    pub(crate) endpoint: Endpoint,
    pub(crate) head: &'a RequestHead,
    pub(crate) body: &'a Kept,
    pub(crate) asked: Option<&'a Arc<Foreign>>,
    pub(crate) own: Option<&'a Arc<Own>>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) trace: &'a Trace,
    pub(crate) deadline: Nanos,
    pub(crate) early: Option<&'a Early>,
    pub(crate) resume: Option<&'a Resume>,
    /// Where the parts of the kept body begin that are for the model that is being asked.
    pub(crate) parts_before: usize,
    pub(crate) body_bytes: u64,
    /// Something else can be had if this model takes too long.
    pub(crate) is_hurried: bool,
}

impl Call<'_> {
    pub(crate) fn now(&self) -> Nanos {
        self.worker.gateway.clock.now()
    }

    pub(crate) fn target(&self, number: usize) -> &TargetPlan {
        &self.route.targets[number]
    }

    /// What the ladder is told about a target.
    pub(crate) fn view(&self, number: usize, now: Nanos) -> TargetView {
        self.target(number).view(self.worker.number, now)
    }
}

/// What a client of another dialect than OpenAI's sent.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) dialect: Dialect,
    pub(crate) body: Bytes,
    /// Of Anthropic's API, as the client named it.
    pub(crate) version: Version,
}

/// The same by itself, for an attempt that may outlive its request.
#[derive(Debug)]
pub(crate) struct OwnCall {
    worker: Arc<Worker>,
    plan: Arc<Plan>,
    route: Arc<Route>,
    endpoint: Endpoint,
    head: RequestHead,
    body: Kept,
    asked: Option<Arc<Foreign>>,
    own: Option<Arc<Own>>,
    headers: HeaderMap,
    trace: Trace,
    deadline: Nanos,
    early: Option<Arc<Early>>,
    parts_before: usize,
    body_bytes: u64,
    is_hurried: bool,
}

impl OwnCall {
    /// A copy of a request whose answer has not begun.
    pub(crate) fn of(exchange: &Exchange) -> Self {
        Self {
            worker: exchange.worker.clone(),
            plan: exchange.plan.clone(),
            route: exchange.route.clone(),
            endpoint: exchange.endpoint,
            head: exchange.head.clone(),
            body: exchange.body.clone(),
            asked: exchange.asked.clone(),
            own: exchange.own.clone(),
            headers: exchange.headers.clone(),
            trace: exchange.trace,
            deadline: exchange.deadline,
            early: exchange.early.clone(),
            parts_before: exchange.parts_before(),
            body_bytes: exchange.books.record.request_bytes,
            is_hurried: exchange.hurry().is_some(),
        }
    }

    pub(crate) fn call(&self) -> Call<'_> {
        Call {
            worker: &self.worker,
            plan: &self.plan,
            route: &self.route,
            endpoint: self.endpoint,
            head: &self.head,
            body: &self.body,
            asked: self.asked.as_ref(),
            own: self.own.as_ref(),
            headers: &self.headers,
            trace: &self.trace,
            deadline: self.deadline,
            early: self.early.as_deref(),
            resume: None,
            parts_before: self.parts_before,
            body_bytes: self.body_bytes,
            is_hurried: self.is_hurried,
        }
    }
}

/// Borrows each field by itself, so that the others can be written meanwhile.
macro_rules! call {
    ($exchange:expr) => {{
        let (parts_before, is_hurried) = ($exchange.parts_before(), $exchange.hurry().is_some());
        Call {
            worker: &$exchange.worker,
            plan: &$exchange.plan,
            route: &$exchange.route,
            endpoint: $exchange.endpoint,
            head: &$exchange.head,
            body: &$exchange.body,
            asked: $exchange.asked.as_ref(),
            own: $exchange.own.as_ref(),
            headers: &$exchange.headers,
            trace: &$exchange.trace,
            deadline: $exchange.deadline,
            early: $exchange.early.as_deref(),
            resume: $exchange.resume.as_deref(),
            parts_before,
            body_bytes: $exchange.books.record.request_bytes,
            is_hurried,
        }
    }};
}

impl Exchange {
    /// What an attempt reads of it.
    pub(crate) fn call(&self) -> Call<'_> {
        call!(self)
    }

    /// The same, and what changes while attempts are under way.
    pub(crate) fn split(&mut self) -> (Call<'_>, &mut Ladder, &mut Books) {
        let call = call!(self);
        (call, &mut self.ladder, &mut self.books)
    }

    /// How important it is.
    pub(crate) fn class(&self) -> Class {
        self.books.record.priority
    }

    pub(crate) fn now(&self) -> Nanos {
        self.worker.gateway.clock.now()
    }

    pub(crate) fn target(&self, number: usize) -> &TargetPlan {
        &self.route.targets[number]
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
    /// What the stream is called in the events that have reached the client.
    identity: OnceLock<Identity>,
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

    /// The first events that reach the client name the stream.
    pub(crate) fn name(&self, identity: Option<&Identity>) {
        if let Some(identity) = identity.filter(|_| self.identity.get().is_none()) {
            drop(self.identity.set(identity.clone()));
        }
    }

    /// What the client knows the stream by, if it has seen anything of it.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.get()
    }

    pub(crate) fn pop(&self) -> Option<Bytes> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}
