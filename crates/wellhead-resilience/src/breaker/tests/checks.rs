//! Active checks: evidence, not judgement.

use super::{MANY, Phase, Rig, SECOND, Why};
use crate::breaker::{CHECKS_FAILED_MIN, CONTRADICTING_SUCCESSES_MIN, Checked, Class, Contradicted};

impl Rig {
    fn check(&mut self, passed: bool) -> Checked {
        self.now += SECOND;
        self.breaker.on_check(passed, self.now, &self.passive)
    }
}

#[test]
fn a_passed_check_makes_an_unknown_target_known() {
    let mut rig = Rig::new(1);
    assert_eq!(rig.check(true).transition.unwrap().to, Phase::Ok);
}

#[test]
fn failed_checks_move_an_idle_target_back_but_never_take_it_out() {
    let mut rig = Rig::new(1);
    for _ in 1..CHECKS_FAILED_MIN {
        assert_eq!(rig.check(false), Checked::default());
    }
    let moved = rig.check(false).transition.unwrap();
    assert_eq!((moved.to, moved.why), (Phase::Suspect, Why::ChecksFailed(CHECKS_FAILED_MIN)));
    let mut classes = Vec::new();
    for _ in 0..60 {
        rig.check(false);
        classes.push(rig.breaker.class(rig.now));
    }
    assert!(classes.iter().all(|class| matches!(class, Class::Suspect | Class::Unknown)));
    let asked = classes.iter().filter(|class| **class == Class::Unknown).count();
    assert!((25..35).contains(&asked), "half of the time it can prove the check wrong, not {asked} of 60 s");
    assert_eq!(rig.check(true).transition.unwrap().to, Phase::Ok);
}

#[test]
fn live_traffic_outranks_checks_and_proves_them_wrong() {
    let mut rig = Rig::new(1);
    rig.ok();
    let mut findings = Vec::new();
    for i in 0..60_u64 {
        let Checked { transition, finding } = rig.check(false);
        assert_eq!(transition, None);
        findings.extend(finding.map(|finding| (i, finding)));
        rig.ok();
    }
    let expected = Contradicted { checks_failed: 21, successes: CONTRADICTING_SUCCESSES_MIN };
    assert_eq!(findings, [(20, expected)], "said once");
    assert!(rig.breaker.is_check_contradicted());
    rig.check(true);
    assert!(!rig.breaker.is_check_contradicted());
    assert_eq!(rig.breaker.phase(), Phase::Ok);
}

#[test]
fn a_passed_check_ends_a_wait_early_until_a_probe_has_shown_it_wrong() {
    let mut rig = Rig::new(1);
    rig.open();
    for _ in 0..6 {
        rig.probe();
        rig.fail(MANY);
    }
    let until = rig.breaker.rests_until().unwrap();
    rig.check(true);
    assert!(until > rig.now, "the wait was long");
    assert_eq!(rig.breaker.class(rig.now), Class::Due, "a request shall tell");
    rig.probe();
    rig.fail(MANY);
    rig.check(true);
    assert_eq!(rig.breaker.class(rig.now), Class::Open, "not again");
    rig.probe();
    rig.ok();
    assert_eq!(rig.breaker.phase(), Phase::Ok);
}
