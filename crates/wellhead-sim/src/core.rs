//! What all connections of a simulator share, and the life of one request.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::api::{self, Parsed};
use crate::fault::{Chosen, Faults, Opening, Plan, Rule, Rules, disguise};
use crate::guise;
use crate::idempotency::Worked;
use crate::log::{Ended, Log};
use crate::mind::{Rng, hash};
use crate::net::{Gone, Request, Wire};
use crate::options::SimOptions;
use crate::play::{play, send_whole};
use crate::reply::{self, Reply};

/// The shared state.
pub(crate) struct Core {
    pub(crate) options: SimOptions,
    pub(crate) log: Arc<Log>,
    rules: Mutex<Rules>,
    open: AtomicUsize,
    connections: AtomicU64,
    ids: AtomicU64,
    pub(crate) window: api::Window,
    slots: Option<Semaphore>,
    worked: Worked,
}

/// Counts an open connection for as long as it lives.
pub(crate) struct Open<'a>(&'a AtomicUsize);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Core {
    pub(crate) fn new(options: SimOptions) -> Self {
        Self {
            log: Arc::new(Log::new(&options)),
            rules: Mutex::new(Rules::new(options.seed)),
            open: AtomicUsize::new(0),
            connections: AtomicU64::new(0),
            ids: AtomicU64::new(0),
            window: api::Window::default(),
            slots: options.slots.map(|slots| Semaphore::new(slots.count.min(Semaphore::MAX_PERMITS))),
            worked: Worked::default(),
            options,
        }
    }

    /// The fault rules.
    pub(crate) fn rules(&self) -> MutexGuard<'_, Rules> {
        // A list of rules has no half-done state.
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a rule.
    pub(crate) fn add_rule(&self, rule: Rule) {
        self.rules().add(rule, Instant::now());
    }

    /// Is a connection that arrives now to be reset at once?
    pub(crate) fn refuses(&self, now: Instant) -> bool {
        self.rules().refuse(now)
    }

    /// A generator for ids, another one at each call.
    pub(crate) fn fresh(&self) -> Rng {
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        Rng::new(hash(self.options.seed, &number.to_le_bytes()))
    }

    /// Counts a connection as open.
    pub(crate) fn open(&self) -> Open<'_> {
        self.open.fetch_add(1, Ordering::Relaxed);
        Open(&self.open)
    }

    /// Connections that are open.
    pub(crate) fn connections_open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Numbers a connection.
    pub(crate) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Answers one request on `wire`.
    pub(crate) async fn handle(&self, request: Request, wire: &mut Wire<'_>) -> Result<(), Gone> {
        if request.path.starts_with("/_sim/") {
            return send_whole(wire, api::control(self, &request)).await;
        }
        // What is asked in another dialect is answered as a chat, and put into that dialect at the end.
        let (guise, chat, unread) = match guise::of(&request) {
            None => (None, None, None),
            Some((guise, Ok(chat))) => (Some(guise), Some(chat), None),
            Some((guise, Err(reply))) => (Some(guise), None, Some(reply)),
        };
        let asked = chat.as_ref().unwrap_or(&request);
        let mut parsed = Parsed::new(asked);
        let (faults, failure) = match self.choose(&request, &mut parsed) {
            Ok(faults) => (faults, unread),
            Err(reply) => (Faults::default(), Some(reply)),
        };
        let entry = self.log.begin(&request, parsed.model(), &faults);
        let plan = Plan::new(&faults, self.options.token_pace);
        // Whoever falls silent may have done the work; whoever refuses the connection has not.
        let known = if failure.is_none() { self.worked.replay(&request) } else { None };
        let replayed = known.is_some();
        let answer = || failure.or(known).unwrap_or_else(|| api::respond(self, asked, &parsed, &faults));
        if let Some(opening) = plan.opening {
            if !matches!(opening, Opening::Refuse) {
                let answer = answer();
                self.worked.remember(&request, &answer);
                entry.work(replayed, answer.status);
            }
            match opening {
                Opening::Silence => return Err(wire.silence().await),
                Opening::Refuse | Opening::Reset => wire.reset(opening == Opening::Refuse).await,
            }
            entry.end(Ended::Cut);
            return Ok(());
        }
        // Repeating an answer takes no slot.
        let (_slot, refused) = match self.slot(replayed).await {
            Ok(slot) => (slot, None),
            Err(reply) => (None, Some(reply)),
        };
        let reply = disguise(refused.unwrap_or_else(answer), &faults);
        let reply = match guise {
            None => reply,
            Some(guise) => guise.put_on(self, reply),
        };
        self.worked.remember(&request, &reply);
        entry.work(replayed, reply.status);
        let reply = api::dress(self, reply, entry.id(), &plan);
        let ended = play(wire, reply, &plan, &entry, request.accepts_gzip()).await?;
        entry.end(ended);
        Ok(())
    }

    /// A slot to work on a request, kept until it is dropped; or how the request is refused.
    async fn slot(&self, replayed: bool) -> Result<Option<SemaphorePermit<'_>>, Reply> {
        let (Some(slots), Some(options)) = (&self.slots, self.options.slots) else { return Ok(None) };
        if replayed {
            return Ok(None);
        }
        let Some(status) = options.refuse else {
            // The semaphore is never closed.
            return Ok(slots.acquire().await.ok());
        };
        slots.try_acquire().map(Some).map_err(|_| {
            let message = format!("All {} slots are taken.", options.count);
            reply::error(status, "server_error", Some("overloaded"), None, &message)
        })
    }

    /// The faults of a request, from the first source that names any: header, model name, rules.
    fn choose(&self, request: &Request, parsed: &mut Parsed) -> Result<Faults, Reply> {
        let wrong = |source: &str, error: &dyn std::fmt::Display| {
            reply::invalid(source, &format!("The fault in {source} cannot be read: {error}."))
        };
        // The name is split even if the header decides: the model is what stands before the plus.
        let named = parsed.take_model_faults();
        if let Some(text) = request.header("x-sim-fault") {
            return text.parse().map_err(|error| wrong("x-sim-fault", &error));
        }
        if let Some(text) = named {
            return text.parse().map_err(|error| wrong("model", &error));
        }
        let chosen = Chosen { model: parsed.model(), path: &request.path, key: request.key() };
        Ok(self.rules().choose(&chosen, Instant::now()))
    }
}
