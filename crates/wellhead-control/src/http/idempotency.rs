//! `Idempotency-Key` on POST: repeating a request that was answered gives the same answer and does nothing twice
//! (draft-ietf-httpapi-idempotency-key-header-07). Kept in memory only: answers may hold a new key's text.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use tokio::time::Instant;

use super::problem::Problem;
use super::reply::Reply;
use crate::source::sha256;

const HEADER: &str = "idempotency-key";

/// Remembered requests: far more than people and scripts make within the time below.
const ENTRIES_MAX: usize = 256;

/// How long an answer is remembered: any client has given up retrying by then.
const REMEMBERED_MAX: Duration = Duration::from_secs(600);

/// Longest key.
const KEY_BYTES_MAX: usize = 255;

/// The table of remembered requests.
#[derive(Default)]
pub(crate) struct Idempotency(Mutex<HashMap<String, Entry>>);

struct Entry {
    request: [u8; 32],
    since: Instant,
    /// `None` while the first request is being answered.
    reply: Option<Reply>,
}

/// Forgets a request that was not answered well, however it ended, so that it can be tried again.
struct InProgress<'a> {
    table: &'a Idempotency,
    key: String,
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        let mut table = self.table.lock();
        if table.get(&self.key).is_some_and(|entry| entry.reply.is_none()) {
            table.remove(&self.key);
        }
    }
}

impl Idempotency {
    /// Answers from memory if the request was answered before; otherwise runs `work` and remembers a good answer.
    pub(crate) async fn once(
        &self,
        headers: &HeaderMap,
        operation: &str,
        body: &[u8],
        work: impl Future<Output = Result<Reply, Problem>> + Send,
    ) -> Result<Reply, Problem> {
        let Some(key) = key_of(headers)? else { return work.await };
        let request = sha256(&[operation.as_bytes(), b"\0", body].concat());
        if let Some(reply) = self.begin(&key, request)? {
            return Ok(reply);
        }
        let in_progress = InProgress { table: self, key };
        let reply = work.await?;
        if let Some(entry) = self.lock().get_mut(&in_progress.key) {
            entry.reply = Some(reply.clone());
        }
        Ok(reply)
    }

    fn begin(&self, key: &str, request: [u8; 32]) -> Result<Option<Reply>, Problem> {
        let now = Instant::now();
        let mut table = self.lock();
        table.retain(|_, entry| entry.reply.is_none() || now.duration_since(entry.since) < REMEMBERED_MAX);
        if let Some(entry) = table.get(key) {
            if entry.request != request {
                let detail =
                    "this Idempotency-Key was used for another request; make a new one for each request";
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", detail));
            }
            let in_progress = || {
                let detail =
                    "the first request with this Idempotency-Key is still being answered; try again shortly";
                Problem::new(StatusCode::CONFLICT, "request-in-progress", detail)
            };
            return entry.reply.clone().map(Some).ok_or_else(in_progress);
        }
        if table.len() >= ENTRIES_MAX {
            let answered = table.iter().filter(|(_, entry)| entry.reply.is_some());
            let oldest = answered.min_by_key(|(_, entry)| entry.since).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else {
                let detail = "too many requests with Idempotency-Key are being answered; try again shortly";
                return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail));
            };
            table.remove(&oldest);
        }
        table.insert(key.to_owned(), Entry { request, since: now, reply: None });
        Ok(None)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let text = value.to_str().ok().map(str::trim).filter(|text| (1..=KEY_BYTES_MAX).contains(&text.len()));
    match text {
        Some(text) => Ok(Some(text.to_owned())),
        None => {
            let detail = format!("Idempotency-Key has to be 1 to {KEY_BYTES_MAX} visible ASCII characters");
            Err(Problem::bad_parameter("Idempotency-Key", detail))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{ENTRIES_MAX, Idempotency, REMEMBERED_MAX};
    use crate::http::problem::Problem;
    use crate::http::reply::Reply;
    use axum::http::{HeaderMap, StatusCode};
    use axum::response::IntoResponse;
    use serde_json::json;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn headers(key: &str) -> HeaderMap {
        [("idempotency-key".parse().unwrap(), key.parse().unwrap())].into_iter().collect()
    }

    async fn run(table: &Idempotency, key: &str, body: &str, count: &AtomicU32) -> StatusCode {
        let work = async {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Reply::json(StatusCode::CREATED, json!({})))
        };
        let answer = table.once(&headers(key), "POST /x", body.as_bytes(), work).await;
        answer.map_or_else(|problem| problem.into_response().status(), |reply| reply.into_response().status())
    }

    #[tokio::test(start_paused = true)]
    async fn a_repeated_request_is_answered_from_memory_until_it_is_forgotten() {
        let (table, count) = (Idempotency::default(), AtomicU32::new(0));
        assert_eq!(run(&table, "a", "1", &count).await, 201);
        assert_eq!(run(&table, "a", "1", &count).await, 201);
        assert_eq!(count.load(Ordering::Relaxed), 1);
        assert_eq!(run(&table, "a", "2", &count).await, 422);
        tokio::time::advance(REMEMBERED_MAX).await;
        assert_eq!(run(&table, "a", "2", &count).await, 201);
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_failed_or_abandoned_request_can_be_tried_again_and_one_in_progress_is_not_run_twice() {
        let (table, count) = (Idempotency::default(), AtomicU32::new(0));
        let failing = async { Err(Problem::new(StatusCode::CONFLICT, "x", "x")) };
        assert!(table.once(&headers("a"), "POST /x", b"1", failing).await.is_err());
        {
            let head = headers("a");
            let pending = table.once(&head, "POST /x", b"1", std::future::pending());
            tokio::pin!(pending);
            assert!(
                std::future::poll_fn(|cx| std::task::Poll::Ready(pending.as_mut().poll(cx).is_pending()))
                    .await
            );
            assert_eq!(run(&table, "a", "1", &count).await, 409);
        }
        assert_eq!(run(&table, "a", "1", &count).await, 201);
    }

    #[tokio::test]
    async fn the_table_is_bounded_and_forgets_the_oldest_first() {
        let (table, count) = (Idempotency::default(), AtomicU32::new(0));
        for n in 0..=ENTRIES_MAX {
            assert_eq!(run(&table, &format!("k{n}"), "1", &count).await, 201);
        }
        assert_eq!(table.lock().len(), ENTRIES_MAX);
        let before = count.load(Ordering::Relaxed);
        run(&table, &format!("k{ENTRIES_MAX}"), "1", &count).await;
        assert_eq!(count.load(Ordering::Relaxed), before, "the newest is remembered");
    }

    #[tokio::test]
    async fn keys_that_are_no_keys_are_refused() {
        let (table, count) = (Idempotency::default(), AtomicU32::new(0));
        assert_eq!(run(&table, "", "1", &count).await, 400);
        assert_eq!(run(&table, &"x".repeat(256), "1", &count).await, 400);
        assert_eq!(count.load(Ordering::Relaxed), 0);
    }
}
