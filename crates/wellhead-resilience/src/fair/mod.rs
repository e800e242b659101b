//! Who is next when there is more to do than an endpoint can take (survival.md R6): four classes, the lower one waiting
//! for the higher but for a small guaranteed share; within a class, apps in turn, each with the same number of tokens;
//! and when the queue is full, the lowest class and its greediest app give way.

mod band;
#[cfg(test)]
mod tests;

use crate::Nanos;
use crate::concurrency::Order;
use band::Band;
/// How important a request is; lower ones are shed first.
pub use wellhead_types::Priority as Class;
use wellhead_types::planted::{self, Planted};

/// Most requests that one queue is meant to keep. At the pace of a model server, those behind would wait in vain.
pub const QUEUED_REQUESTS_MAX: usize = 1_000;

/// Percent of the served tokens that a class gets while it waits, whatever the higher ones ask for: an app that has
/// only bulk work gets slow, but never stuck. Nine tenths are left to the order of classes.
const GUARANTEED_PERCENT: [i64; 4] = [0, 5, 3, 2];

/// A class uses its guarantee when it has earned this much, in hundredths of a token, and earns no more before: a few
/// higher requests in a row are not interrupted, and nothing is saved up.
const GUARANTEED_HUNDREDTHS_MAX: i64 = 100 * band::QUANTUM_TOKENS;

/// A request in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<A, V> {
    /// Its class.
    pub class: Class,
    /// Whose it is.
    pub app: A,
    /// What it will probably use: prompt and answer. Counts as 1 at least and four million at most.
    pub tokens: u64,
    /// When it came.
    pub enqueued: Nanos,
    /// What the caller recognises it by.
    pub value: V,
}

/// The queue of one endpoint.
#[derive(Debug)]
pub struct Queue<A, V> {
    requests_max: usize,
    requests: usize,
    bands: [Band<A, V>; 4],
    /// What each class may take before its turn, in hundredths of a token.
    guaranteed: [i64; 4],
}

impl<A: Ord + Clone, V> Queue<A, V> {
    /// A queue for at most `requests_max` requests; [`QUEUED_REQUESTS_MAX`] is a good choice.
    pub fn new(requests_max: usize) -> Self {
        Self {
            requests_max,
            requests: 0,
            bands: std::array::from_fn(|_| Band::default()),
            guaranteed: [0; 4],
        }
    }

    /// Requests in the queue.
    pub const fn len(&self) -> usize {
        self.requests
    }

    /// Nobody queues.
    pub const fn is_empty(&self) -> bool {
        self.requests == 0
    }

    /// Adds a request. When the queue is full, returns the one that has to be refused: the newest of the greediest app
    /// in the lowest class, which may be this one.
    pub fn push(&mut self, item: Item<A, V>) -> Option<Item<A, V>> {
        if self.requests < self.requests_max {
            self.insert(item);
            return None;
        }
        let (class, own) = (item.class.index(), item.tokens);
        let lowest = self.lowest().filter(|lowest| *lowest >= class);
        let refused = lowest.and_then(|lowest| {
            let (app, tokens) = self.bands[lowest].greediest()?;
            let own =
                if lowest > class { 0 } else { self.bands[lowest].tokens_of(&item.app) + band::cost(own) };
            (tokens > own).then_some((lowest, app))
        });
        let Some((lowest, app)) = refused else { return Some(item) };
        let refused = self.bands[lowest].take_newest(&app);
        self.requests -= usize::from(refused.is_some());
        self.insert(item);
        refused
    }

    /// Takes the next request out, the oldest or the newest of the app whose turn it is.
    pub fn pop(&mut self, order: Order) -> Option<Item<A, V>> {
        self.pop_by(|_| order)
    }

    /// The same, where the order depends on the class whose turn it is.
    pub fn pop_by(&mut self, order: impl Fn(Class) -> Order) -> Option<Item<A, V>> {
        let waits = |class: &usize| !self.bands[*class].is_empty();
        let owed = (1..4).filter(waits).find(|class| self.guaranteed[*class] >= GUARANTEED_HUNDREDTHS_MAX);
        let class = if planted::has(Planted::FairIgnoresTheClass) {
            (0..4).rev().find(waits)?
        } else {
            owed.or_else(|| (0..4).find(waits))?
        };
        let item = self.bands[class].pop(order(Class::ALL[class]))?;
        self.requests -= 1;
        let tokens = band::cost(item.tokens);
        if owed.is_some() {
            self.guaranteed[class] -= 100 * tokens;
        }
        for (lower, percent) in GUARANTEED_PERCENT.iter().enumerate() {
            // Only who waits is owed something.
            let earned = if lower == class { 0 } else { tokens * percent };
            let owed = &mut self.guaranteed[lower];
            let idle = self.bands[lower].is_empty();
            *owed = if idle { 0 } else { (*owed + earned).min(GUARANTEED_HUNDREDTHS_MAX) };
        }
        Some(item)
    }

    /// Takes the request out that can be spared most: the newest of the greediest app in the lowest class.
    pub fn evict(&mut self) -> Option<Item<A, V>> {
        let lowest = self.lowest()?;
        let (app, _) = self.bands[lowest].greediest()?;
        let item = self.bands[lowest].take_newest(&app)?;
        self.requests -= 1;
        Some(item)
    }

    /// Takes out a request that has queued for longer than `patience`, if there is one.
    pub fn expired(&mut self, patience: Nanos, now: Nanos) -> Option<Item<A, V>> {
        self.expired_by(|_| patience, now)
    }

    /// The same, where patience depends on the class. The lowest class comes first.
    pub fn expired_by(&mut self, patience: impl Fn(Class) -> Nanos, now: Nanos) -> Option<Item<A, V>> {
        let mut lowest_first = self.bands.iter_mut().zip(Class::ALL).rev();
        let item = lowest_first.find_map(|(band, class)| band.take_older(patience(class), now))?;
        self.requests -= 1;
        Some(item)
    }

    /// When [`Queue::expired_by`] has somebody next, if nothing changes before.
    pub fn next_expiry(&self, patience: impl Fn(Class) -> Nanos) -> Option<Nanos> {
        let oldest = |(band, class): (&Band<A, V>, Class)| {
            band.oldest().map(|at| at.saturating_add(patience(class)).saturating_add(1))
        };
        self.bands.iter().zip(Class::ALL).filter_map(oldest).min()
    }

    /// Requests of this class in the queue.
    pub fn len_of(&self, class: Class) -> usize {
        self.bands[class.index()].len()
    }

    /// Apps of this class that have a request in the queue.
    pub fn apps_of(&self, class: Class) -> usize {
        self.bands[class.index()].apps()
    }

    /// The least important class that has somebody in the queue.
    pub fn lowest_class(&self) -> Option<Class> {
        self.lowest().map(|class| Class::ALL[class])
    }

    /// How many of higher classes are served before a newcomer, and how many of its own, about: what comes before its
    /// app's turn. `newest_first`: those of its own app that came before it do not count.
    pub fn ahead(&self, class: Class, app: &A, newest_first: bool) -> (usize, usize) {
        let higher = self.bands[..class.index()].iter().map(Band::len).sum();
        (higher, self.bands[class.index()].ahead(app, newest_first))
    }

    /// Takes out the request that `is` recognises, because its client left or its time is over.
    pub fn remove(&mut self, class: Class, app: &A, is: impl Fn(&V) -> bool) -> Option<Item<A, V>> {
        let item = self.bands[class.index()].remove(app, is)?;
        self.requests -= 1;
        Some(item)
    }

    /// A request used `used` tokens instead of the `expected` ones: its app's next turn comes later or earlier. An app
    /// without anything in the queue is forgiven.
    pub fn on_used(&mut self, class: Class, app: &A, expected: u64, used: u64) {
        self.bands[class.index()].correct(app, band::cost(expected) - band::cost(used));
    }

    /// Puts a request back that was taken out, at its old place, and gives its app back what it was charged.
    pub fn put_back(&mut self, item: Item<A, V>)
    where
        V: Ord,
    {
        self.requests += 1;
        self.bands[item.class.index()].put_back(item);
    }

    fn insert(&mut self, item: Item<A, V>) {
        self.requests += 1;
        self.bands[item.class.index()].push(item);
    }

    fn lowest(&self) -> Option<usize> {
        (0..4).rev().find(|class| !self.bands[*class].is_empty())
    }
}
