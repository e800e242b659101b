//! Answers that are kept for an outage, and the one that is given again.

use super::key::Question;
use super::{Hit, Substitute};
use crate::answer::{Content, Opened};
use crate::clock::nanos;
use crate::exchange::Exchange;
use crate::gateway::Gateway;
use crate::replay::{Budget, Share};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;
use wellhead_config::snapshot::AnswerCache;
use wellhead_resilience::Nanos;
use wellhead_resilience::cache::{Cache, Key};
use wellhead_resilience::substitute::Step;
use wellhead_telemetry::metrics::CacheNumbers;
use wellhead_types::Rung;
use wellhead_wire::openai::reuse;

/// Request and answer up to this size are read and hashed where they are: below a millisecond, the deepest nesting
/// included. Larger ones go to the blocking pool (decision 7).
const INLINE_BYTES_MAX: usize = 64 * 1024;
/// Larger ones at a time, over the process. An answer that finds no place is not kept.
const JOBS_MAX: usize = 2;
/// Part of the cache's memory that streams under way may take while it is not known whether they can be kept.
const RECORDING_PART: u64 = 4;
/// Streams are counted in pieces of this size.
const COUNTED_BYTES: u64 = 16 * 1024;

/// The answers, shared by all workers. Its lock is taken when an answer that may be kept is complete, and when nobody
/// answers; never across a wait.
#[derive(Debug)]
pub(crate) struct AnswerStore {
    cache: Mutex<Cache<Answer>>,
    jobs: Arc<Semaphore>,
    recordings: Arc<Budget>,
}

/// An answer as it was delivered.
#[derive(Debug, Clone)]
struct Answer {
    body: Bytes,
    /// Who gave it.
    target: HeaderValue,
}

impl Default for AnswerStore {
    fn default() -> Self {
        Self { cache: Mutex::default(), jobs: Arc::new(Semaphore::new(JOBS_MAX)), recordings: Arc::default() }
    }
}

impl AnswerStore {
    fn lock(&self) -> MutexGuard<'_, Cache<Answer>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps to a bound that may have become smaller.
    pub(crate) fn shrink(&self, bytes_max: u64) {
        // What goes is freed when the lock is open again.
        let gone = self.lock().shrink(bytes_max);
        drop(gone);
    }

    /// How it fares.
    pub(crate) fn numbers(&self) -> CacheNumbers {
        let cache = self.lock();
        let counts = cache.counts();
        CacheNumbers {
            bytes: cache.bytes(),
            answers: cache.len() as u64,
            hits: counts.hits,
            misses: counts.misses,
            stored: counts.stored,
            evicted: counts.evicted,
            expired: counts.expired,
        }
    }
}

/// The answer that was given to the very same request before.
pub(super) async fn look(exchange: &mut Exchange) -> Option<Opened> {
    let sub = exchange.substitute.as_ref()?;
    let settings = sub.cache()?;
    let question = Question::of(exchange, settings.scope, &sub.asked.model.name)?;
    let gateway = exchange.worker.gateway.clone();
    let key = if question.bytes() <= INLINE_BYTES_MAX {
        question.key()?
    } else {
        let permit = gateway.answers.jobs.clone().acquire_owned().await.ok()?;
        let job = tokio::task::spawn_blocking(move || {
            let key = question.key();
            drop(permit);
            key
        });
        job.await.ok()??
    };
    let (answer, left) = gateway.answers.lock().get(&key, exchange.now())?;
    exchange.substitute.as_mut()?.hit = Some(Hit { target: answer.target, left });
    Some(prepared(exchange, answer.body, Rung::Cached))
}

/// An answer that nobody is asked for.
pub(super) fn prepared(exchange: &Exchange, body: Bytes, rung: Rung) -> Opened {
    let mut headers = HeaderMap::with_capacity(2);
    if exchange.head.stream {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    } else {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    // Nothing was used for it.
    let content = Content::Whole(body, Some(Box::default()));
    Opened {
        target: Opened::NO_TARGET,
        rung,
        first_at: None,
        status: 200,
        headers,
        dropped: None,
        original: None,
        content,
    }
}

/// A streamed answer on its way to the client.
#[derive(Debug)]
pub(super) struct Recording {
    question: Question,
    events: Vec<u8>,
    share: Share,
    bytes_max: u64,
    shared_bytes_max: u64,
    target: HeaderValue,
}

/// What is kept, and where.
struct Job {
    gateway: Arc<Gateway>,
    question: Question,
    answer: Answer,
    streamed: bool,
    expires_at: Nanos,
    now: Nanos,
    bytes_max: u64,
}

impl Job {
    /// Looks at the answer, makes the key, keeps it.
    fn run(self) {
        let endpoint = self.question.endpoint();
        let good = match self.streamed {
            true => reuse::stream(endpoint, &self.answer.body),
            false => reuse::whole(endpoint, &self.answer.body),
        };
        let Some(key) = self.question.key().filter(|_| good) else { return };
        self.keep(key);
    }

    fn keep(self, key: Key) {
        // With memory of its own: as it came it may be a small piece of a large buffer.
        let answer = Answer { body: Bytes::copy_from_slice(&self.answer.body), ..self.answer };
        let bytes = answer.body.len() as u64;
        let mut cache = self.gateway.answers.lock();
        let gone = cache.insert(key, answer, bytes, self.expires_at, self.now, self.bytes_max);
        drop(cache);
        drop(gone);
    }

    /// Here if it is quick, in the blocking pool if there is a place, otherwise not at all.
    fn start(self) {
        if self.question.bytes() + self.answer.body.len() <= INLINE_BYTES_MAX {
            return self.run();
        }
        let Ok(permit) = self.gateway.answers.jobs.clone().try_acquire_owned() else { return };
        tokio::task::spawn_blocking(move || {
            self.run();
            drop(permit);
        });
    }
}

impl Substitute {
    fn cache(&self) -> Option<AnswerCache> {
        self.asked.model.fallback.as_ref()?.cache
    }

    /// The settings by which the answer of the attempt that has opened may be kept. That of a smaller model may not: the
    /// next caller shall not get it in place of a better one.
    fn keeps(&self) -> Option<AnswerCache> {
        match self.decider.latest() {
            None | Some(Step::Larger | Step::Again) => self.cache(),
            Some(Step::Cached | Step::Smaller | Step::Text) => None,
        }
    }
}

impl Exchange {
    /// Keeps an unstreamed answer that goes to the client as it is.
    pub(crate) fn keep_whole(&self, opened: &Opened) {
        let Some(sub) = &self.substitute else { return };
        let (Some(settings), Content::Whole(body, _)) = (sub.keeps(), &opened.content) else { return };
        let Some(target) = self.route.targets.get(opened.target) else { return };
        let fits = body.len() as u64 <= settings.answer_bytes_max;
        if self.head.stream
            || opened.status != 200
            || !fits
            || opened.headers.contains_key("content-encoding")
        {
            return;
        }
        let Some(question) = Question::of(self, settings.scope, &sub.asked.model.name) else { return };
        let answer = Answer { body: body.clone(), target: target.header.clone() };
        self.job(question, answer, settings, false).start();
    }

    fn job(&self, question: Question, answer: Answer, settings: AnswerCache, streamed: bool) -> Job {
        let now = self.now();
        Job {
            gateway: self.worker.gateway.clone(),
            question,
            answer,
            streamed,
            expires_at: now.saturating_add(nanos(settings.ttl)),
            now,
            bytes_max: self.plan.limits.cache_bytes_max,
        }
    }

    /// A stream begins to flow to the client: from its first event on it is recorded, if it may be kept.
    pub(crate) fn record_stream(&mut self, target: usize) {
        let Some(sub) = &self.substitute else { return };
        let Some(settings) = sub.keeps() else { return };
        let Some(target) = self.route.targets.get(target) else { return };
        let Some(question) = Question::of(self, settings.scope, &sub.asked.model.name) else { return };
        let gateway = &self.worker.gateway;
        let recording = Recording {
            question: question.owned(),
            events: Vec::new(),
            share: gateway.answers.recordings.share(),
            bytes_max: settings.answer_bytes_max,
            shared_bytes_max: self.plan.limits.cache_bytes_max / RECORDING_PART,
            target: target.header.clone(),
        };
        if let Some(sub) = &mut self.substitute {
            sub.recording = Some(recording);
        }
    }

    /// Whether what goes to the client is recorded.
    pub(crate) fn is_recording(&self) -> bool {
        self.substitute.as_ref().is_some_and(|sub| sub.recording.is_some())
    }

    /// An event goes to the client.
    pub(crate) fn record_event(&mut self, event: &[u8]) {
        let Some(sub) = &mut self.substitute else { return };
        if sub.recording.as_mut().is_some_and(|recording| !recording.add(event)) {
            sub.recording = None;
        }
    }

    /// The stream is not what was asked for any more, or has broken off.
    pub(crate) fn stop_recording(&mut self) {
        if let Some(sub) = &mut self.substitute {
            sub.recording = None;
        }
    }

    /// The stream has come to its end.
    pub(crate) fn keep_stream(&mut self) {
        let Some(sub) = &mut self.substitute else { return };
        let Some(settings) = sub.keeps() else { return };
        let Some(Recording { question, events, target, share, .. }) = sub.recording.take() else { return };
        let answer = Answer { body: events.into(), target };
        self.job(question, answer, settings, true).start();
        drop(share);
    }
}

impl Recording {
    /// False if it becomes too long, or all together take too much.
    fn add(&mut self, event: &[u8]) -> bool {
        let bytes = (self.events.len() + event.len()) as u64;
        if bytes > self.bytes_max {
            return false;
        }
        while self.share.bytes() < bytes + self.question.bytes() as u64 {
            if !self.share.grow(COUNTED_BYTES, self.shared_bytes_max) {
                return false;
            }
        }
        self.events.extend_from_slice(event);
        true
    }
}
