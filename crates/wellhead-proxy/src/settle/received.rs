//! A request has come, or its turn has: it gets an id and a trace, and its books are opened.

use super::Books;
use crate::gateway::Worker;
use http::HeaderMap;
use std::sync::Arc;
use std::time::Duration;
use wellhead_catalog::Cost;
use wellhead_http::names;
use wellhead_http::trace::Trace;
use wellhead_telemetry::{RequestRecord, TraceContext};
use wellhead_types::{Outcome, Priority, RequestId, Rung};

impl Books {
    /// Opens the books of a request that begins now. The headers that came with it may name it and its trace; what they
    /// do not name is drawn.
    pub(crate) fn received(
        worker: &Arc<Worker>,
        headers: &HeaderMap,
        method: &'static str,
    ) -> (Box<Self>, Trace) {
        let clock = &worker.gateway.clock;
        let started = clock.now();
        let wall_ns = clock.wall_ns(started);
        let random = random_bytes(worker);
        let given = headers.get(&names::X_REQUEST_ID).and_then(|value| RequestId::accept(value.as_bytes()));
        let [r @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _] = random;
        let request_id = given.unwrap_or_else(|| RequestId::from_parts(wall_ns / 1_000_000, r));
        let trace = Trace::from_headers(headers, random_bytes(worker));
        let record = RequestRecord {
            started_unix_ns: wall_ns,
            duration: Duration::ZERO,
            first_byte: None,
            overhead: Duration::ZERO,
            request_id,
            trace: TraceContext {
                trace_id: trace.trace_id,
                parent_id: trace.parent_id,
                span_id: trace.span_id,
                sampled: trace.sampled,
            },
            app: None,
            key_id: None,
            route: None,
            endpoint: "other",
            method,
            operation: "",
            status: 0,
            outcome: Outcome::Cancelled,
            priority: Priority::Default,
            rung: Rung::Direct,
            code: None,
            streamed: false,
            request_bytes: 0,
            response_bytes: 0,
            usage: None,
            usage_estimated: false,
            cost: Cost::Nothing,
            replay: true,
            attempts: Vec::new(),
        };
        (Self::open(worker.clone(), record, started), trace)
    }
}

fn random_bytes(worker: &Worker) -> [u8; 24] {
    let mut bytes = [0; 24];
    for chunk in bytes.chunks_exact_mut(8) {
        chunk.copy_from_slice(&worker.gateway.entropy.next().to_be_bytes());
    }
    bytes
}
