//! The promise of never-empty knowledge, by example and as properties.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::*;
use proptest::prelude::*;

const HOST: &str = "api.example.com";

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn server(n: u8) -> Option<SocketAddr> {
    Some(SocketAddr::from(([192, 0, 2, n], 53)))
}

fn addresses(list: &[&str], ttl: u64) -> Answer {
    Answer::Addresses { addresses: list.iter().map(|text| ip(text)).collect(), ttl: secs(ttl) }
}

/// Names with a clock, and a way to answer every question.
struct World {
    names: Names,
    now: Duration,
    asked: Vec<(Duration, Ask)>,
}

impl World {
    fn with(configured: &[&str], servers: usize) -> Self {
        let mut names = Names::new(7);
        let hosts: Vec<Arc<str>> = configured.iter().map(|host| Arc::from(*host)).collect();
        assert_eq!(names.configure(Duration::ZERO, &hosts, servers), 0);
        Self { names, now: Duration::ZERO, asked: Vec::new() }
    }

    /// Answers all that is due now by `answer`, told by server 1.
    fn answer_due(&mut self, mut answer: impl FnMut(&Ask) -> Answer) -> usize {
        self.answer_due_by(|ask| Told { server: server(1), answer: answer(ask) })
    }

    fn answer_due_by(&mut self, mut told: impl FnMut(&Ask) -> Told) -> usize {
        let due = self.names.due(self.now);
        for ask in &due {
            self.asked.push((self.now, ask.clone()));
            let told = told(ask);
            self.names.answered(self.now, &ask.host, ask.family, told);
        }
        due.len()
    }

    /// Lets time go by to `until`, answering whatever comes due.
    fn run_until(&mut self, until: Duration, mut answer: impl FnMut(&Ask) -> Answer) {
        while let Some(next) = self.names.next_due().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.answer_due(&mut answer);
        }
        self.now = until;
    }

    fn facts(&self) -> Facts {
        self.names.facts(HOST).unwrap()
    }

    fn all(&self) -> Vec<String> {
        let facts = self.facts();
        facts.v4.iter().chain(facts.v6.iter()).map(IpAddr::to_string).collect()
    }
}

fn both(ask: &Ask) -> Answer {
    match ask.family {
        Family::V4 => addresses(&["192.0.2.10"], 60),
        Family::V6 => addresses(&["2001:db8::10"], 60),
    }
}

fn only_v4(ask: &Ask) -> Answer {
    match ask.family {
        Family::V4 => addresses(&["192.0.2.10"], 60),
        Family::V6 => Answer::Empty,
    }
}

fn timeout(_: &Ask) -> Answer {
    Answer::Failed("192.0.2.1:53: no answer (timeout)".to_owned())
}

#[test]
fn a_timeout_is_not_an_empty_set() {
    let mut world = World::with(&[HOST], 1);
    world.answer_due(both);
    world.run_until(secs(7 * 24 * 3600), timeout);
    assert_eq!(world.all(), ["192.0.2.10", "2001:db8::10"], "a name in use is held for as long as it takes");
    let facts = world.facts();
    assert_eq!(facts.good_at, Some(Duration::ZERO));
    assert!(facts.failing_since.is_some_and(|since| since <= secs(60)), "{facts:?}");
    assert_eq!(facts.fault.map(|fault| fault.kind), Some(FaultKind::Failed));
}

#[test]
fn an_a_timeout_with_an_empty_aaaa_keeps_the_address() {
    let mut world = World::with(&[HOST], 1);
    world.answer_due(only_v4);
    world.run_until(secs(3600), |ask| if ask.family == Family::V4 { timeout(ask) } else { Answer::Empty });
    assert_eq!(world.all(), ["192.0.2.10"]);
}

#[test]
fn families_fail_apart() {
    let mut world = World::with(&[HOST], 1);
    world.answer_due(both);
    world.run_until(secs(200), |ask| match ask.family {
        Family::V4 => addresses(&["192.0.2.99"], 60),
        Family::V6 => timeout(ask),
    });
    let facts = world.facts();
    assert_eq!(&*facts.v4, [ip("192.0.2.99")], "the family that answers is followed");
    assert_eq!(&*facts.v6, [ip("2001:db8::10")], "the other one is held");
    assert!(facts.v6_stale && !facts.v4_stale);
}

#[test]
fn an_aaaa_that_never_was_is_no_trouble() {
    let mut world = World::with(&[HOST], 1);
    world.answer_due(|ask| if ask.family == Family::V4 { both(ask) } else { Answer::NoSuchName });
    assert_eq!(world.facts().fault, None);
    assert_eq!(world.facts().failing_since, None);
}

#[test]
fn nxdomain_is_believed_when_three_answers_over_thirty_seconds_agree() {
    let mut world = World::with(&[HOST], 1);
    world.answer_due(only_v4);
    let mut denials = Vec::new();
    while !world.all().is_empty() {
        world.now = world.names.next_due().unwrap();
        let now = world.now;
        world.answer_due(|ask| {
            if ask.family == Family::V4 {
                denials.push(now);
            }
            Answer::NoSuchName
        });
        assert!(denials.len() < 10, "a confirmed denial has to count at last");
    }
    assert!(denials.len() >= 3 && *denials.last().unwrap() - denials[0] >= secs(30), "{denials:?}");
    assert!(*denials.last().unwrap() - denials[0] <= secs(60), "{denials:?}");
    world.names.want(world.now, HOST);
    world.answer_due(|_| Answer::NoSuchName);
    let Verdict::Refused(fault) = world.names.want(world.now, HOST) else { panic!("the name is gone") };
    assert_eq!(fault.kind, FaultKind::NoSuchName);
}

#[test]
fn many_denials_in_one_moment_are_one() {
    let mut world = World::with(&[HOST], 1);
    world.answer_due(only_v4);
    for _ in 0..25 {
        world.now += secs(1);
        world.names.doubt(world.now, HOST);
        world.answer_due(|_| Answer::NoSuchName);
    }
    assert_eq!(world.all(), ["192.0.2.10"]);
}

#[test]
fn where_there_are_two_servers_both_have_to_deny() {
    let mut world = World::with(&[HOST], 2);
    world.answer_due(only_v4);
    let denied = |n| move |_: &Ask| Told { server: server(n), answer: Answer::NoSuchName };
    for _ in 0..20 {
        world.now = world.names.next_due().unwrap();
        world.answer_due_by(denied(1));
    }
    assert_eq!(world.all(), ["192.0.2.10"], "one server alone, however often");
    assert_eq!(world.asked.last().unwrap().1.avoid, server(1), "the other one is to be asked");
    world.now = world.names.next_due().unwrap();
    world.answer_due_by(denied(2));
    world.now = world.names.next_due().unwrap();
    world.answer_due_by(denied(2));
    assert!(world.all().is_empty());
}

#[test]
fn a_withdrawn_aaaa_goes_while_a_is_good_and_the_last_family_never_goes_by_empty_answers() {
    let mut world = World::with(&[HOST], 1);
    world.answer_due(both);
    world.run_until(secs(300), only_v4);
    assert_eq!(world.all(), ["192.0.2.10"]);
    world.run_until(secs(24 * 3600), |_| Answer::Empty);
    assert_eq!(world.all(), ["192.0.2.10"]);
}

#[test]
fn a_new_answer_replaces_the_old_one() {
    let mut world = World::with(&[HOST], 1);
    world.answer_due(only_v4);
    world.run_until(secs(61), |_| addresses(&["192.0.2.77", "192.0.2.78"], 60));
    assert_eq!(&*world.facts().v4, [ip("192.0.2.77"), ip("192.0.2.78")]);
}

#[test]
fn ttls_are_kept_within_a_second_and_five_minutes() {
    for (ttl, least, most) in [(0, 1, 1), (60, 54, 60), (86_400, 270, 300)] {
        let mut world = World::with(&[HOST], 1);
        world.answer_due(|_| addresses(&["192.0.2.10"], ttl));
        let next = world.names.next_due().unwrap();
        assert!(next >= secs(least) && next <= secs(most), "{ttl}: {next:?}");
    }
}

#[test]
fn failures_back_off_from_one_to_thirty_seconds() {
    let mut world = World::with(&[HOST], 1);
    let mut gaps = Vec::new();
    for _ in 0..12 {
        world.answer_due(|ask| if ask.family == Family::V4 { timeout(ask) } else { only_v4(ask) });
        let before = world.now;
        while world.names.due(world.now).iter().all(|ask| ask.family != Family::V4) {
            world.now += Duration::from_millis(10);
        }
        world.names.answered(
            world.now,
            HOST,
            Family::V4,
            Told { server: None, answer: timeout(&world.asked[0].1) },
        );
        gaps.push(world.now - before);
    }
    assert!(gaps[0] >= secs(1) && gaps[0] <= secs(3), "{gaps:?}");
    assert!(gaps.iter().all(|gap| *gap <= secs(31)), "{gaps:?}");
    assert!(gaps.last().unwrap() >= &secs(14), "{gaps:?}");
}

#[test]
fn a_name_in_the_configuration_is_refreshed_while_nobody_asks() {
    let mut world = World::with(&[HOST], 1);
    world.run_until(secs(3600), only_v4);
    assert!(world.asked.iter().filter(|(_, ask)| ask.family == Family::V4).count() >= 60);
}

#[test]
fn other_names_are_refreshed_for_some_minutes_then_sleep_and_wake_when_wanted() {
    let mut world = World::with(&[], 1);
    assert_eq!(world.names.want(world.now, HOST), Verdict::Pending);
    world.run_until(secs(3600), only_v4);
    let last = world.asked.last().unwrap().0;
    assert!(last >= secs(240) && last <= secs(360), "{last:?}");
    assert_eq!(world.names.want(world.now, HOST), Verdict::Ready, "the last good set, at once");
    assert!(world.answer_due(only_v4) > 0, "and a look-up beside it");
}

#[test]
fn an_unused_name_is_held_for_a_day_and_then_forgotten() {
    let mut world = World::with(&[], 1);
    world.names.want(world.now, HOST);
    world.answer_due(only_v4);
    assert!(world.names.sweep(secs(24 * 3600) - secs(1)).is_empty());
    assert_eq!(world.names.sweep(secs(24 * 3600)), [Arc::from(HOST)]);
    assert_eq!(world.names.facts(HOST), None);
}

#[test]
fn a_name_without_an_address_is_asked_again_soon_but_not_by_every_request() {
    let mut world = World::with(&[], 1);
    world.names.want(world.now, HOST);
    world.answer_due(timeout);
    let Verdict::Refused(fault) = world.names.want(world.now, HOST) else { panic!("nothing is known") };
    assert!(fault.text.contains("timeout"), "{}", fault.text);
    assert_eq!(world.answer_due(timeout), 0);
    world.now = secs(1);
    assert_eq!(
        world.names.want(world.now, HOST),
        Verdict::Pending,
        "a server that is back is noticed in a second"
    );
    world.answer_due(|_| Answer::NoSuchName);
    let denied_at = world.now;
    world.now = secs(2);
    assert!(
        matches!(world.names.want(world.now, HOST), Verdict::Refused(_)),
        "a denial lasts a little longer"
    );
    assert!(world.asked.iter().all(|(at, _)| *at <= denied_at));
    world.now = secs(6);
    assert_eq!(world.names.want(world.now, HOST), Verdict::Pending);
}

#[test]
fn what_went_wrong_outranks_what_is_merely_absent() {
    let mut world = World::with(&[], 1);
    world.names.want(world.now, HOST);
    world.answer_due(|ask| if ask.family == Family::V4 { timeout(ask) } else { Answer::Empty });
    let Verdict::Refused(fault) = world.names.want(world.now, HOST) else { panic!("nothing is known") };
    assert_eq!(fault.kind, FaultKind::Failed, "a timeout beside an empty answer says nothing about the name");
}

#[test]
fn doubt_asks_early_and_at_most_once_per_second() {
    let mut world = World::with(&[HOST], 1);
    world.answer_due(only_v4);
    for ms in (0..10_000).step_by(50) {
        world.now = Duration::from_millis(ms);
        world.names.doubt(world.now, HOST);
        world.answer_due(only_v4);
    }
    let asked = world.asked.iter().filter(|(_, ask)| ask.family == Family::V4).count();
    assert!((9..=11).contains(&asked), "{asked} in ten seconds");
}

#[test]
fn the_hosts_file_replaces_what_servers_said() {
    let mut world = World::with(&[HOST], 1);
    world.answer_due(both);
    world.run_until(secs(120), |ask| match ask.family {
        Family::V4 => Answer::Local(vec![ip("10.0.0.7")]),
        Family::V6 => Answer::Local(Vec::new()),
    });
    assert_eq!(world.all(), ["10.0.0.7"]);
}

#[test]
fn look_ups_at_once_are_bounded_and_names_without_addresses_come_first() {
    let hosts: Vec<String> = (0..500).map(|i| format!("h{i}.example")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let mut world = World::with(&hosts, 1);
    let first = world.names.due(world.now);
    assert_eq!(first.len(), LOOKUPS_MAX);
    assert!(world.names.due(world.now).is_empty(), "until one is answered");
    for ask in first {
        world.names.answered(
            world.now,
            &ask.host,
            ask.family,
            Told { server: server(1), answer: only_v4(&ask) },
        );
    }
    while world.answer_due(only_v4) > 0 {}
    world.now = secs(3600);
    world.names.want(world.now, "new.example");
    let due = world.names.due(world.now);
    assert!(due[..2].iter().all(|ask| &*ask.host == "new.example"), "{:?}", &due[..2]);
}

#[test]
fn the_number_of_names_is_bounded_and_the_longest_unused_one_makes_room() {
    let mut world = World::with(&[], 1);
    for i in 0..NAMES_MAX {
        world.now += Duration::from_millis(1);
        world.names.want(world.now, &format!("h{i}.example"));
    }
    assert!(matches!(world.names.want(world.now, HOST), Verdict::Refused(_)), "all are in use");
    world.now += secs(301);
    assert_eq!(world.names.want(world.now, HOST), Verdict::Pending);
    assert_eq!(world.names.facts("h0.example"), None);
    assert!(world.names.facts("h1.example").is_some());
}

#[test]
fn other_servers_are_asked_at_once_and_denials_count_afresh() {
    let mut world = World::with(&[HOST], 1);
    world.answer_due(only_v4);
    for at in [60, 80] {
        world.now = secs(at);
        world.names.doubt(world.now, HOST);
        world.answer_due(|_| Answer::NoSuchName);
    }
    world.now = secs(95);
    world.names.configure(world.now, &[Arc::from(HOST)], 1);
    assert!(world.answer_due(|_| Answer::NoSuchName) > 0);
    assert_eq!(world.all(), ["192.0.2.10"]);
}

/// What can happen to a name.
#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Want,
    Doubt,
    Reload,
    Sweep,
    /// Answers what is due; the server is one of two.
    Answer {
        v4: Word,
        v6: Word,
        server: u8,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Good(u8),
    Fail,
    Empty,
    NoSuchName,
}

impl Word {
    fn answer(self, family: Family) -> Answer {
        match (self, family) {
            (Self::Good(n), Family::V4) => addresses(&[&format!("192.0.2.{n}")], u64::from(n)),
            (Self::Good(n), Family::V6) => addresses(&[&format!("2001:db8::{n}")], u64::from(n)),
            (Self::Fail, _) => Answer::Failed("timeout".to_owned()),
            (Self::Empty, _) => Answer::Empty,
            (Self::NoSuchName, _) => Answer::NoSuchName,
        }
    }
}

fn words(denials: bool) -> BoxedStrategy<Word> {
    let common =
        prop_oneof![2 => (1..200_u8).prop_map(Word::Good), 4 => Just(Word::Fail), 3 => Just(Word::Empty)];
    if denials { prop_oneof![1 => common, 4 => Just(Word::NoSuchName)].boxed() } else { common.boxed() }
}

fn steps(denials: bool) -> impl Strategy<Value = Vec<Step>> {
    let answer = (words(denials), words(denials), 1..=2_u8).prop_map(|(v4, v6, server)| Step::Answer {
        v4,
        v6,
        server,
    });
    let step = prop_oneof![
        4 => (0..40_000_u64).prop_map(Step::Wait),
        1 => (0..100_000_000_u64).prop_map(Step::Wait),
        2 => Just(Step::Want),
        2 => Just(Step::Doubt),
        1 => Just(Step::Reload),
        1 => Just(Step::Sweep),
        8 => answer,
    ];
    proptest::collection::vec(step, 1..120)
}

impl World {
    fn take(&mut self, step: &Step) {
        match *step {
            Step::Wait(ms) => self.now += Duration::from_millis(ms),
            Step::Want => drop(self.names.want(self.now, HOST)),
            Step::Doubt => self.names.doubt(self.now, HOST),
            Step::Reload => drop(self.names.configure(self.now, &[Arc::from(HOST)], 2)),
            Step::Sweep => drop(self.names.sweep(self.now)),
            Step::Answer { v4, v6, server: n } => {
                self.answer_due_by(|ask| {
                    let word = if ask.family == Family::V4 { v4 } else { v6 };
                    Told { server: server(n), answer: word.answer(ask.family) }
                });
            }
        }
    }
}

proptest! {
    /// I1: no sequence of errors and empty answers empties a set that worked.
    #[test]
    fn a_set_that_worked_is_never_emptied_by_errors(steps in steps(false)) {
        let mut world = World::with(&[HOST], 2);
        let mut worked = false;
        for step in &steps {
            world.take(step);
            worked |= !world.facts().is_empty();
            prop_assert_eq!(world.facts().is_empty(), !worked, "after {:?}", step);
        }
    }

    /// Whatever happens, the last address goes only after three denials by both servers over 30 s, with nothing good
    /// in between.
    #[test]
    fn only_a_confirmed_denial_empties_a_set(steps in steps(true)) {
        let mut world = World::with(&[HOST], 2);
        // Per family: when and by whom it was denied since it was last good.
        let mut denials: [Vec<(Duration, Option<SocketAddr>)>; 2] = Default::default();
        for step in &steps {
            let (had, before) = (!world.facts().is_empty(), world.asked.len());
            world.take(step);
            if let Step::Answer { v4, v6, server: n } = step {
                for (at, ask) in &world.asked[before..] {
                    let (word, seen) =
                        if ask.family == Family::V4 { (v4, &mut denials[0]) } else { (v6, &mut denials[1]) };
                    match word {
                        Word::Good(_) => seen.clear(),
                        Word::NoSuchName => seen.push((*at, server(*n))),
                        Word::Fail | Word::Empty => {}
                    }
                }
            }
            if had && world.facts().is_empty() {
                let confirmed = |seen: &Vec<(Duration, Option<SocketAddr>)>| {
                    seen.len() >= 3
                        && seen[seen.len() - 1].0 - seen[0].0 >= secs(30)
                        && seen.iter().any(|(_, by)| *by != seen[0].1)
                };
                prop_assert!(denials.iter().any(confirmed), "{:?}", denials);
            }
        }
    }

    /// Whatever happened, servers that work again are noticed within the longest back-off.
    #[test]
    fn servers_that_are_back_are_noticed(steps in steps(true)) {
        let mut world = World::with(&[HOST], 2);
        steps.iter().for_each(|step| world.take(step));
        for _ in 0..35 {
            world.now += secs(1);
            world.names.want(world.now, HOST);
            world.answer_due(both);
        }
        let facts = world.facts();
        prop_assert_eq!(facts.fault, None);
        prop_assert!(!facts.v4.is_empty() || !facts.v6.is_empty());
    }

    /// Requests cannot make the resolver ask one question more than once per second.
    #[test]
    fn no_question_is_asked_twice_within_a_second(steps in steps(true)) {
        let mut world = World::with(&[HOST], 2);
        for step in steps.iter().filter(|step| !matches!(step, Step::Reload)) {
            world.take(step);
        }
        for family in [Family::V4, Family::V6] {
            let times: Vec<_> =
                world.asked.iter().filter(|(_, ask)| ask.family == family).map(|(at, _)| *at).collect();
            prop_assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= secs(1)), "{:?}", times);
        }
    }
}
