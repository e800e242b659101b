//! All targets are down, and the clients ask again as their SDKs do: everyone is told the truth meanwhile, the targets
//! are not trampled when they come back, and nearly everybody is answered soon afterwards.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use wellhead_sim::{Ended, LoggedRequest};

use super::deaths::{Death, Mortal};
use super::sdk::{Call, call};
use crate::support::{Gateway, eventually, expected, metric, tiers};

/// Applications that call at the same time.
const APPS: usize = 24;
/// Calls that end after the targets have answered for the first time.
const AFTER: usize = 240;
/// Refusals during the outage: each application has been told so more than once.
const REFUSALS: usize = 2 * APPS;
/// Requests that wait instead, where patience is long.
const WAITING: u64 = APPS as u64 * 3 / 4;
/// Until then the first call is answered after the return.
const BACK_MAX: Duration = Duration::from_secs(15);
/// Of a hundred calls after the return, so many are answered.
const GOODPUT_PERCENT: usize = 95;
/// A token each so many milliseconds: an answer takes long enough for a crowd to be seen.
const PACE: Duration = Duration::from_millis(4);

#[derive(Default)]
struct Tally {
    stop: AtomicBool,
    refusals: AtomicUsize,
    calls: Mutex<Vec<Call>>,
}

impl Tally {
    fn calls<T>(&self, look: impl FnOnce(&[Call]) -> T) -> T {
        look(&self.calls.lock().unwrap())
    }
}

async fn app(
    to: std::net::SocketAddr,
    stream: bool,
    patience: &'static str,
    expected: Arc<str>,
    tally: Arc<Tally>,
) {
    while !tally.stop.load(Ordering::Relaxed) {
        let refused = || {
            tally.refusals.fetch_add(1, Ordering::Relaxed);
        };
        let call = call(to, stream, &expected, patience, refused).await;
        tally.calls.lock().unwrap().push(call);
    }
}

/// How many were with a target when each request came to it, and how many it had answered by then.
fn crowd(log: &[LoggedRequest]) -> Vec<(usize, u32)> {
    let count = |at: Duration| {
        let with = log.iter().filter(|other| other.at <= at && other.ended_at.is_none_or(|end| end > at));
        let answered = log.iter().filter(|other| {
            other.ended == Some(Ended::Finished) && other.status == Some(200) && other.ended_at <= Some(at)
        });
        (with.count(), u32::try_from(answered.count()).unwrap())
    };
    log.iter().map(|request| count(request.at)).collect()
}

/// A target that has just come back (its log begins then) is asked by one, then by twice as many after each answer.
fn ramps(log: &[LoggedRequest]) {
    for (number, (with, answered)) in crowd(log).into_iter().enumerate() {
        let most = 4_usize.saturating_mul(2_usize.saturating_pow(answered));
        assert!(with <= most, "request {number} met {with} others, when {answered} had been answered");
    }
}

/// The targets have been down for long enough: everybody has been told so, or waits for them.
async fn is_felt(gateway: &Gateway, tally: &Tally) -> bool {
    let told = tally.refusals.load(Ordering::Relaxed) >= REFUSALS;
    told || metric(gateway, "wellhead_held").await >= WAITING
}

async fn outage(death: Death, stream: bool, hold: &str, patience: &'static str) {
    let expected: Arc<str> = expected().await.into();
    let mut targets = [Mortal::start(PACE), Mortal::start(PACE)];
    let settings = format!("attempts_max: 3\n    timeouts: {{ hold: {hold} }}");
    let text = tiers(&targets[0].base_url(), &targets[1].base_url(), &settings).replace("tier: 1", "tier: 0");
    let gateway = Gateway::start(&text).await;
    let tally = Arc::new(Tally::default());
    let apps: Vec<_> = (0..APPS)
        .map(|_| tokio::spawn(app(gateway.addr, stream, patience, Arc::clone(&expected), Arc::clone(&tally))))
        .collect();
    eventually("answers", async || tally.calls(|calls| (calls.len() >= 2 * APPS).then_some(()))).await;
    assert_eq!(tally.refusals.load(Ordering::Relaxed), 0, "nothing is wrong yet");
    for target in &mut targets {
        target.die(death).await;
    }
    eventually("an outage", async || is_felt(&gateway, &tally).await.then_some(())).await;
    targets.iter().for_each(Mortal::clear_log);
    let back = targets.each_mut().map(Mortal::come_back)[1];
    let first = eventually("an answer", async || {
        tally.calls(|calls| {
            calls.iter().find(|call| call.answered && call.ended > back).map(|call| call.ended)
        })
    })
    .await;
    let logs = targets.each_ref().map(Mortal::seen);
    let after = |calls: &[Call]| calls.iter().filter(|call| call.ended > first).count();
    eventually("answers again", async || tally.calls(|calls| (after(calls) >= AFTER).then_some(()))).await;
    tally.stop.store(true, Ordering::Relaxed);
    for app in apps {
        app.await.unwrap();
    }

    let took = first - back;
    assert!(took < BACK_MAX, "{death:?}: the first answer came after {took:?}");
    tally.calls(|calls| {
        let lie = calls.iter().find_map(|call| call.lies.first());
        assert_eq!(lie, None, "{death:?}");
        let later: Vec<&Call> = calls.iter().filter(|call| call.ended > first).collect();
        let answered = later.iter().filter(|call| call.answered).count();
        let goodput = answered * 100 / later.len();
        assert!(goodput >= GOODPUT_PERCENT, "{death:?}: {answered} of {} were answered", later.len());
    });
    // A stream counts as answered from its first token on; the log knows when it ended.
    for log in logs.into_iter().filter(|_| !stream) {
        let log: Vec<_> = log.into_iter().filter(|request| request.fault.is_none()).collect();
        ramps(&log);
    }
}

macro_rules! outages {
    ($($name:ident: $death:ident $stream:literal $hold:literal $patience:literal;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                outage(Death::$death, $stream, $hold, $patience).await;
            }
        )*
    };
}

outages! {
    all_are_gone: Gone false "1s" "600";
    all_are_gone_streamed: Gone true "1s" "600";
    all_fail: Failing false "1s" "600";
    all_fail_streamed: Failing true "1s" "600";
    all_fail_and_patience_is_long: Failing false "15s" "600";
    all_are_silent_streamed: Silent true "1s" "3";
}
