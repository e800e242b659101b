//! One class: deficit round robin over its apps, by tokens (Shreedhar and Varghese 1995). Every app in turn is given
//! the same number of tokens and is served as long as they last.

use super::Item;
use crate::Nanos;
use crate::concurrency::Order;
use std::collections::{BTreeMap, VecDeque};
use wellhead_types::planted::{self, Planted};

/// Tokens that an app is given per turn: about one ordinary request.
pub(super) const QUANTUM_TOKENS: i64 = 2_048;
/// Most tokens that one request counts: more than any model takes.
const REQUEST_TOKENS_MAX: u64 = 4_000_000;

/// For so many requests an app may have been given back what they did not use before it has its turn: what is used is
/// known when a request ends, and until then as many may be under way as a model server has slots.
const GIVEN_BACK_REQUESTS_MAX: i64 = 16;

/// What a request of this many tokens costs.
pub(super) fn cost(tokens: u64) -> i64 {
    i64::try_from(tokens.clamp(1, REQUEST_TOKENS_MAX)).unwrap_or(1)
}

/// What one app has in the queue.
#[derive(Debug)]
struct Share<A, V> {
    items: VecDeque<Item<A, V>>,
    /// What it may still take in this turn; below zero after having used more than expected.
    deficit: i64,
    tokens: i64,
}

#[derive(Debug)]
pub(super) struct Band<A, V> {
    apps: BTreeMap<A, Share<A, V>>,
    /// The apps with something in the queue, the next one first.
    turns: VecDeque<A>,
}

impl<A, V> Default for Band<A, V> {
    fn default() -> Self {
        Self { apps: BTreeMap::new(), turns: VecDeque::new() }
    }
}

impl<A: Ord + Clone, V> Band<A, V> {
    pub(super) fn is_empty(&self) -> bool {
        self.apps.is_empty()
    }

    pub(super) fn push(&mut self, item: Item<A, V>) {
        if !self.apps.contains_key(&item.app) {
            self.turns.push_back(item.app.clone());
        }
        let share = self.apps.entry(item.app.clone()).or_insert_with(|| Share {
            items: VecDeque::new(),
            deficit: 0,
            tokens: 0,
        });
        share.tokens += cost(item.tokens);
        share.items.push_back(item);
    }

    /// An app comes back with what was taken out last: it has not been served.
    pub(super) fn put_back(&mut self, item: Item<A, V>)
    where
        V: Ord,
    {
        let app = item.app.clone();
        if !self.apps.contains_key(&app) {
            // It was its turn, and it is again.
            self.turns.push_front(app.clone());
        }
        let share =
            self.apps.entry(app).or_insert_with(|| Share { items: VecDeque::new(), deficit: 0, tokens: 0 });
        share.tokens += cost(item.tokens);
        share.deficit = (share.deficit + cost(item.tokens)).min(cost(REQUEST_TOKENS_MAX));
        let key = (item.enqueued, &item.value);
        let at = share.items.partition_point(|other| (other.enqueued, &other.value) < key);
        share.items.insert(at, item);
    }

    pub(super) fn len(&self) -> usize {
        self.apps.values().map(|share| share.items.len()).sum()
    }

    pub(super) fn apps(&self) -> usize {
        self.apps.len()
    }

    /// When the oldest came.
    pub(super) fn oldest(&self) -> Option<Nanos> {
        self.apps.values().filter_map(|share| share.items.front()).map(|item| item.enqueued).min()
    }

    /// Those that are served before a newcomer of this app: in each of its turns, one of everybody else's.
    pub(super) fn ahead(&self, app: &A, newest_first: bool) -> usize {
        let own = if newest_first { 0 } else { self.apps.get(app).map_or(0, |share| share.items.len()) };
        let turns = own + 1;
        let others = self.apps.iter().filter(|(other, _)| *other != app);
        own + others.map(|(_, share)| share.items.len().min(turns)).sum::<usize>()
    }

    pub(super) fn pop(&mut self, order: Order) -> Option<Item<A, V>> {
        if planted::has(Planted::FairServesTheGreediest) {
            let (app, _) = self.greediest()?;
            let item = self.apps.get_mut(&app)?.pop(order);
            self.drop_if_empty(&app);
            return item;
        }
        loop {
            for _ in 0..self.turns.len() {
                let app = self.turns.front()?.clone();
                let share = self.apps.get_mut(&app)?;
                if share.next(order).is_some_and(|cost| share.deficit >= cost) {
                    let item = share.pop(order)?;
                    share.deficit -= cost(item.tokens);
                    self.drop_if_empty(&app);
                    return Some(item);
                }
                share.deficit += QUANTUM_TOKENS;
                self.turns.rotate_left(1);
            }
            // Nobody has enough. Rounds in which nobody would be served are skipped.
            let missing = |share: &Share<A, V>| share.next(order).map(|cost| cost - share.deficit);
            let rounds = self.apps.values().filter_map(missing).min()?.max(0) / QUANTUM_TOKENS;
            self.apps.values_mut().for_each(|share| share.deficit += rounds * QUANTUM_TOKENS);
        }
    }

    /// The app with most tokens in the queue.
    pub(super) fn greediest(&self) -> Option<(A, i64)> {
        let (app, share) = self.apps.iter().max_by_key(|(_, share)| share.tokens)?;
        Some((app.clone(), share.tokens))
    }

    pub(super) fn tokens_of(&self, app: &A) -> i64 {
        self.apps.get(app).map_or(0, |share| share.tokens)
    }

    pub(super) fn take_newest(&mut self, app: &A) -> Option<Item<A, V>> {
        let item = self.apps.get_mut(app)?.pop(Order::NewestFirst);
        self.drop_if_empty(app);
        item
    }

    pub(super) fn take_older(&mut self, patience: Nanos, now: Nanos) -> Option<Item<A, V>> {
        let old = |item: &Item<A, V>| now.saturating_sub(item.enqueued) > patience;
        let (app, _) = self.apps.iter().find(|(_, share)| share.items.front().is_some_and(old))?;
        let app = app.clone();
        let item = self.apps.get_mut(&app)?.pop(Order::OldestFirst);
        self.drop_if_empty(&app);
        item
    }

    pub(super) fn remove(&mut self, app: &A, is: impl Fn(&V) -> bool) -> Option<Item<A, V>> {
        let share = self.apps.get_mut(app)?;
        let at = share.items.iter().position(|item| is(&item.value))?;
        let item = share.items.remove(at)?;
        share.tokens -= cost(item.tokens);
        self.drop_if_empty(app);
        Some(item)
    }

    /// What is given back pays for a few of the app's next requests at most: who has asked for far too much would otherwise
    /// be served alone until that is used up.
    pub(super) fn correct(&mut self, app: &A, by: i64) {
        if let Some(share) = self.apps.get_mut(app) {
            let next = share.next(Order::OldestFirst).max(share.next(Order::NewestFirst)).unwrap_or(0);
            let most = share.deficit.max(QUANTUM_TOKENS + next.saturating_mul(GIVEN_BACK_REQUESTS_MAX));
            share.deficit = (share.deficit + by).clamp(-cost(REQUEST_TOKENS_MAX), most);
        }
    }

    /// Who has nothing in the queue takes no turns and saves nothing.
    fn drop_if_empty(&mut self, app: &A) {
        if self.apps.get(app).is_some_and(|share| share.items.is_empty()) {
            self.apps.remove(app);
            self.turns.retain(|other| other != app);
        }
    }
}

impl<A, V> Share<A, V> {
    fn next(&self, order: Order) -> Option<i64> {
        let item = match order {
            Order::OldestFirst => self.items.front(),
            Order::NewestFirst => self.items.back(),
        };
        item.map(|item| cost(item.tokens))
    }

    fn pop(&mut self, order: Order) -> Option<Item<A, V>> {
        let item = match order {
            Order::OldestFirst => self.items.pop_front(),
            Order::NewestFirst => self.items.pop_back(),
        }?;
        self.tokens -= cost(item.tokens);
        Some(item)
    }
}
