//! Where the body of a request waits for its attempts (decision 16): in memory, in an unlinked file, or nowhere, if it
//! may be sent once only.

mod budget;
mod spill;
#[cfg(test)]
mod tests;

pub(crate) use budget::{Budget, Share, bind, memory_max};
pub(crate) use spill::{DiskJobs, Spill};

use crate::exchange::{Call, Exchange};
use crate::plan::TargetPlan;
use crate::substitute;
use bytes::Bytes;
use std::sync::Arc;
use wellhead_net::OutBody;
use wellhead_net::body::{BodyFile, OnceBytes, Part};
use wellhead_resilience::SECOND;
use wellhead_resilience::ladder::{Effect, End};
use wellhead_types::{Cause, Failure, Retry, Scope, Side};
use wellhead_wire::openai::request::{self, PrepareFlags, prepare, prepare_parts, prepare_pieces};

/// Bodies above this go to a file: nearly all text is smaller, and pictures, sound and documents are what memory cannot
/// be kept for by the thousand.
const IN_MEMORY_BYTES_MAX: usize = 1 << 20;

/// Bodies up to this size are copied when a field changes: one write is cheaper than three. Larger ones share their
/// memory with the request.
const COPIED_BYTES_MAX: usize = 64 * 1024;

/// Largest body that is read back to ask for the rest of a broken answer: it is scanned on the worker, which takes
/// about a millisecond for so much.
const READ_BACK_BYTES_MAX: u64 = 4 << 20;

/// Bodies above this have memory of their own already: they did not fit into the connection's read buffer.
const READ_BUFFER_BYTES_MAX: usize = 8 * 1024;

/// The body of an admitted request.
#[derive(Debug, Clone)]
pub(crate) enum Kept {
    /// Within the budget, for every attempt.
    Memory(Bytes),
    /// For every attempt, and no memory is held for it.
    File(Arc<BodyFile>, PerTarget),
    /// Beyond the budget: for the first attempt that gets as far as sending it.
    Once(Arc<OnceBytes>, PerTarget),
}

/// What goes out to each target, as parts of the client's body: those of the model that was asked for, then those of the
/// models that may stand in for it. Found while the body is in memory.
pub(crate) type PerTarget = Box<[Arc<[Part]>]>;

impl Kept {
    /// There will be no second attempt.
    pub(crate) const fn is_once(&self) -> bool {
        matches!(self, Self::Once(..))
    }

    /// It has been sent, or begun to be, and was not kept.
    pub(crate) fn is_spent(&self) -> bool {
        matches!(self, Self::Once(bytes, _) if bytes.is_spent())
    }
}

/// Finds the place for the body, before the first attempt. The fast path is one load.
pub(crate) async fn keep(exchange: &mut Exchange) {
    if let Kept::Memory(bytes) = &exchange.body
        && bytes.len() > IN_MEMORY_BYTES_MAX
    {
        let bytes = bytes.clone();
        // Boxed: nearly no request comes here, and every one would carry it.
        Box::pin(to_file(exchange, bytes)).await;
    }
    let Kept::Memory(bytes) = &exchange.body else { return };
    if exchange.worker.gateway.replay.used() > exchange.plan.limits.replay_bytes_max {
        let parts = per_target(exchange, bytes);
        exchange.body = Kept::Once(Arc::new(OnceBytes::new(bytes.clone())), parts);
        exchange.books.record.replay = false;
    }
}

/// If it can be written, the memory is given back; if not, it stays where it is.
async fn to_file(exchange: &mut Exchange, bytes: Bytes) {
    let worker = exchange.worker.clone();
    if let Some(file) = worker.gateway.spill.write(&worker.disk, &bytes).await {
        let parts = per_target(exchange, &bytes);
        exchange.body = Kept::File(file, parts);
    }
}

/// Takes the body back into memory, within the budget. Returns whether it is there.
pub(crate) async fn read_back(exchange: &mut Exchange) -> bool {
    let Kept::File(file, _) = &exchange.body else { return matches!(exchange.body, Kept::Memory(_)) };
    let bytes = exchange.books.record.request_bytes;
    let mut share = exchange.worker.gateway.replay.share();
    let Ok(length) = usize::try_from(bytes) else { return false };
    if bytes > READ_BACK_BYTES_MAX || !share.grow(bytes, exchange.plan.limits.replay_bytes_max) {
        return false;
    }
    let Ok(read) = file.clone().read(length).await else { return false };
    exchange.body = Kept::Memory(bind(read, share));
    true
}

pub(crate) fn flags(target: &TargetPlan) -> PrepareFlags {
    target.voice.flags
}

fn per_target(exchange: &Exchange, body: &Bytes) -> PerTarget {
    let part = |part: request::Part| match part {
        request::Part::Kept(range) => Part::Kept(range.start as u64..range.end as u64),
        request::Part::New(bytes) => Part::New(bytes),
    };
    let parts = |target: &TargetPlan| {
        prepare_parts(body, &exchange.head, &target.model, flags(target)).into_iter().map(part).collect()
    };
    let [smaller, larger] = substitute::others(&exchange.plan, &exchange.route);
    let routes = [Some(exchange.route.clone()), smaller, larger];
    routes.iter().flatten().flat_map(|route| &route.targets).map(parts).collect()
}

impl Call<'_> {
    /// The body for one target: the client's bytes, but for the fields that the target needs otherwise.
    pub(crate) fn out_body(&self, number: usize) -> OutBody {
        if let Some((body, head)) = self.resume.and_then(|resume| resume.changed()) {
            let target = self.target(number);
            return OutBody::full(prepare(body, head, &target.model, flags(target)));
        }
        match self.body {
            Kept::Memory(body) => {
                let target = self.target(number);
                if body.len() > COPIED_BYTES_MAX {
                    return OutBody::pieces(prepare_pieces(body, self.head, &target.model, flags(target)));
                }
                OutBody::full(prepare(body, self.head, &target.model, flags(target)))
            }
            Kept::File(file, parts) => OutBody::file(file.clone(), parts[self.parts_before + number].clone()),
            Kept::Once(bytes, parts) => {
                OutBody::once(bytes.clone(), parts[self.parts_before + number].clone())
            }
        }
    }

    /// Whether the body is there, or can be read back, once an answer has broken off.
    pub(crate) fn keeps_body(&self) -> bool {
        match self.body {
            Kept::Memory(_) => true,
            Kept::File(..) => self.body_bytes <= READ_BACK_BYTES_MAX,
            Kept::Once(..) => false,
        }
    }

    /// Puts the blame right: an attempt whose body could not be had is no fault of the target's.
    pub(crate) fn blame(&self, failure: Failure) -> Failure {
        let unread = matches!(self.body, Kept::File(file, _) if file.failed());
        if !unread && failure.cause != Cause::Internal {
            return failure;
        }
        Failure {
            side: Side::Gateway,
            scope: Scope::Request,
            retry: Retry::Elsewhere,
            cause: Cause::Internal,
            detail: format!("the request's body could not be read again: {}", failure.detail),
            ..failure
        }
    }
}

impl Exchange {
    /// A small body may be a piece of a connection's read buffer: it gets memory of its own size. Where the budget has no
    /// room for both, it stays what it is.
    pub(crate) fn own_body(&mut self) {
        let Kept::Memory(body) = &self.body else { return };
        if body.len() > READ_BUFFER_BYTES_MAX {
            return;
        }
        let mut share = self.worker.gateway.replay.share();
        if share.grow(body.len() as u64, self.plan.limits.replay_bytes_max) {
            self.body = Kept::Memory(bind(Bytes::copy_from_slice(body), share));
        }
    }

    /// What the ladder says, unless it asks for an attempt with a body that is gone.
    pub(crate) fn possible(&self, effect: Effect) -> Effect {
        let soon = match effect {
            Effect::GiveUp(_) => return effect,
            Effect::Send(_) | Effect::LastLight(_) => self.now().saturating_add(SECOND),
            Effect::Wait(until) | Effect::Hold { recovery: until } => until,
        };
        if !self.body.is_spent() {
            return effect;
        }
        Effect::GiveUp(End::NoHealthyUpstream { recovery: Some(soon) })
    }
}
