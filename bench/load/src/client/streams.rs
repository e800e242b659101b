//! Streams read to their end. Each one's fate is recorded exactly: whether content arrived, whether the answer was
//! whole, and if not, what went wrong. The soak's promise ("no request that had not yet received content was lost")
//! is checked against these records.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Args;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Serialize;
use tokio::task::JoinSet;

use super::events::{Event, Splitter};
use super::{Aim, Line, Target, checked_count};
use crate::Fault;
use crate::report::{Spread, line};
use crate::upstream::nanos_since_1970;

/// Delay samples kept over all streams: 32 MiB of memory, far more than a measurement yields.
const SAMPLES_MAX: usize = 4_000_000;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    /// Streams at the same time.
    #[arg(long, default_value_t = 100)]
    streams: usize,
    /// Streams one after another in each slot.
    #[arg(long, default_value_t = 1)]
    repeat: usize,
    /// Instead of `--repeat`: start new streams for this long, and finish those under way.
    #[arg(long)]
    for_ms: Option<u64>,
    /// A whole answer has exactly this many content events; fewer or more count as failed.
    #[arg(long)]
    expect_chunks: Option<u64>,
    /// One line per stream before the summary.
    #[arg(long)]
    per_stream: bool,
}

/// What became of one stream.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Fate {
    slot: usize,
    round: usize,
    /// Milliseconds from the start of the run to the start of this stream, and to its end.
    started_ms: u64,
    ended_ms: u64,
    status: u16,
    /// At least one content event arrived.
    got_content: bool,
    /// Finish reason, `[DONE]` and a clean end arrived, and the number of events is the expected one.
    complete: bool,
    chunks: u64,
    first_content_us: Option<u64>,
    /// `None` exactly when complete.
    error: Option<String>,
}

#[derive(Serialize)]
struct Summary {
    streams: usize,
    complete: usize,
    /// Failed before any content: with a second target in reach, a lost request.
    failed_without_content: usize,
    failed_after_content: usize,
    errors: BTreeMap<String, usize>,
    chunks: u64,
    elapsed_ms: u64,
    first_content: Option<Spread>,
    /// From the upstream's write to the client's read.
    chunk_delay: Option<Spread>,
}

/// Runs the streams and writes the report. Failed streams are part of the report, not an error.
pub(crate) async fn run(options: Options) -> Result<(), Fault> {
    let aim = options.target.aim()?;
    let slots = checked_count("--streams", options.streams)?;
    let started = Instant::now();
    let until = options.for_ms.map(|ms| started + Duration::from_millis(ms));
    let repeat = if until.is_some() { usize::MAX } else { options.repeat };
    let mut tasks = JoinSet::new();
    for slot in 0..slots {
        let plan = Plan {
            slot,
            repeat,
            until,
            started,
            expect: options.expect_chunks,
            samples_max: SAMPLES_MAX / slots,
        };
        tasks.spawn(slot_loop(plan, aim.clone()));
    }
    let (mut fates, mut delays) = (Vec::new(), Vec::new());
    while let Some(done) = tasks.join_next().await {
        let (slot_fates, slot_delays) = done?;
        fates.extend(slot_fates);
        delays.extend(slot_delays);
    }
    let elapsed = started.elapsed();
    if options.per_stream {
        for fate in &fates {
            line(fate)?;
        }
    }
    line(&summary(&fates, delays, elapsed))
}

struct Plan {
    slot: usize,
    repeat: usize,
    until: Option<Instant>,
    started: Instant,
    expect: Option<u64>,
    samples_max: usize,
}

async fn slot_loop(plan: Plan, aim: Aim) -> (Vec<Fate>, Vec<u64>) {
    let (mut fates, mut delays) = (Vec::new(), Vec::new());
    let mut kept: Option<Line> = None;
    for round in 0..plan.repeat {
        if plan.until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
        let started_ms = millis(plan.started.elapsed());
        let mut watch = Watch::new(plan.samples_max.saturating_sub(delays.len()));
        let result = match tokio::time::timeout(aim.request_max, one(&mut kept, &aim, &mut watch)).await {
            Ok(result) => result,
            Err(_) => Err("timeout".to_owned()),
        };
        let error = result.and_then(|()| watch.verdict(plan.expect)).err();
        if error.is_some() {
            kept = None;
        }
        delays.append(&mut watch.delays);
        fates.push(Fate {
            slot: plan.slot,
            round,
            started_ms,
            ended_ms: millis(plan.started.elapsed()),
            status: watch.status,
            got_content: watch.chunks > 0,
            complete: error.is_none(),
            chunks: watch.chunks,
            first_content_us: watch.first_content_us,
            error,
        });
    }
    (fates, delays)
}

/// One request over the kept connection, or over a new one when there is none.
async fn one(kept: &mut Option<Line>, aim: &Aim, watch: &mut Watch) -> Result<(), String> {
    let reusable = match kept.as_mut() {
        Some(line) => line.usable().await,
        None => false,
    };
    if !reusable {
        *kept = Some(Line::open(aim).await?);
    }
    let line = kept.as_mut().ok_or("connect")?;
    watch.sent = Instant::now();
    let response = line.send(aim).await?;
    watch.status = response.status().as_u16();
    if watch.status != 200 {
        return Err(format!("status-{}", watch.status));
    }
    read(response.into_body(), watch).await
}

async fn read(mut body: Incoming, watch: &mut Watch) -> Result<(), String> {
    let mut splitter = Splitter::default();
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(|_| "broken-off")?.into_data().unwrap_or_default();
        if !splitter.push(&data, |event| watch.note(event)) {
            return Err("endless-event".to_owned());
        }
    }
    if splitter.is_empty() { Ok(()) } else { Err("half-an-event".to_owned()) }
}

/// What has been seen of one stream.
struct Watch {
    sent: Instant,
    status: u16,
    chunks: u64,
    first_content_us: Option<u64>,
    finished: bool,
    done: bool,
    in_band_error: bool,
    delays: Vec<u64>,
    samples_max: usize,
}

impl Watch {
    fn new(samples_max: usize) -> Watch {
        Watch {
            sent: Instant::now(),
            status: 0,
            chunks: 0,
            first_content_us: None,
            finished: false,
            done: false,
            in_band_error: false,
            delays: Vec::new(),
            samples_max,
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Content(stamp) => {
                self.chunks += 1;
                let sent = self.sent;
                self.first_content_us.get_or_insert_with(|| micros(sent.elapsed()));
                if let Some(stamp) = stamp.filter(|_| self.delays.len() < self.samples_max) {
                    self.delays.push(nanos_since_1970().saturating_sub(stamp) / 1_000);
                }
            }
            Event::Finish => self.finished = true,
            Event::Done => self.done = true,
            Event::Error => self.in_band_error = true,
            Event::Other => {}
        }
    }

    /// Whether a stream that ended without a transport error was whole.
    fn verdict(&self, expect: Option<u64>) -> Result<(), String> {
        match () {
            () if self.in_band_error => Err("error-in-stream".to_owned()),
            () if !self.finished => Err("no-finish-reason".to_owned()),
            () if !self.done => Err("no-terminator".to_owned()),
            () if expect.is_some_and(|expect| expect != self.chunks) => Err("wrong-chunk-count".to_owned()),
            () => Ok(()),
        }
    }
}

fn summary(fates: &[Fate], delays: Vec<u64>, elapsed: Duration) -> Summary {
    let mut errors = BTreeMap::new();
    for error in fates.iter().filter_map(|fate| fate.error.clone()) {
        *errors.entry(error).or_insert(0) += 1;
    }
    let count = |test: fn(&Fate) -> bool| fates.iter().filter(|fate| test(fate)).count();
    Summary {
        streams: fates.len(),
        complete: count(|fate| fate.complete),
        failed_without_content: count(|fate| !fate.complete && !fate.got_content),
        failed_after_content: count(|fate| !fate.complete && fate.got_content),
        errors,
        chunks: fates.iter().map(|fate| fate.chunks).sum(),
        elapsed_ms: millis(elapsed),
        first_content: Spread::of(fates.iter().filter_map(|fate| fate.first_content_us).collect()),
        chunk_delay: Spread::of(delays),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
