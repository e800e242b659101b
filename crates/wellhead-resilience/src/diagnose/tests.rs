//! Every cause alone gives its code; evidence in any order gives the same report; nothing that a client may not see is
//! in its sentence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::*;
use crate::breaker::Phase;
use crate::{Rng, SECOND};
use wellhead_types::{Scope, Stage};

const NOW: Nanos = 100 * SECOND;
/// What only operators may see.
const SECRETS: [&str; 5] = ["10.1.2.3", "api.internal.example", "\u{2026}a1", "sk-secret", "4711"];

fn target(name: &str) -> TargetEvidence {
    TargetEvidence {
        target: format!("{name}/m1").into(),
        provider: name.into(),
        vendor_model: "m1".into(),
        place: "https://10.1.2.3:4711".to_owned(),
        phase: Phase::Ok,
        rests_until: None,
        failing_since: None,
        last_success: None,
        last: None,
        met: Vec::new(),
        keys: KeysEvidence { total: 1, ..KeysEvidence::default() },
        name: None,
        half: None,
        check: None,
    }
}

fn fault(cause: Cause, stage: Stage) -> Fault {
    let scope = match cause {
        Cause::RateLimited => Scope::KeyModel,
        Cause::KeyRejected | Cause::QuotaExhausted | Cause::CredentialUnavailable => Scope::Key,
        Cause::ModelUnknown => Scope::TargetModel,
        Cause::Overloaded => Scope::Provider,
        _ => Scope::Endpoint,
    };
    let detail = "10.1.2.3:4711 at api.internal.example said sk-secret".to_owned();
    Fault { cause, stage, scope, status: None, at: NOW - SECOND, detail }
}

fn met(name: &str, cause: Cause, stage: Stage) -> TargetEvidence {
    TargetEvidence { met: vec![fault(cause, stage)], ..target(name) }
}

fn patience(allowed: Nanos, model: Nanos, recovery: Option<Nanos>) -> Patience {
    let started = NOW - SECOND;
    Patience {
        started,
        deadline: started + allowed,
        model_deadline: started + model,
        hold_max: 30 * SECOND,
        recovery: recovery.map(|after| NOW + after),
    }
}

fn of(targets: Vec<TargetEvidence>) -> Evidence {
    Evidence {
        now: NOW,
        model: "chat".into(),
        patience: Some(patience(600 * SECOND, 600 * SECOND, None)),
        targets,
    }
}

fn name(trouble: NameTrouble, addresses: usize) -> Option<NameEvidence> {
    Some(NameEvidence {
        host: "api.internal.example".into(),
        trouble,
        addresses,
        last_good: None,
        failing_since: Some(NOW - 7 * SECOND),
        last_error: Some("10.1.2.3:53: SERVFAIL".to_owned()),
    })
}

fn limited(free_after: Nanos) -> KeysEvidence {
    KeysEvidence {
        total: 2,
        limited: 2,
        free_at: Some(NOW + free_after),
        examples: vec!["\u{2026}a1".to_owned()],
        ..KeysEvidence::default()
    }
}

/// One key, which cannot be fetched.
fn unfetched() -> KeysEvidence {
    KeysEvidence {
        total: 1,
        unavailable: 1,
        trouble: Some("Entra ID: refused: AADSTS7000222".to_owned()),
        free_at: Some(NOW + SECOND),
        examples: vec!["a#entra".to_owned()],
        ..KeysEvidence::default()
    }
}

#[test]
fn why_a_credential_cannot_be_had_is_told_to_operators_only() {
    let report = diagnose(&of(vec![TargetEvidence { keys: unfetched(), ..target("a") }]));
    assert_eq!(report.diagnosis, Diagnosis::CredentialUnavailable);
    let found = &report.findings[0].message;
    assert!(found.contains("AADSTS7000222") && found.contains("a#entra"), "{found}");
    assert!(!report.message.contains("AADSTS") && !report.message.contains("a#entra"), "{}", report.message);
    assert!(report.fix.contains("providers.a.keys"), "{}", report.fix);
}

/// Each cause with evidence of nothing else.
fn alone() -> Vec<(Diagnosis, Evidence)> {
    use Diagnosis as D;
    let connect = Stage::Connect;
    let named = |cause, trouble| TargetEvidence { name: name(trouble, 0), ..met("a", cause, Stage::Resolve) };
    let open = |name: &str, cause| TargetEvidence {
        phase: Phase::Open,
        failing_since: Some(NOW - 9 * SECOND),
        rests_until: Some(NOW + 2 * SECOND),
        ..met(name, cause, Stage::Headers)
    };
    let mut all = vec![
        (D::DnsFailed, of(vec![named(Cause::DnsError, NameTrouble::Failed)])),
        (D::DnsFailed, of(vec![met("a", Cause::DnsError, Stage::Resolve)])),
        (D::DnsNxdomain, of(vec![named(Cause::DnsError, NameTrouble::NoSuchName)])),
        (D::DnsNxdomain, of(vec![met("a", Cause::NameNotFound, Stage::Resolve)])),
        (D::DnsNoAddress, of(vec![named(Cause::DnsError, NameTrouble::NoAddress)])),
        (D::PortRefused, of(vec![met("a", Cause::ConnectionRefused, connect)])),
        (D::ConnectTimeout, of(vec![met("a", Cause::ConnectTimeout, connect)])),
        (D::Unreachable, of(vec![met("a", Cause::ConnectionReset, connect)])),
        (D::TlsFailed, of(vec![met("a", Cause::TlsError, Stage::Tls)])),
        (D::TlsFailed, of(vec![met("a", Cause::ConnectionReset, Stage::Tls)])),
        (D::TlsUntrusted, of(vec![met("a", Cause::TlsCertificate, Stage::Tls)])),
        (D::TlsName, of(vec![met("a", Cause::TlsName, Stage::Tls)])),
        (D::TlsClientCert, of(vec![met("a", Cause::TlsClientCertificate, Stage::Tls)])),
        (D::TlsPlaintextPort, of(vec![met("a", Cause::TlsPlaintext, Stage::Tls)])),
        (D::Silent, of(vec![met("a", Cause::HeadersTimeout, Stage::Headers)])),
        (D::Silent, of(vec![met("a", Cause::DeadlineExceeded, Stage::Headers)])),
        (D::Overloaded, of(vec![met("a", Cause::Overloaded, Stage::Headers)])),
        (D::KeyLimited, of(vec![met("a", Cause::RateLimited, Stage::Headers)])),
        (D::KeyLimited, of(vec![TargetEvidence { keys: limited(4 * SECOND), ..target("a") }])),
        (D::KeyRejected, of(vec![met("a", Cause::KeyRejected, Stage::Headers)])),
        (D::CredentialUnavailable, of(vec![met("a", Cause::CredentialUnavailable, Stage::Prepare)])),
        (D::CredentialUnavailable, of(vec![TargetEvidence { keys: unfetched(), ..target("a") }])),
        (D::BudgetExhausted, of(vec![met("a", Cause::QuotaExhausted, Stage::Headers)])),
        (D::ModelUnknown, of(vec![met("a", Cause::ModelUnknown, Stage::Headers)])),
        (D::RequestRefused, of(vec![met("a", Cause::BadRequest, Stage::Headers)])),
        (D::Internal, of(vec![met("a", Cause::Internal, Stage::Prepare)])),
        (D::AllOpenLastLight, of(vec![open("a", Cause::Status5xx), open("b", Cause::HeadersTimeout)])),
        (D::AllOpenLastLight, of(vec![])),
        (D::AllOpenLastLight, of(vec![target("a")])),
    ];
    for cause in [Cause::Status5xx, Cause::ConnectionReset, Cause::ResponseIncomplete, Cause::ErrorInSuccess]
    {
        all.push((D::UpstreamErrors, of(vec![met("a", cause, Stage::Headers)])));
    }
    let plain_503 = Fault { scope: Scope::Endpoint, ..fault(Cause::Overloaded, Stage::Headers) };
    all.push((D::UpstreamErrors, of(vec![TargetEvidence { met: vec![plain_503], ..target("a") }])));
    let blocked = TargetEvidence { check: Some(Check::Blocked), phase: Phase::Open, ..target("a") };
    all.push((D::HealthcheckBlocked, of(vec![blocked])));
    let hurried = Some(patience(2 * SECOND, 60 * SECOND, None));
    let slow = met("a", Cause::DeadlineExceeded, Stage::Headers);
    all.push((D::DeadlineTooShort, Evidence { patience: hurried, ..of(vec![slow]) }));
    let waits = TargetEvidence { keys: limited(3 * SECOND), ..target("a") };
    let hurried = Some(patience(2 * SECOND, 60 * SECOND, Some(3 * SECOND)));
    all.push((D::DeadlineTooShort, Evidence { patience: hurried, ..of(vec![waits]) }));
    let over = Some(patience(SECOND, SECOND, None));
    all.push((D::DeadlineTooShort, Evidence { patience: over, ..of(vec![target("a")]) }));
    all
}

#[test]
fn every_cause_alone_gives_its_code() {
    for (expected, evidence) in alone() {
        let report = diagnose(&evidence);
        assert_eq!(report.diagnosis, expected, "{evidence:#?}");
        assert_eq!(rank(expected), PRECEDENCE.iter().position(|one| *one == expected).unwrap());
    }
    let shown: Vec<_> = alone().into_iter().map(|(cause, _)| cause).collect();
    for cause in PRECEDENCE {
        assert!(shown.contains(&cause), "{cause:?} is never shown alone");
    }
    for cause in Diagnosis::ALL.into_iter().filter(|cause| !PRECEDENCE.contains(cause)) {
        assert!(cause.is_survived(), "{cause:?} can be the reason of a failure and has no rank");
    }
}

#[test]
fn what_is_survived_is_a_finding_and_not_the_cause() {
    let half = Half {
        host: "localhost:4711".into(),
        refused: "[::1]:4711".to_owned(),
        answers: "127.0.0.1:4711".to_owned(),
        at: NOW,
    };
    let check = Some(Check::Contradicted { failed: 12, successes: 1_240 });
    let survives = TargetEvidence {
        name: name(NameTrouble::StaleKept, 2),
        half: Some(half),
        check,
        ..met("a", Cause::Status5xx, Stage::Headers)
    };
    let report = diagnose(&of(vec![survives.clone()]));
    assert_eq!(report.diagnosis, Diagnosis::UpstreamErrors);
    let found: Vec<_> = report.findings.iter().map(|finding| finding.diagnosis).collect();
    for expected in
        [Diagnosis::DnsFailedStaleKept, Diagnosis::DualLocalhost, Diagnosis::HealthcheckContradicted]
    {
        assert!(found.contains(&expected), "{expected:?} in {found:?}");
    }
    assert_eq!(found[0], Diagnosis::UpstreamErrors, "the cause of the failure comes first");
    // The same without a failure.
    let calm = Evidence { patience: None, ..of(vec![TargetEvidence { met: Vec::new(), ..survives }]) };
    assert_eq!(findings(&calm).len(), 3);
    assert!(findings(&Evidence { patience: None, ..of(vec![target("a")]) }).is_empty());
}

#[test]
fn who_can_mend_something_is_told_before_who_can_only_wait() {
    let mixed = of(vec![
        met("a", Cause::Status5xx, Stage::Headers),
        TargetEvidence { keys: limited(SECOND), ..target("b") },
        met("c", Cause::TlsName, Stage::Tls),
    ]);
    let report = diagnose(&mixed);
    assert_eq!(report.diagnosis, Diagnosis::TlsName);
    assert!(report.message.contains("1 of 3 targets"), "{}", report.message);
    assert!(report.fix.contains("providers.c.tls.server_name"), "{}", report.fix);
    let found: Vec<_> = report.findings.iter().map(|finding| finding.diagnosis).collect();
    assert_eq!(found, [Diagnosis::TlsName, Diagnosis::KeyLimited, Diagnosis::UpstreamErrors]);
}

#[test]
fn a_limit_outweighs_a_dead_key_beside_it_which_is_told_too() {
    let keys =
        KeysEvidence { total: 3, limited: 2, rejected: 1, free_at: Some(NOW + SECOND), ..limited(SECOND) };
    let tried = vec![fault(Cause::KeyRejected, Stage::Headers), fault(Cause::RateLimited, Stage::Headers)];
    let report = diagnose(&of(vec![TargetEvidence { keys, met: tried, ..target("a") }]));
    assert_eq!(report.diagnosis, Diagnosis::KeyLimited);
    assert!(report.findings.iter().any(|f| f.diagnosis == Diagnosis::KeyRejected), "{:?}", report.findings);
}

#[test]
fn a_hurried_caller_is_not_blamed_for_what_time_would_not_mend() {
    let hurried = Some(patience(2 * SECOND, 60 * SECOND, Some(3 * SECOND)));
    for (cause, stage, expected) in [
        (Cause::Status5xx, Stage::Headers, Diagnosis::UpstreamErrors),
        (Cause::ConnectionRefused, Stage::Connect, Diagnosis::PortRefused),
        (Cause::KeyRejected, Stage::Headers, Diagnosis::KeyRejected),
    ] {
        let report = diagnose(&Evidence { patience: hurried, ..of(vec![met("a", cause, stage)]) });
        assert_eq!(report.diagnosis, expected);
    }
    // Limited for longer than anybody would be held: more patience is no use.
    let late = Some(patience(2 * SECOND, 60 * SECOND, Some(45 * SECOND)));
    let waits = vec![TargetEvidence { keys: limited(45 * SECOND), ..target("a") }];
    assert_eq!(diagnose(&Evidence { patience: late, ..of(waits) }).diagnosis, Diagnosis::KeyLimited);
    // Where the recovery leaves no time for an answer, the caller was in too much of a hurry too.
    let close = Some(patience(3 * SECOND, 60 * SECOND, Some(2 * SECOND - SECOND / 10)));
    let waits = vec![TargetEvidence { keys: limited(2 * SECOND), ..target("a") }];
    assert_eq!(diagnose(&Evidence { patience: close, ..of(waits) }).diagnosis, Diagnosis::DeadlineTooShort);
    // Others had more time, and it said nothing to them either.
    let silent = TargetEvidence {
        failing_since: Some(NOW - 5 * SECOND),
        last: Some(fault(Cause::HeadersTimeout, Stage::Headers)),
        ..met("a", Cause::DeadlineExceeded, Stage::Headers)
    };
    assert_eq!(diagnose(&Evidence { patience: hurried, ..of(vec![silent]) }).diagnosis, Diagnosis::Silent);
}

#[test]
fn the_wait_of_a_hurried_caller_is_told_in_seconds() {
    let hurried = Some(patience(2 * SECOND, 60 * SECOND, Some(3 * SECOND)));
    let waits = vec![TargetEvidence { keys: limited(3 * SECOND), ..target("a") }];
    let report = diagnose(&Evidence { patience: hurried, ..of(waits) });
    assert!(report.message.contains("2.0 s") && report.message.contains("4.0 s"), "{}", report.message);
    assert_eq!(report.recovery, Some(NOW + 3 * SECOND));
    assert_eq!(report.proxy_status, "http_response_timeout");
}

/// Random evidence: every combination of causes, keys and memory.
fn random(rng: &mut Rng) -> Evidence {
    let singles = alone();
    let mut targets = Vec::new();
    for number in 0..1 + rng.below(5) {
        let (_, evidence) = &singles[usize::try_from(rng.below(singles.len() as u64)).unwrap()];
        let Some(base) = evidence.targets.first() else { continue };
        let mut target = TargetEvidence { target: format!("t{number}/m").into(), ..base.clone() };
        if rng.below(3) == 0 {
            let (_, other) = &singles[usize::try_from(rng.below(singles.len() as u64)).unwrap()];
            target.met.extend(other.targets.iter().flat_map(|t| t.met.clone()));
        }
        if rng.below(3) == 0 {
            target.last = target.met.pop();
            target.failing_since = Some(NOW - SECOND * rng.below(60));
        }
        if rng.below(4) == 0 {
            target.phase = Phase::Open;
        }
        targets.push(target);
    }
    let callers = SECOND * (1 + rng.below(20));
    let recovery = (rng.below(2) == 0).then(|| SECOND * rng.below(90));
    Evidence { patience: Some(patience(callers, 20 * SECOND, recovery)), ..of(targets) }
}

fn shuffle<T>(list: &mut [T], rng: &mut Rng) {
    for last in (1..list.len()).rev() {
        list.swap(last, usize::try_from(rng.below(last as u64 + 1)).unwrap());
    }
}

#[test]
fn it_is_never_blank_never_indiscreet_and_order_does_not_matter() {
    for seed in 0..2_000 {
        let mut rng = Rng::new(seed);
        let evidence = random(&mut rng);
        let report = diagnose(&evidence);
        assert!(!report.message.is_empty() && !report.fix.is_empty(), "seed {seed}");
        assert!(!report.diagnosis.is_survived(), "seed {seed}: {:?}", report.diagnosis);
        for secret in SECRETS {
            assert!(!report.message.contains(secret), "seed {seed}: {secret} in {}", report.message);
        }
        for finding in &report.findings {
            assert!(!finding.message.is_empty() && !finding.fix.is_empty(), "seed {seed}: {finding:?}");
        }
        let mut other = evidence.clone();
        shuffle(&mut other.targets, &mut rng);
        other.targets.iter_mut().for_each(|target| shuffle(&mut target.met, &mut rng));
        assert_eq!(diagnose(&other), report, "seed {seed}");
    }
}

#[test]
fn a_remembered_failure_counts_only_while_it_lasts() {
    let last = Some(fault(Cause::ConnectionRefused, Stage::Connect));
    let over = TargetEvidence { last: last.clone(), last_success: Some(NOW), ..target("a") };
    assert!(findings(&Evidence { patience: None, ..of(vec![over]) }).is_empty());
    let lasts = TargetEvidence { last, failing_since: Some(NOW - 12 * SECOND), ..target("a") };
    let found = findings(&Evidence { patience: None, ..of(vec![lasts]) });
    assert_eq!(found[0].diagnosis, Diagnosis::PortRefused);
    assert_eq!(found[0].since, Some(NOW - 12 * SECOND));
    assert!(found[0].message.contains("10.1.2.3:4711"), "operators see where: {}", found[0].message);
}
