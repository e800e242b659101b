//! What a log of deferred requests comes to: who waits, who runs, what has ended. It changes by records alone, and only
//! by those that are durable, so that a process which dies finds the same in the log. What is not in it, because it
//! means nothing after a death, are reservations (being written down) and claims (about to be started or taken back).

use super::usage::{Full, Limits, Usage, check};
use super::{Accepted, Delivered, Finished, How, Id, Record};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use wellhead_types::Name;
use wellhead_types::planted::{self, Planted};

/// Strikes after which a request lets those behind it go first: one that makes its targets fail must not hold up the
/// others for ever. A failure while others are answered is a strike; in an outage, when nobody is, the order stays.
const STEPS_ASIDE_AFTER: u32 = 3;

/// Where a body lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// Number of the segment.
    pub segment: u64,
    /// Where it begins there.
    pub at: u64,
    /// Its length.
    pub bytes: u64,
}

/// What is known of one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// As it was accepted.
    pub request: Accepted,
    /// Its place among those that were accepted, the first one first.
    pub order: u64,
    /// How far it has come.
    pub state: State,
    /// Times that a target was asked and did not answer.
    pub tries: u32,
    /// A target that may have done the work without an answer of it having arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Name>,
    /// How far telling its owner has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivered>,
    /// The request's body, or the answer's once it has ended.
    #[serde(skip)]
    pub body: Place,
    /// The oldest segment that it needs.
    #[serde(skip)]
    base: u64,
    /// Failures of its own.
    #[serde(default)]
    strikes: u32,
    /// Answers that its model had given when it failed last.
    #[serde(skip)]
    answers_then: u64,
}

/// How far a request has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for a target.
    Queued,
    /// A target is being asked.
    Running {
        /// Since when, in milliseconds since 1970.
        since_ms: u64,
        /// Which one.
        target: Name,
    },
    /// It has ended.
    Finished(Finished),
}

/// What becomes of a request that is to be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserve {
    /// There is room: write it down under this number.
    New(u64),
    /// It was accepted before.
    Same(Id),
    /// The same is being written down by somebody else.
    Busy,
    /// Its key was used for another request.
    Conflict,
    /// There is no room.
    Full(Full),
}

#[derive(Debug)]
struct Reserved {
    app: Name,
    key: Option<String>,
    digest: String,
    bytes: u64,
}

type Waiting = BTreeSet<(u32, u64, Id)>;

/// All deferred requests of a process.
#[derive(Debug, Default)]
pub struct Outbox {
    entries: BTreeMap<Id, Entry>,
    /// By app and `Idempotency-Key`.
    keys: BTreeMap<(Name, String), Id>,
    /// Who waits, by model and app.
    waiting: BTreeMap<Name, BTreeMap<Name, Waiting>>,
    /// Answers so far, by model, while anybody waits for it.
    answers: BTreeMap<Name, u64>,
    /// Whose turn it was last, by model.
    turn: BTreeMap<Name, Name>,
    /// Whose owners are to be told.
    untold: BTreeSet<Id>,
    reserved: BTreeMap<Id, Reserved>,
    claimed: BTreeSet<Id>,
    all: Usage,
    apps: BTreeMap<Name, Usage>,
    next_order: u64,
}

impl Outbox {
    /// Asks for room, in the name of the request's key if it has one. What was reserved ends with the record
    /// [`Record::Accepted`] of this id, or with [`Outbox::abandon`].
    pub fn reserve(
        &mut self,
        id: Id,
        app: &Name,
        key: Option<(&str, &str)>,
        bytes: u64,
        limits: &Limits,
    ) -> Reserve {
        if let Some((key, digest)) = key {
            if let Some(entry) = self.keyed(app, key).filter(|_| !planted::has(Planted::DeferForgetsTheKey)) {
                let same = entry.request.digest == digest;
                return if same { Reserve::Same(entry.request.id) } else { Reserve::Conflict };
            }
            let under_way = |r: &&Reserved| r.app == *app && r.key.as_deref() == Some(key);
            if let Some(other) = self.reserved.values().find(under_way) {
                return if other.digest == digest { Reserve::Busy } else { Reserve::Conflict };
            }
        }
        if let Err(full) = check(self.all, self.usage(app), bytes, limits) {
            return Reserve::Full(full);
        }
        let (key, digest) =
            key.map_or((None, String::new()), |(key, digest)| (Some(key.to_owned()), digest.to_owned()));
        self.reserved.insert(id, Reserved { app: app.clone(), key, digest, bytes });
        self.charge(app, bytes);
        self.next_order += 1;
        Reserve::New(self.next_order)
    }

    /// The request could not be written down.
    pub fn abandon(&mut self, id: Id) {
        if let Some(reserved) = self.reserved.remove(&id) {
            self.discharge(&reserved.app, reserved.bytes);
        }
    }

    /// Takes a record that is durable, with the place of its body. False if it says nothing new: each request is
    /// accepted once and ends once, however often that is said.
    pub fn apply(&mut self, record: &Record, place: Place) -> bool {
        match record {
            Record::Accepted(request) => self.accepted(request, place),
            Record::Started { id, at_ms, target, doubt } => self.change(*id, |entry| {
                // While it runs: the target before has certainly not done it.
                let ended = matches!(entry.state, State::Finished(_));
                if !ended {
                    entry.doubt = doubt.clone().or(entry.doubt.take());
                    entry.state = State::Running { since_ms: *at_ms, target: target.clone() };
                }
                !ended
            }),
            Record::Returned { id, certain, .. } => self.returned(*id, *certain),
            Record::Finished { id, end } => self.finished(*id, end, place),
            Record::Delivered { id, delivery } => {
                let known = self.change(*id, |entry| {
                    entry.delivery = Some(delivery.clone());
                    true
                });
                if known && delivery.next_ms.is_none() {
                    self.untold.remove(id);
                }
                known
            }
            Record::Moved(entry) => self.moved(entry, place),
        }
    }

    /// To be called once when a whole log has been taken: who was running when the process died waits again, and
    /// nobody knows whether its target has done the work.
    pub fn recover(&mut self) {
        let running: Vec<Id> =
            self.entries.values().filter(|e| e.is_running()).map(|e| e.request.id).collect();
        for id in running {
            self.change(id, |entry| {
                if let State::Running { target, .. } = std::mem::replace(&mut entry.state, State::Queued) {
                    entry.doubt = Some(target).filter(|_| !planted::has(Planted::DeferForgetsTheDoubt));
                }
                true
            });
        }
    }

    /// A request.
    pub fn get(&self, id: Id) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// The request that came with this key.
    pub fn keyed(&self, app: &Name, key: &str) -> Option<&Entry> {
        // Keys are looked up where requests are accepted, a copy of one is nothing beside the write.
        self.keys.get(&(app.clone(), key.to_owned())).and_then(|id| self.entries.get(id))
    }

    /// All requests, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Models that somebody waits for.
    pub fn models(&self) -> impl Iterator<Item = &Name> {
        self.waiting.keys()
    }

    /// Claims the next request of a model: the first of the app whose turn it is.
    pub fn next(&mut self, model: &Name) -> Option<Id> {
        let apps = self.waiting.get(model)?;
        let after = self.turn.get(model);
        let later = after.and_then(|after| {
            use std::ops::Bound::{Excluded, Unbounded};
            apps.range::<Name, _>((Excluded(after), Unbounded)).next()
        });
        let (app, waiting) = later.or_else(|| apps.first_key_value())?;
        let (_, _, id) = *waiting.first()?;
        let app = app.clone();
        self.turn.insert(model.clone(), app);
        self.claim(id).then_some(id)
    }

    /// Takes a request that waits out of the queue, to be started or finished by the caller. False if it does not
    /// wait, or somebody else has claimed it.
    pub fn claim(&mut self, id: Id) -> bool {
        let waits = self.entries.get(&id).is_some_and(|entry| entry.state == State::Queued);
        if !waits || (!self.claimed.insert(id) && !planted::has(Planted::DeferHandsOutTwice)) {
            return false;
        }
        self.unqueue(id);
        true
    }

    /// Gives a claim up.
    pub fn release(&mut self, id: Id) {
        if self.claimed.remove(&id) {
            self.enqueue(id);
        }
    }

    /// Requests that wait and are not worth answering any more.
    pub fn expired(&self, now_ms: u64) -> Vec<Id> {
        let late = |e: &&Entry| e.state == State::Queued && e.request.expires_ms <= now_ms;
        self.entries.values().filter(late).map(|e| e.request.id).collect()
    }

    /// Requests whose owners are to be told now, at most `count_max`, and when the next one is due after that.
    pub fn to_tell(&self, now_ms: u64, count_max: usize) -> (Vec<Id>, Option<u64>) {
        let (mut due, mut next) = (Vec::new(), None);
        for entry in self.untold.iter().filter_map(|id| self.entries.get(id)) {
            let at = entry.delivery.as_ref().and_then(|delivery| delivery.next_ms).unwrap_or(0);
            if at <= now_ms && due.len() < count_max {
                due.push(entry.request.id);
            } else {
                next = Some(next.map_or(at, |next: u64| next.min(at)));
            }
        }
        (due, next)
    }

    /// Forgets what has been kept for long enough. Returns how many.
    pub fn forget(&mut self, now_ms: u64) -> usize {
        let old = |e: &&Entry| matches!(&e.state, State::Finished(end) if end.keep_until_ms <= now_ms);
        let old: Vec<Id> = self.entries.values().filter(old).map(|e| e.request.id).collect();
        for id in &old {
            self.remove(*id);
        }
        old.len()
    }

    /// What is kept, reservations included.
    pub const fn total(&self) -> Usage {
        self.all
    }

    /// What is kept of one app.
    pub fn usage(&self, app: &Name) -> Usage {
        self.apps.get(app).copied().unwrap_or_default()
    }

    /// The oldest segment that anything needs. Older ones may go, all of them or the oldest first: a later record must
    /// never be gone before an earlier one of the same request, or what has ended would wait again.
    pub fn oldest_segment(&self) -> Option<u64> {
        self.entries.values().map(|entry| entry.base).min()
    }

    /// Requests that need this segment.
    pub fn in_segment(&self, segment: u64) -> Vec<Id> {
        self.entries.values().filter(|entry| entry.base == segment).map(|e| e.request.id).collect()
    }

    fn accepted(&mut self, request: &Accepted, place: Place) -> bool {
        if self.entries.contains_key(&request.id) {
            return false;
        }
        self.abandon(request.id);
        let entry = Entry {
            request: request.clone(),
            order: request.order,
            state: State::Queued,
            tries: 0,
            doubt: None,
            delivery: None,
            body: place,
            base: place.segment,
            strikes: 0,
            answers_then: self.answers.get(&request.model).copied().unwrap_or(0),
        };
        self.insert(entry);
        true
    }

    fn returned(&mut self, id: Id, certain: bool) -> bool {
        let model = self.entries.get(&id).map(|entry| &entry.request.model);
        let answers = model.and_then(|model| self.answers.get(model)).copied().unwrap_or(0);
        self.change(id, |entry| {
            let State::Running { target, .. } = &entry.state else { return false };
            if !certain {
                entry.doubt = Some(target.clone());
            }
            entry.state = State::Queued;
            entry.tries = entry.tries.saturating_add(1);
            if std::mem::replace(&mut entry.answers_then, answers) < answers {
                entry.strikes = entry.strikes.saturating_add(1);
            }
            true
        })
    }

    fn finished(&mut self, id: Id, end: &Finished, place: Place) -> bool {
        let mut bytes = (0, 0);
        let ended = self.change(id, |entry| {
            if matches!(entry.state, State::Finished(_)) {
                return false;
            }
            bytes = (entry.body.bytes, place.bytes);
            (entry.state, entry.body) = (State::Finished(end.clone()), place);
            true
        });
        if ended {
            if let Some(app) = self.entries.get(&id).map(|entry| entry.request.app.clone()) {
                if end.status > 0
                    && let Some(model) = self.entries.get(&id).map(|entry| entry.request.model.clone())
                    && self.waiting.contains_key(&model)
                {
                    *self.answers.entry(model).or_default() += 1;
                }
                self.all.resize(bytes.0, bytes.1);
                self.apps.entry(app).or_default().resize(bytes.0, bytes.1);
            }
            if end.notify {
                self.untold.insert(id);
            }
        }
        ended
    }

    fn moved(&mut self, moved: &Entry, place: Place) -> bool {
        let id = moved.request.id;
        let ended = |entry: &Entry| matches!(entry.state, State::Finished(_));
        if self.entries.get(&id).is_some_and(|known| ended(known) && !ended(moved)) {
            return false;
        }
        self.abandon(id);
        let claimed = self.claimed.contains(&id);
        self.remove(id);
        let answers_then = self.answers.get(&moved.request.model).copied().unwrap_or(0);
        self.insert(Entry { body: place, base: place.segment, answers_then, ..moved.clone() });
        if claimed {
            self.claim(id);
        }
        true
    }

    fn insert(&mut self, entry: Entry) {
        let (id, app) = (entry.request.id, entry.request.app.clone());
        self.next_order = self.next_order.max(entry.order);
        self.charge(&app, entry.body.bytes);
        if let Some(key) = &entry.request.key {
            self.keys.insert((app, key.clone()), id);
        }
        let told = entry.delivery.as_ref().is_some_and(|delivery| delivery.next_ms.is_none());
        if matches!(&entry.state, State::Finished(end) if end.notify) && !told {
            self.untold.insert(id);
        }
        self.entries.insert(id, entry);
        self.enqueue(id);
    }

    fn remove(&mut self, id: Id) {
        self.unqueue(id);
        self.claimed.remove(&id);
        self.untold.remove(&id);
        let Some(entry) = self.entries.remove(&id) else { return };
        self.discharge(&entry.request.app, entry.body.bytes);
        if let Some(key) = entry.request.key {
            self.keys.remove(&(entry.request.app, key));
        }
    }

    /// Changes an entry and puts it where it belongs afterwards.
    fn change(&mut self, id: Id, change: impl FnOnce(&mut Entry) -> bool) -> bool {
        self.unqueue(id);
        let changed = self.entries.get_mut(&id).is_some_and(change);
        if changed {
            self.claimed.remove(&id);
        }
        self.enqueue(id);
        changed
    }

    fn enqueue(&mut self, id: Id) {
        let Some(entry) = self.entries.get(&id).filter(|entry| entry.state == State::Queued) else { return };
        if entry.tries > 0 && planted::has(Planted::DeferForgetsWhoFailed) {
            return;
        }
        if !self.claimed.contains(&id) {
            let apps = self.waiting.entry(entry.request.model.clone()).or_default();
            apps.entry(entry.request.app.clone()).or_default().insert(entry.rank());
        }
    }

    fn unqueue(&mut self, id: Id) {
        let Some(entry) = self.entries.get(&id) else { return };
        let (model, app) = (&entry.request.model, &entry.request.app);
        let Some(apps) = self.waiting.get_mut(model) else { return };
        if let Some(waiting) = apps.get_mut(app) {
            waiting.remove(&entry.rank());
            if waiting.is_empty() {
                apps.remove(app);
            }
        }
        if apps.is_empty() {
            self.waiting.remove(model);
            self.turn.remove(model);
            self.answers.remove(model);
        }
    }

    fn charge(&mut self, app: &Name, bytes: u64) {
        self.all.add(bytes);
        self.apps.entry(app.clone()).or_default().add(bytes);
    }

    fn discharge(&mut self, app: &Name, bytes: u64) {
        self.all.remove(bytes);
        if let Some(usage) = self.apps.get_mut(app) {
            usage.remove(bytes);
            if usage.requests == 0 {
                self.apps.remove(app);
            }
        }
    }
}

impl Entry {
    /// How it has ended, if it has.
    pub const fn end(&self) -> Option<&Finished> {
        match &self.state {
            State::Finished(end) => Some(end),
            State::Queued | State::Running { .. } => None,
        }
    }

    /// Whether a target is being asked.
    pub const fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// The word for its state.
    pub const fn word(&self) -> &'static str {
        match &self.state {
            State::Queued => "queued",
            State::Running { .. } => "running",
            State::Finished(Finished { how, .. }) => How::as_str(*how),
        }
    }

    const fn rank(&self) -> (u32, u64, Id) {
        (self.strikes / STEPS_ASIDE_AFTER, self.order, self.request.id)
    }
}
