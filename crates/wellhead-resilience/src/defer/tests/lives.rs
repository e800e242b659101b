//! A process that accepts, asks, fails and dies at any moment, over one log; clients that come again with their keys;
//! targets that do what they are asked, and may be silent about it. What was promised is kept, and is done once
//! (survival.md 9.1, I7). What the process does with the outbox is what the proxy does (`defer/run.rs`, `defer/replay.rs`).

use super::accepted;
use crate::Rng;
use crate::defer::{Accepted, Finished, How, Id, Limits, Outbox, Place, Record, Reserve};
use std::collections::{BTreeMap, VecDeque};
use wellhead_types::Name;
use wellhead_types::planted::{self, Planted};

const LIMITS: Limits =
    Limits { requests_max: 1_000, bytes_max: 1 << 20, app_requests_max: 1_000, app_bytes_max: 1 << 20 };
/// Of a request's body.
const BYTES: u64 = 10;
/// What clients do while anything happens, and what is left to be done in peace.
const STEPS: u64 = 300;
const STEPS_IN_PEACE_MAX: u64 = 20_000;
/// After which a request is not worth answering any more, a step being a millisecond: soon, or never.
const WITHIN_MS: [u64; 2] = [150, 1 << 40];

type Key = (Name, &'static str);

/// What happens when a record is durable.
enum Then {
    /// The client gets its 202.
    Promise(Id, Option<Key>),
    /// The target gets the request.
    Ask(Id, usize),
    Nothing,
}

struct World {
    rng: Rng,
    seed: u64,
    now_ms: u64,
    /// Targets know a request again by its key, and do it once.
    idempotent: bool,
    within_ms: u64,
    // The process: gone when it dies.
    outbox: Outbox,
    writing: VecDeque<(Record, Then)>,
    /// Handed out, and not yet written down as started.
    claimed: Vec<Id>,
    // The rest of the world.
    log: Vec<Record>,
    ids: u128,
    /// At a target: it may be done at any time, whether or not anybody waits for the answer.
    asked: Vec<(Id, usize)>,
    /// Asked for by a process that has died since.
    orphans: Vec<(Id, usize)>,
    done: BTreeMap<Id, BTreeMap<usize, u32>>,
    promised: BTreeMap<Id, Option<How>>,
    keys: BTreeMap<Key, Id>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let idempotent = rng.below(2) == 0;
        let within_ms = WITHIN_MS[usize::try_from(rng.below(2)).unwrap()];
        Self {
            rng,
            seed,
            now_ms: 1_000,
            idempotent,
            within_ms,
            outbox: Outbox::default(),
            writing: VecDeque::new(),
            claimed: Vec::new(),
            log: Vec::new(),
            ids: 0,
            asked: Vec::new(),
            orphans: Vec::new(),
            done: BTreeMap::new(),
            promised: BTreeMap::new(),
            keys: BTreeMap::new(),
        }
    }

    fn pick(&mut self, count: usize) -> usize {
        usize::try_from(self.rng.below(count as u64)).unwrap()
    }

    fn broken(&self, what: &str) -> Result<(), String> {
        Err(format!("seed {} at {}: {what}", self.seed, self.now_ms))
    }

    fn play(mut self) -> Result<(), String> {
        for _ in 0..STEPS {
            self.now_ms += 1;
            match self.rng.below(12) {
                0 | 1 => self.client()?,
                2 if self.rng.below(4) == 0 => self.die(),
                _ => self.process()?,
            }
        }
        for _ in 0..STEPS_IN_PEACE_MAX {
            if self.promised.values().all(Option::is_some) && self.orphans.is_empty() {
                return self.finally();
            }
            self.now_ms += 1;
            self.process()?;
        }
        self.broken("a request that was accepted never ends")
    }

    fn process(&mut self) -> Result<(), String> {
        match self.rng.below(6) {
            0 | 1 => self.flush()?,
            2 => self.hand_out()?,
            3 => self.start(),
            4 => self.target()?,
            _ => self.sweep()?,
        }
        self.look()
    }

    /// A client asks, perhaps again.
    fn client(&mut self) -> Result<(), String> {
        self.ids += 1;
        let (id, app) = (Id(self.ids), Name::from(["a", "b"][self.pick(2)]));
        let key = [None, Some("k"), Some("l"), Some("m")][self.pick(4)];
        let named = key.map(|key| (app.clone(), key));
        match self.outbox.reserve(id, &app, key.map(|key| (key, "digest")), BYTES, &LIMITS) {
            Reserve::New(order) => {
                let request = Accepted {
                    order,
                    key: key.map(str::to_owned),
                    digest: if key.is_some() { "digest".to_owned() } else { String::new() },
                    expires_ms: self.now_ms + self.within_ms,
                    ..accepted(self.ids, &app, "m")
                };
                self.writing.push_back((Record::Accepted(Box::new(request)), Then::Promise(id, named)));
                Ok(())
            }
            // A crash may have left what was written and not been promised: from now on it is.
            Reserve::Same(id) => self.promise(id, named),
            Reserve::Busy => Ok(()),
            refused => self.broken(&format!("refused: {refused:?}")),
        }
    }

    fn promise(&mut self, id: Id, key: Option<Key>) -> Result<(), String> {
        self.promised.entry(id).or_insert(None);
        match key.map(|key| *self.keys.entry(key).or_insert(id)) {
            Some(first) if first != id => self.broken(&format!("one key for both {first} and {id}")),
            _ => Ok(()),
        }
    }

    /// The disk has taken a few.
    fn flush(&mut self) -> Result<(), String> {
        for _ in 0..self.pick(4) {
            let Some((record, then)) = self.writing.pop_front() else { break };
            self.outbox.apply(&record, Place { segment: 1, at: 8, bytes: BYTES });
            self.log.push(record);
            match then {
                Then::Promise(id, key) => self.promise(id, key)?,
                Then::Ask(id, target) => self.asked.push((id, target)),
                Then::Nothing => {}
            }
        }
        Ok(())
    }

    fn write(&mut self, record: Record) {
        self.writing.push_back((record, Then::Nothing));
    }

    fn end(&mut self, id: Id, how: How) {
        let status = if how == How::Completed { 200 } else { 0 };
        let end = Finished {
            how,
            at_ms: self.now_ms,
            keep_until_ms: u64::MAX,
            status,
            headers: Vec::new(),
            code: None,
            notify: false,
        };
        self.write(Record::Finished { id, end: Box::new(end) });
    }

    fn hand_out(&mut self) -> Result<(), String> {
        let Some(id) = self.outbox.next(&"m".into()) else { return Ok(()) };
        self.claim(id)
    }

    fn claim(&mut self, id: Id) -> Result<(), String> {
        let of_it = |record: &Record| match record {
            Record::Started { id: of, .. }
            | Record::Returned { id: of, .. }
            | Record::Finished { id: of, .. } => *of == id,
            _ => false,
        };
        let at_it = self.writing.iter().any(|(record, _)| of_it(record));
        if at_it || self.claimed.contains(&id) || self.asked.iter().any(|(asked, _)| *asked == id) {
            return self.broken(&format!("{id} is handed out twice"));
        }
        self.claimed.push(id);
        Ok(())
    }

    /// Whom one is asked of is written down before it is asked; in doubt it is not, or only who would know it again.
    fn start(&mut self) {
        if self.claimed.is_empty() {
            return;
        }
        let at = self.pick(self.claimed.len());
        let id = self.claimed.swap_remove(at);
        let Some(entry) = self.outbox.get(id) else { return };
        let doubt = entry.doubt.clone();
        let asked = doubt.as_deref().and_then(|target| target.strip_prefix('t')?.parse().ok());
        let target = match asked {
            Some(_) if !self.idempotent => return self.end(id, How::Failed),
            Some(target) => target,
            None => self.pick(3),
        };
        let name = format!("t{target}").into();
        let started = Record::Started { id, at_ms: self.now_ms, target: name, doubt };
        self.writing.push_back((started, Then::Ask(id, target)));
    }

    /// Targets do what they were asked for, or do not; and say so, or are silent.
    fn target(&mut self) -> Result<(), String> {
        if !self.orphans.is_empty() {
            let at = self.pick(self.orphans.len());
            let (id, target) = self.orphans.swap_remove(at);
            return if self.rng.below(2) == 0 { self.work(id, target) } else { Ok(()) };
        }
        if self.asked.is_empty() {
            return Ok(());
        }
        let at = self.pick(self.asked.len());
        let (id, target) = self.asked.swap_remove(at);
        let (works, says) = (self.rng.below(3) > 0, self.rng.below(3) > 0);
        if works {
            self.work(id, target)?;
        }
        match (works, says) {
            (true, true) => self.end(id, How::Completed),
            (_, false) if !self.idempotent => self.end(id, How::Failed),
            (_, certain) => {
                let cause = "server_error".to_owned();
                self.write(Record::Returned { id, at_ms: self.now_ms, certain, cause });
            }
        }
        Ok(())
    }

    fn work(&mut self, id: Id, target: usize) -> Result<(), String> {
        let done = self.done.entry(id).or_default();
        let times = done.entry(target).or_default();
        // Who knows its keys gives the first answer again.
        *times = if self.idempotent { 1 } else { *times + 1 };
        match done.values().sum::<u32>() {
            0 | 1 => Ok(()),
            times => self.broken(&format!("{id} is done {times} times")),
        }
    }

    /// What is not worth answering any more is ended, unless somebody is at it.
    fn sweep(&mut self) -> Result<(), String> {
        for id in self.outbox.expired(self.now_ms) {
            if self.outbox.claim(id) {
                self.claim(id)?;
                self.claimed.retain(|claimed| *claimed != id);
                self.end(id, How::Expired);
            }
        }
        Ok(())
    }

    /// What was on its way to the disk may be there or not, and nobody was told. What targets were asked, they were asked.
    fn die(&mut self) {
        for _ in 0..self.pick(self.writing.len() + 1) {
            if let Some((record, _)) = self.writing.pop_front() {
                self.log.push(record);
            }
        }
        self.writing.clear();
        self.claimed.clear();
        self.orphans.append(&mut self.asked);
        self.outbox = Outbox::default();
        for record in &self.log {
            self.outbox.apply(record, Place { segment: 1, at: 8, bytes: BYTES });
        }
        self.outbox.recover();
    }

    /// Owners ask about their requests: each is there, and an end is the end.
    fn look(&mut self) -> Result<(), String> {
        let mut wrong = None;
        for (id, known) in &mut self.promised {
            match (self.outbox.get(*id).map(|entry| entry.end().map(|end| end.how)), &known) {
                (None, _) => wrong = Some(format!("{id} is lost")),
                (Some(now), Some(then)) if now != Some(*then) => {
                    wrong = Some(format!("{id} had ended ({then:?}), and now {now:?}"));
                }
                (Some(now), _) => *known = now,
            }
        }
        wrong.map_or(Ok(()), |what| self.broken(&what))
    }

    fn finally(self) -> Result<(), String> {
        for (id, how) in &self.promised {
            let times: u32 = self.done.get(id).map_or(0, |done| done.values().sum());
            if *how == Some(How::Completed) && times != 1 {
                return self.broken(&format!("{id} is completed and was done {times} times"));
            }
        }
        Ok(())
    }
}

#[test]
fn what_is_promised_is_kept_and_done_once_whatever_dies() {
    for seed in 0..3_000 {
        World::new(seed).play().unwrap_or_else(|what| panic!("{what}"));
    }
}

/// A judge that never says no proves nothing.
#[test]
fn planted_bugs_are_found() {
    for bug in Planted::IN_DEFERRAL {
        planted::plant(Some(bug));
        let found = (0..64).find_map(|seed| World::new(seed).play().err());
        planted::plant(None);
        let found = found.unwrap_or_else(|| panic!("{bug:?} is not found"));
        let expected = match bug {
            Planted::DeferHandsOutTwice => "handed out twice",
            Planted::DeferForgetsTheKey => "one key for both",
            Planted::DeferForgetsWhoFailed => "never ends",
            _ => "is done 2 times",
        };
        assert!(found.contains(expected), "{bug:?}: {found}");
    }
}
