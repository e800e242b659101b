//! Ids of calls: unique over the conversation, and of letters that the vendor takes (wire.md, traps 4 and 6).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet, VecDeque};

/// Makes of an id the name that a vendor takes. The number is 0 for the first call under that id, and another one for
/// each further try: different numbers have to give different names.
pub(crate) type Naming = for<'b> fn(&'b str, usize) -> Cow<'b, str>;

/// Calls and results get the same name for the same call, whatever ids other vendors gave.
#[derive(Debug)]
pub(crate) struct Ids<'a> {
    naming: Naming,
    used: HashSet<Cow<'a, str>>,
    calls: HashMap<&'a str, Calls<'a>>,
}

impl Default for Ids<'_> {
    fn default() -> Self {
        Self::new(numbered)
    }
}

/// The calls that came under one id.
#[derive(Debug, Default)]
struct Calls<'a> {
    /// How many names were tried besides the id itself.
    count: usize,
    /// The names of those that no result has answered yet, oldest first.
    waiting: VecDeque<Cow<'a, str>>,
    newest: Cow<'a, str>,
}

impl<'a> Ids<'a> {
    /// For a vendor who takes other letters than most.
    pub(crate) fn new(naming: Naming) -> Self {
        Self { naming, used: HashSet::new(), calls: HashMap::new() }
    }

    /// The name of a call.
    pub(crate) fn call(&mut self, id: &'a str) -> Cow<'a, str> {
        let calls = self.calls.entry(id).or_default();
        let mut name = (self.naming)(id, calls.count);
        // Hosts that number their calls anew in every turn.
        while self.used.contains(&name) {
            calls.count += 1;
            name = (self.naming)(id, calls.count);
        }
        self.used.insert(name.clone());
        calls.waiting.push_back(name.clone());
        calls.newest.clone_from(&name);
        name
    }

    /// The name of the call that a result answers.
    pub(crate) fn result(&mut self, id: &'a str) -> Cow<'a, str> {
        match self.calls.get_mut(id) {
            Some(calls) => calls.waiting.pop_front().unwrap_or_else(|| calls.newest.clone()),
            None => (self.naming)(id, 0),
        }
    }
}

fn numbered(id: &str, number: usize) -> Cow<'_, str> {
    match number {
        0 => plain(id),
        number => Cow::Owned(format!("{}_{}", plain(id), number + 1)),
    }
}

/// A number that differs where texts do. FNV-1a: no secret hangs on it, and it is the same in every process.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Letters, digits, `_` and `-`; other letters become a hash at the end, so that different ids stay different.
fn plain(id: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !id.is_empty() && id.chars().all(is_plain) {
        return Cow::Borrowed(id);
    }
    let letters: String = id.chars().filter(|c| is_plain(*c)).collect();
    Cow::Owned(format!("{letters}-{:016x}", hash(id)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::Ids;
    use std::collections::HashSet;

    #[test]
    fn trap_4_calls_under_one_id_and_their_results_find_each_other() {
        let mut ids = Ids::default();
        // Two calls of one turn, both named "0", then their results in order; the next turn begins at "0" again.
        let (first, second) = (ids.call("0"), ids.call("0"));
        assert_eq!(first, "0");
        assert_ne!(first, second);
        assert_eq!((ids.result("0"), ids.result("0")), (first, second));
        let third = ids.call("0");
        assert_eq!(ids.result("0"), third);
        assert_eq!(ids.result("0"), third, "a second result of the same call");
        assert_eq!(ids.result("nobody"), "nobody");
    }

    #[test]
    fn trap_6_ids_of_other_vendors_get_letters_that_the_vendor_takes_and_stay_apart() {
        let mut ids = Ids::default();
        let foreign = ["call:1", "call;1", "", "größe", "call_1", "functions.get:0", "functions.get:1"];
        let names: Vec<_> = foreign.iter().map(|id| ids.call(id)).collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), foreign.len());
        for (id, name) in foreign.iter().zip(&names) {
            assert!(!name.is_empty(), "{id}");
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'), "{name}");
            assert_eq!(&ids.result(id), name);
        }
    }

    #[test]
    fn many_calls_under_one_id_do_not_take_forever() {
        let mut ids = Ids::default();
        let names: HashSet<_> = (0..20_000).map(|_| ids.call("call_0").into_owned()).collect();
        assert_eq!(names.len(), 20_000);
    }
}
