#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

//! On virtual time: the rhythm of one credential, with a fetch of the test's own.

use super::keep;
use crate::credential::{Credential, State};
use crate::error::{FetchError, Trouble};
use crate::material::{Fetched, Material};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};
use wellhead_config::snapshot::{GcpFrom, GcpSource, TokenSource};

type Script = VecDeque<Result<u64, &'static str>>;

struct World {
    credential: Option<Arc<Credential>>,
    fetches: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

/// Answers of the script in turn, each after a second: a token that lives so many seconds, or an error. The last one is
/// repeated.
fn world(script: impl IntoIterator<Item = Result<u64, &'static str>>) -> World {
    let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(script.into_iter().collect()));
    let fetches = Arc::<AtomicUsize>::default();
    let (sender, state) = watch::channel(State::default());
    let urge = Arc::<Notify>::default();
    let count = fetches.clone();
    let fetcher = move || {
        let (script, count) = (script.clone(), count.clone());
        async move {
            sleep(Duration::from_secs(1)).await;
            let number = count.fetch_add(1, Ordering::Relaxed);
            let mut script = script.lock().unwrap();
            let next = if script.len() > 1 { script.pop_front() } else { script.front().copied() };
            match next.unwrap() {
                Ok(lifetime) => Ok(Fetched {
                    material: Material::token(&format!("token-{number}"), "test").unwrap(),
                    lifetime: Some(Duration::from_secs(lifetime)),
                }),
                Err(detail) => Err(FetchError::new(Trouble::Refused, "test", detail, "mend it")),
            }
        }
    };
    let task = tokio::spawn(keep(sender, urge.clone(), 7, fetcher));
    let source = TokenSource::Gcp(GcpSource { from: GcpFrom::Metadata, scope: "s".to_owned() });
    World {
        credential: Some(Arc::new(Credential { source, state, urge, ahead_s: AtomicI64::new(0) })),
        fetches,
        task,
    }
}

impl World {
    fn credential(&self) -> &Credential {
        self.credential.as_ref().unwrap()
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }

    fn token(&self) -> Option<String> {
        self.credential().material().map(|material| material.secrets().next().unwrap().expose().to_owned())
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

#[tokio::test(start_paused = true)]
async fn many_who_wait_for_the_first_token_cause_one_fetch() {
    let world = world([Ok(3600)]);
    let credential = world.credential.clone().unwrap();
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            let credential = credential.clone();
            tokio::spawn(async move { credential.ready(soon()).await.is_ok() })
        })
        .collect();
    for one in waiting {
        assert!(one.await.unwrap());
    }
    assert_eq!(world.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_replaced_before_its_end_and_nobody_waits_for_that() {
    let world = world([Ok(3600)]);
    world.credential().ready(soon()).await.unwrap();
    for _ in 0..3 * 3600 {
        assert!(world.token().is_some(), "there is never none");
        sleep(Duration::from_secs(1)).await;
    }
    assert!((3..=4).contains(&world.fetches()), "{}", world.fetches());
}

#[tokio::test(start_paused = true)]
async fn failures_take_nothing_away_until_the_token_ends() {
    let world = world([Ok(600), Err("no")]);
    world.credential().ready(soon()).await.unwrap();
    let began = Instant::now();
    // Longer than it lives: until its end it is given out in spite of the failures.
    while began.elapsed() < Duration::from_secs(598) {
        assert_eq!(world.token().as_deref(), Some("token-0"), "after {:?}", began.elapsed());
        sleep(Duration::from_secs(1)).await;
    }
    assert!(world.credential().trouble().is_some(), "the failures are known");
    sleep(Duration::from_secs(4)).await;
    assert_eq!(world.token(), None);
    let unready = world.credential().ready(soon()).await.unwrap_err();
    let error = unready.error.expect("why");
    assert_eq!((error.trouble, error.detail.as_str()), (Trouble::Refused, "no"));
    assert!(unready.next <= Duration::from_secs(30), "{:?}", unready.next);
    // 150 s of failures with pauses of up to 30 s, and no more than that.
    assert!((8..=16).contains(&world.fetches()), "{}", world.fetches());
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_while_the_newest_try_has_failed_does_not_wait() {
    let world = world([Err("no"), Err("no"), Ok(3600)]);
    let first = Instant::now();
    world.credential().ready(soon()).await.unwrap_err();
    assert!(first.elapsed() <= Duration::from_secs(1), "the first waits for the first try");
    let second = Instant::now();
    let unready = world.credential().ready(soon()).await.unwrap_err();
    assert_eq!(second.elapsed(), Duration::ZERO);
    sleep(unready.next + Duration::from_secs(6)).await;
    assert!(world.token().is_some(), "and it comes back by itself");
    assert!(world.credential().trouble().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_hangs_is_given_up() {
    let (sender, state) = watch::channel(State::default());
    let task = tokio::spawn(keep(sender, Arc::default(), 1, std::future::pending));
    let source = TokenSource::Gcp(GcpSource { from: GcpFrom::Metadata, scope: "s".to_owned() });
    let credential = Credential { source, state, urge: Arc::default(), ahead_s: AtomicI64::new(0) };
    assert!(credential.ready(soon()).await.unwrap_err().error.is_none(), "not known yet");
    sleep(Duration::from_secs(20)).await;
    assert_eq!(credential.trouble().unwrap().0.trouble, Trouble::Unreachable);
    drop(credential);
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_doubted_token_is_fetched_anew_and_not_in_a_loop() {
    let world = world([Ok(3600)]);
    world.credential().ready(soon()).await.unwrap();
    for _ in 0..100 {
        world.credential().doubt();
        sleep(Duration::from_millis(100)).await;
    }
    let fetches = world.fetches();
    assert!((2..=3).contains(&fetches), "{fetches}: once in five seconds at most");
    assert_ne!(world.token().as_deref(), Some("token-0"));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_holds_is_not_fetched_any_more() {
    let mut world = world([Ok(60)]);
    world.credential().ready(soon()).await.unwrap();
    world.credential = None;
    (&mut world.task).await.unwrap();
    assert_eq!(world.fetches(), 1);
}
