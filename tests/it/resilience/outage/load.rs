//! Steady load: a few clients who ask again as soon as they are answered. Phases of a test end when so many have been
//! answered, however long that takes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::support::{Answer, CHAT, Ending, Request, chat};

/// Clients.
pub(super) const CLIENTS: usize = 6;
/// Longest that a phase may take. It is no promise, only a reason to stop a test that hangs.
const PHASE_MAX: Duration = Duration::from_secs(60);

/// One answered request.
#[derive(Debug, Clone)]
pub(super) struct Served {
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) id: String,
    pub(super) target: String,
    /// Why it is a loss, if it is one.
    pub(super) loss: Option<String>,
}

/// The load under way.
pub(super) struct Load {
    stop: Arc<AtomicBool>,
    served: Arc<Mutex<Vec<Served>>>,
    clients: Vec<JoinHandle<()>>,
}

/// Whether an answer is the whole one.
pub(super) fn is_whole(answer: &Answer, stream: bool, expected: &str) -> bool {
    let ended = answer.ending == Ending::Proper && (!stream || answer.done());
    answer.status == 200 && ended && answer.content() == expected
}

async fn one(to: SocketAddr, stream: bool, expected: &str) -> Served {
    let began = Instant::now();
    let answer = Request::post(CHAT).json(&chat(stream)).send(to).await;
    let loss = (!is_whole(&answer, stream, expected)).then(|| {
        format!("{} {:?} after {:?}: {}", answer.status, answer.ending, began.elapsed(), answer.everything())
    });
    Served {
        began,
        ended: Instant::now(),
        id: answer.header("x-request-id").to_owned(),
        target: answer.header("x-wellhead-target").to_owned(),
        loss,
    }
}

impl Load {
    pub(super) fn start(to: SocketAddr, stream: bool, expected: &str) -> Self {
        let (stop, served) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let expected: Arc<str> = expected.into();
        let client = || {
            let (stop, served, expected) = (Arc::clone(&stop), Arc::clone(&served), Arc::clone(&expected));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let one = one(to, stream, &expected).await;
                    served.lock().unwrap().push(one);
                }
            })
        };
        let clients = (0..CLIENTS).map(|_| client()).collect();
        Self { stop, served, clients }
    }

    fn served(&self) -> Vec<Served> {
        self.served.lock().unwrap().clone()
    }

    /// Waits until a look at what was answered finds something.
    pub(super) async fn until<T>(&self, what: &str, mut look: impl FnMut(&[Served]) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = look(&self.served()) {
                return found;
            }
            assert!(began.elapsed() < PHASE_MAX, "this did not happen within {PHASE_MAX:?}: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until so many more have been answered.
    pub(super) async fn more(&self, count: usize) {
        let goal = self.served().len() + count;
        self.until("answers go on coming", |served| (served.len() >= goal).then_some(())).await;
    }

    /// Ends the load. Everything that was answered.
    pub(super) async fn stop(self) -> Vec<Served> {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.unwrap();
        }
        self.served.lock().unwrap().clone()
    }
}
