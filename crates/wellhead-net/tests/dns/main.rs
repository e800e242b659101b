//! The resolver against name servers of the test's own, over real sockets. Everything waits for what has to happen;
//! the times of refreshing and backing off are the product's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod authority;

use authority::{Authority, Reply, at};
use std::net::SocketAddr;
use std::time::Duration;
use wellhead_net::{Finding, NameReport, Resolver};

const HOST: &str = "api.example.com";
/// A test that waits this long has failed. The longest wait that is right, of a silent server, takes 5 s.
const PATIENCE: Duration = Duration::from_secs(30);

/// A resolver that knows nothing but these servers, and keeps the name fresh.
fn resolver(servers: &[&Authority]) -> Resolver {
    let resolver = Resolver::with_hosts_file("/nonexistent/hosts");
    let servers: Vec<SocketAddr> = servers.iter().map(|server| server.address).collect();
    resolver.configure(&servers, [HOST]);
    resolver
}

async fn resolve(resolver: &Resolver) -> Result<Vec<String>, String> {
    let resolved = tokio::time::timeout(PATIENCE, resolver.resolve(HOST, 443)).await.expect("in time");
    let addresses = resolved.map_err(|error| error.detail)?;
    assert!(addresses.iter().all(|address| address.port() == 443));
    Ok(addresses.iter().map(|address| address.ip().to_string()).collect())
}

/// Waits until the evidence about the name is as expected.
async fn until(resolver: &Resolver, what: &str, fits: impl Fn(&NameReport) -> bool) -> NameReport {
    let wait = async {
        loop {
            if let Some(report) =
                resolver.report().into_iter().find(|report| report.host == HOST && fits(report))
            {
                return report;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(report) => report,
        Err(_) => panic!("never came: {what}; known: {:?}", resolver.report()),
    }
}

async fn until_asked(authority: &Authority, times: usize) {
    let wait = async {
        while authority.asked_a() < times {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "asked {} times only", authority.asked_a());
}

/// Waits for something while connections to the name keep failing, which makes the resolver ask every second.
async fn while_unreachable<T>(resolver: &Resolver, wait: impl Future<Output = T>) -> T {
    tokio::pin!(wait);
    loop {
        tokio::select! {
            done = &mut wait => return done,
            () = tokio::time::sleep(Duration::from_millis(100)) => resolver.unreachable(HOST),
        }
    }
}

fn kept(report: &NameReport) -> bool {
    report.finding == Some(Finding::FailedStaleKept)
}

/// Resolves once, lets the fault happen, and expects the address to stay, with the evidence; then heals.
async fn survives(a: Reply, aaaa: Reply, said: &str) {
    let authority = Authority::start(at(&["192.0.2.10"]), Reply::Empty).await;
    let resolver = resolver(&[&authority]);
    assert_eq!(resolve(&resolver).await, Ok(vec!["192.0.2.10".to_owned()]));
    authority.set(a, aaaa);
    let report = until(&resolver, "the fault is noticed", kept).await;
    assert_eq!(report.finding.unwrap().as_str(), "DNS_FAILED_STALE_KEPT");
    let error = report.last_error.unwrap();
    assert!(error.contains(said) && error.contains(&authority.address.to_string()), "{error}");
    assert!(report.failing_for.is_some() && report.last_good_age.is_some());
    // Not only once: the next refresh fails as well, and the address is still there.
    while_unreachable(&resolver, until_asked(&authority, authority.asked_a() + 2)).await;
    assert_eq!(resolve(&resolver).await, Ok(vec!["192.0.2.10".to_owned()]));
    authority.set(at(&["192.0.2.11"]), Reply::Empty);
    let back = until(&resolver, "the server is back", |report| report.finding.is_none());
    let report = while_unreachable(&resolver, back).await;
    assert_eq!((report.last_error, report.failing_for), (None, None));
    assert_eq!(resolve(&resolver).await, Ok(vec!["192.0.2.11".to_owned()]));
}

/// envoyproxy/envoy#38577.
#[tokio::test]
async fn a_silent_server_is_not_an_empty_answer() {
    survives(Reply::Silence, Reply::Silence, "no answer").await;
}

/// envoyproxy/envoy#38752.
#[tokio::test]
async fn a_silent_a_with_an_empty_aaaa_is_not_an_empty_answer() {
    survives(Reply::Silence, Reply::Empty, "no answer").await;
}

#[tokio::test]
async fn servfail_keeps_the_address() {
    survives(Reply::ServFail, Reply::ServFail, "SERVFAIL").await;
}

#[tokio::test]
async fn an_empty_answer_keeps_the_address() {
    survives(Reply::Empty, Reply::Empty, "empty answer").await;
}

#[tokio::test]
async fn one_nxdomain_keeps_the_address() {
    survives(Reply::NoSuchName, Reply::NoSuchName, "NXDOMAIN").await;
}

#[tokio::test]
async fn a_blocker_that_answers_with_the_unspecified_address_keeps_the_address() {
    survives(at(&["0.0.0.0"]), at(&["::"]), "empty answer").await;
}

#[tokio::test]
async fn a_changed_address_is_followed_without_any_request() {
    let authority = Authority::start(at(&["192.0.2.10"]), Reply::Empty).await;
    let resolver = resolver(&[&authority]);
    until(&resolver, "a first address", |report| !report.addresses.is_empty()).await;
    authority.set(at(&["192.0.2.20", "192.0.2.21"]), Reply::Empty);
    until(&resolver, "the new addresses", |report| report.addresses.len() == 2).await;
    assert_eq!(resolve(&resolver).await, Ok(vec!["192.0.2.20".to_owned(), "192.0.2.21".to_owned()]));
}

#[tokio::test]
async fn families_are_told_apart() {
    let authority = Authority::start(at(&["192.0.2.10"]), at(&["2001:db8::10"])).await;
    let resolver = resolver(&[&authority]);
    until(&resolver, "both families", |report| report.addresses.len() == 2).await;
    authority.set(at(&["192.0.2.11"]), Reply::Silence);
    let report = until(&resolver, "one fails, one moves", |report| {
        kept(report) && report.addresses.contains(&"192.0.2.11".parse().unwrap())
    })
    .await;
    assert_eq!(report.addresses.last(), Some(&"2001:db8::10".parse().unwrap()), "held, but tried last");
}

#[tokio::test]
async fn a_silent_aaaa_does_not_hold_up_the_first_request() {
    let authority = Authority::start(at(&["192.0.2.10"]), Reply::Silence).await;
    let resolver = resolver(&[&authority]);
    // A silent question is given up after 1.6 s.
    let soon = tokio::time::timeout(Duration::from_secs(1), resolve(&resolver)).await;
    assert_eq!(soon.expect("at once"), Ok(vec!["192.0.2.10".to_owned()]));
}

#[tokio::test]
async fn a_truncated_answer_is_asked_for_again_over_tcp() {
    let long: Vec<_> = (1..=30).map(|n| format!("192.0.2.{n}").parse().unwrap()).collect();
    let authority = Authority::start(Reply::OnlyOverTcp(long, 60), Reply::Empty).await;
    let resolver = resolver(&[&authority]);
    assert_eq!(resolve(&resolver).await.map(|all| all.len()), Ok(30));
    assert!(authority.asked(|_, tcp| tcp) > 0 && authority.asked(|_, tcp| !tcp) > 0);
}

#[tokio::test]
async fn many_requests_for_a_new_name_are_one_question() {
    let authority =
        Authority::start(Reply::Addresses(vec!["192.0.2.10".parse().unwrap()], 60), Reply::Empty).await;
    let resolver = Resolver::with_hosts_file("/nonexistent/hosts");
    resolver.configure(&[authority.address], [""; 0]);
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let resolver = resolver.clone();
        requests.spawn(async move { resolve(&resolver).await });
    }
    while let Some(done) = requests.join_next().await {
        assert_eq!(done.unwrap(), Ok(vec!["192.0.2.10".to_owned()]));
    }
    assert_eq!(authority.asked_a(), 1);
}

#[tokio::test]
async fn a_name_that_does_not_exist_says_so_and_is_found_when_it_does() {
    let authority = Authority::start(Reply::NoSuchName, Reply::NoSuchName).await;
    let resolver = resolver(&[&authority]);
    let error = resolve(&resolver).await.unwrap_err();
    assert!(error.contains(HOST) && error.contains("NXDOMAIN"), "{error}");
    let report = until(&resolver, "the denial", |report| report.finding.is_some()).await;
    assert_eq!(report.finding, Some(Finding::NoSuchName));
    authority.set(at(&["192.0.2.10"]), Reply::Empty);
    until(&resolver, "the new name", |report| report.finding.is_none()).await;
    assert_eq!(resolve(&resolver).await, Ok(vec!["192.0.2.10".to_owned()]));
}

#[tokio::test]
async fn nobody_answers_and_the_request_is_told_so() {
    let authority = Authority::start(Reply::Silence, Reply::Silence).await;
    let resolver = resolver(&[&authority]);
    let error = resolve(&resolver).await.unwrap_err();
    assert!(error.contains("no answer"), "{error}");
    let report = until(&resolver, "the failure", |report| report.finding.is_some()).await;
    assert_eq!((report.finding, report.last_good_age), (Some(Finding::Failed), None));
}

#[tokio::test]
async fn a_second_server_stands_in_for_one_that_is_silent_or_broken() {
    for broken in [Reply::Silence, Reply::ServFail] {
        let first = Authority::start(broken.clone(), broken).await;
        let second = Authority::start(at(&["192.0.2.10"]), Reply::Empty).await;
        let resolver = resolver(&[&first, &second]);
        assert_eq!(resolve(&resolver).await, Ok(vec!["192.0.2.10".to_owned()]));
        assert!(first.asked_a() > 0);
    }
}

#[tokio::test]
async fn a_denial_is_checked_with_the_second_server() {
    let first = Authority::start(at(&["192.0.2.10"]), Reply::Empty).await;
    let second = Authority::start(at(&["192.0.2.12"]), Reply::Empty).await;
    let resolver = resolver(&[&first, &second]);
    until(&resolver, "a first address", |report| !report.addresses.is_empty()).await;
    first.set(Reply::NoSuchName, Reply::NoSuchName);
    until(&resolver, "the denial", kept).await;
    resolver.unreachable(HOST);
    let report = until(&resolver, "the second opinion", |report| report.finding.is_none()).await;
    assert_eq!(report.addresses, ["192.0.2.12".parse::<std::net::IpAddr>().unwrap()]);
}

#[tokio::test]
async fn an_unreachable_name_is_looked_up_early() {
    let hour = |text: &str| Reply::Addresses(vec![text.parse().unwrap()], 3_600);
    let authority = Authority::start(hour("192.0.2.10"), Reply::Empty).await;
    let resolver = resolver(&[&authority]);
    assert_eq!(resolve(&resolver).await, Ok(vec!["192.0.2.10".to_owned()]));
    authority.set(hour("192.0.2.20"), Reply::Empty);
    // As a burst of failed connections would.
    (0..100).for_each(|_| resolver.unreachable(HOST));
    until(&resolver, "the new address", |report| {
        report.addresses == ["192.0.2.20".parse::<std::net::IpAddr>().unwrap()]
    })
    .await;
    assert!(authority.asked_a() <= 3, "{}", authority.asked_a());
}

#[tokio::test]
async fn other_servers_are_used_after_a_reload_and_what_is_known_stays() {
    let old = Authority::start(at(&["192.0.2.10"]), Reply::Empty).await;
    let new = Authority::start(at(&["192.0.2.30"]), Reply::Empty).await;
    let resolver = resolver(&[&old]);
    assert_eq!(resolve(&resolver).await, Ok(vec!["192.0.2.10".to_owned()]));
    old.set(Reply::Silence, Reply::Silence);
    resolver.configure(&[new.address], [HOST]);
    assert!(resolve(&resolver).await.is_ok(), "no gap");
    until(&resolver, "the new server", |report| {
        report.addresses == ["192.0.2.30".parse::<std::net::IpAddr>().unwrap()]
    })
    .await;
}

#[tokio::test]
async fn the_hosts_file_comes_first_and_localhost_before_everything() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("10.0.0.7 {HOST}\n10.9.9.9 localhost\n")).unwrap();
    let authority = Authority::start(at(&["192.0.2.10"]), at(&["2001:db8::10"])).await;
    let resolver = Resolver::with_hosts_file(file.path());
    resolver.configure(&[authority.address], [HOST, "localhost", "127.0.0.1"]);
    assert_eq!(resolve(&resolver).await, Ok(vec!["10.0.0.7".to_owned()]));
    let local = resolver.resolve("localhost", 80).await.unwrap();
    let both: [SocketAddr; 2] = ["127.0.0.1:80".parse().unwrap(), "[::1]:80".parse().unwrap()];
    assert_eq!(*local, both);
    assert_eq!(authority.asked(|_, _| true), 0);
    assert_eq!(resolver.report().len(), 1, "localhost and addresses need no evidence");
}

#[tokio::test]
async fn case_does_not_matter() {
    let authority = Authority::start(at(&["192.0.2.10"]), Reply::Empty).await;
    let resolver = resolver(&[&authority]);
    assert!(resolve(&resolver).await.is_ok());
    let upper = resolver.resolve("API.Example.COM", 443).await.unwrap();
    assert_eq!(upper.len(), 1);
    assert_eq!(resolver.report().len(), 1);
}
