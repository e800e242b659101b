//! The upstream side: one behaviour per process, so that a gateway's configuration needs only a port.

mod bodies;
mod chunk;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use clap::{Args, ValueEnum};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use self::bodies::{Flood, Paced};
use self::chunk::{Dialect, Template};
pub(crate) use self::chunk::{STAMP_DIGITS, nanos_since_1970};
use crate::Fault;

/// A request body beyond this is refused: twice the largest body that the measurements send.
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Port on 127.0.0.1; 0 lets the system choose. The line on stdout names it.
    #[arg(long)]
    port: u16,
    /// What every request gets.
    #[arg(long, value_enum)]
    behaviour: Behaviour,
    /// File with the JSON answer (`json` and `slow-upload`).
    #[arg(long)]
    answer: Option<PathBuf>,
    /// Content chunks per stream (`paced`).
    #[arg(long, default_value_t = 200)]
    chunks: u32,
    /// Bytes of one chunk, framing of the event included.
    #[arg(long, default_value_t = 200)]
    chunk_bytes: usize,
    /// Whose stream it looks like; `flood` speaks OpenAI's only.
    #[arg(long, value_enum, default_value_t = Dialect::Openai)]
    dialect: Dialect,
    /// Pause between two chunks (`paced`).
    #[arg(long, default_value_t = 5_000)]
    interval_us: u64,
    /// Bytes of one flooding stream, at most (`flood`).
    #[arg(long, default_value_t = 256 * 1024 * 1024)]
    flood_bytes_max: u64,
    /// How fast request bodies are read (`slow-upload`).
    #[arg(long, default_value_t = 8 * 1024 * 1024)]
    read_bytes_per_second: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Behaviour {
    /// Read the request, answer with the file.
    Json,
    /// Stream chunks at a set pace, then usage and `[DONE]`.
    Paced,
    /// Send one chunk, then nothing, and stay connected.
    Silent,
    /// Stream as fast as the other side reads.
    Flood,
    /// Read the request slowly, then answer with the file.
    SlowUpload,
}

/// What has happened so far; served at `/_stats`.
#[derive(Default)]
struct Stats {
    requests: AtomicU64,
    streams_open: AtomicU64,
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
}

struct Shared {
    options: Options,
    answer: Bytes,
    template: Template,
    stats: Arc<Stats>,
}

type Answer = Response<BoxBody<Bytes, Infallible>>;

/// Serves until the process is ended. Fails when the port is taken or the options contradict each other.
pub(crate) async fn serve(options: Options) -> Result<(), Fault> {
    let needs_answer = matches!(options.behaviour, Behaviour::Json | Behaviour::SlowUpload);
    let answer = match &options.answer {
        Some(path) => {
            Bytes::from(std::fs::read(path).map_err(|e| format!("--answer {}: {e}", path.display()))?)
        }
        None if needs_answer => return Err("--answer FILE is needed for this behaviour".into()),
        None => Bytes::new(),
    };
    if options.read_bytes_per_second == 0 {
        return Err("--read-bytes-per-second must be at least 1".into());
    }
    let template = Template::new(options.dialect, options.chunk_bytes)?;
    if options.behaviour == Behaviour::Flood && options.dialect != Dialect::Openai {
        return Err("--behaviour flood speaks no dialect but openai".into());
    }
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, options.port))).await?;
    crate::report::line(&serde_json::json!({ "ready": listener.local_addr()?.to_string() }))?;
    let shared = Arc::new(Shared { options, answer, template, stats: Arc::default() });
    loop {
        let (stream, _) = match listener.accept().await {
            Ok(accepted) => accepted,
            // Out of descriptors, or a client that was gone before it was accepted: both pass.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        stream.set_nodelay(true)?;
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { Ok::<_, Infallible>(respond(&shared, request).await) }
            });
            // An error here is a client that went away: the client's report says so, there is nobody to tell.
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn respond(shared: &Shared, request: Request<Incoming>) -> Answer {
    if request.method() == Method::GET && request.uri().path() == "/_stats" {
        return json(StatusCode::OK, shared.stats.to_json());
    }
    shared.stats.requests.fetch_add(1, Ordering::Relaxed);
    let pace = match shared.options.behaviour {
        Behaviour::SlowUpload => Some(shared.options.read_bytes_per_second),
        _ => None,
    };
    if let Err(why) = drain(request.into_body(), &shared.stats, pace).await {
        return json(
            StatusCode::BAD_REQUEST,
            Bytes::from(format!("{{\"error\":{{\"message\":\"{why}\"}}}}")),
        );
    }
    let stats = Arc::clone(&shared.stats);
    let template = shared.template.clone();
    match shared.options.behaviour {
        Behaviour::Json | Behaviour::SlowUpload => {
            stats.bytes_sent.fetch_add(shared.answer.len() as u64, Ordering::Relaxed);
            json(StatusCode::OK, shared.answer.clone())
        }
        Behaviour::Paced => {
            let interval = Duration::from_micros(shared.options.interval_us);
            events(Paced::new(template, Some(shared.options.chunks), interval, stats))
        }
        Behaviour::Silent => events(Paced::new(template, None, Duration::ZERO, stats)),
        Behaviour::Flood => events(Flood::new(template, shared.options.flood_bytes_max, stats)),
    }
}

/// Reads a request body and throws it away, at a set pace if there is one.
async fn drain(mut body: Incoming, stats: &Stats, bytes_per_second: Option<u64>) -> Result<(), &'static str> {
    let started = tokio::time::Instant::now();
    let mut received = 0_u64;
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(|_| "the request body broke off")?.into_data().unwrap_or_default();
        received += data.len() as u64;
        stats.bytes_received.fetch_add(data.len() as u64, Ordering::Relaxed);
        if received > BODY_BYTES_MAX {
            return Err("the request body is larger than 64 MiB");
        }
        if let Some(rate) = bytes_per_second {
            // Against the schedule, not against the last piece, so that small pieces are not slower than large ones.
            let due = Duration::from_micros(received.saturating_mul(1_000_000) / rate);
            tokio::time::sleep_until(started + due).await;
        }
    }
    Ok(())
}

fn json(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body).boxed());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    answer
}

fn events(body: impl Body<Data = Bytes, Error = Infallible> + Send + Sync + 'static) -> Answer {
    let mut answer = Response::new(body.boxed());
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, hyper::header::HeaderValue::from_static("no-cache"));
    answer
}

impl Stats {
    fn to_json(&self) -> Bytes {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let value = serde_json::json!({
            "requests": read(&self.requests),
            "streams_open": read(&self.streams_open),
            "bytes_sent": read(&self.bytes_sent),
            "bytes_received": read(&self.bytes_received),
        });
        Bytes::from(value.to_string())
    }
}
