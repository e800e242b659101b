//! Sends an answer at its pace, and does to it what the plan says.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::time::Instant;

use crate::fault::{Interruption, Plan};
use crate::log::{Ended, Entry};
use crate::net::{AnswerHead, Gone, Wire};
use crate::reply::{Body, Events, Reply, Step};

/// Pieces in which a huge line is sent, so that it costs no memory here.
const HUGE_PIECE: [u8; 16 << 10] = [b'x'; 16 << 10];
const HUGE_START: &[u8] = b"data: {\"object\":\"chat.completion.chunk\",\"choices\":[],\"padding\":\"";

/// Sends an answer as it is, without pace and faults.
pub(crate) async fn send_whole(wire: &mut Wire<'_>, reply: Reply) -> Result<(), Gone> {
    if let Body::Whole { bytes, .. } = reply.body {
        let head = AnswerHead { status: reply.status, headers: reply.headers, length: Some(bytes.len()) };
        wire.head(head, None).await?;
        wire.send(&bytes).await?;
    }
    wire.finish().await
}

/// Sends `reply` by `plan`.
pub(crate) async fn play(
    wire: &mut Wire<'_>,
    reply: Reply,
    plan: &Plan,
    entry: &Entry,
    gzip: bool,
) -> Result<Ended, Gone> {
    let compress = plan.compressed.is_some_and(|force| force || gzip);
    let Reply { status, mut headers, body } = reply;
    if compress {
        headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
    }
    match body {
        Body::Whole { bytes, tokens } => {
            let bytes = pad(bytes, plan);
            let bytes = if compress { Gzip::new().all(&bytes) } else { bytes };
            let head = AnswerHead { status, headers, length: Some(bytes.len()) };
            whole(wire, head, &bytes, tokens, plan, entry).await
        }
        Body::Events(source) => {
            wire.head(AnswerHead { status, headers, length: None }, plan.drip).await?;
            entry.status(status);
            if plan.reset_after_headers {
                wire.reset(false).await;
                return Ok(Ended::Cut);
            }
            events(wire, source, plan, entry, compress).await
        }
    }
}

/// A whole body with a huge member in front, if the plan wants one.
fn pad(bytes: Bytes, plan: &Plan) -> Bytes {
    let (Some(size), Some(rest)) = (plan.huge_line, bytes.strip_prefix(b"{")) else { return bytes };
    let size = usize::try_from(size).unwrap_or(0);
    let mut padded = Vec::with_capacity(size + bytes.len() + 32);
    padded.extend_from_slice(b"{\"padding\":\"");
    padded.resize(padded.len() + size, b'x');
    padded.extend_from_slice(if rest == b"}" { b"\"" } else { b"\"," });
    padded.extend_from_slice(rest);
    Bytes::from(padded)
}

async fn whole(
    wire: &mut Wire<'_>,
    head: AnswerHead,
    bytes: &[u8],
    tokens: u64,
    plan: &Plan,
    entry: &Entry,
) -> Result<Ended, Gone> {
    let status = head.status;
    // An interruption behind the last token is none; an answer without tokens is broken off before its body.
    let interruption = plan.interruption.filter(|(after, how)| {
        *how != Interruption::Error && (*after < tokens || (tokens == 0 && *after == 0))
    });
    let played = interruption.map_or(tokens, |(after, _)| after);
    wire.sleep(plan.first_token.saturating_add(times(plan.pace, played))).await?;
    wire.head(head, plan.drip).await?;
    entry.status(status);
    if plan.reset_after_headers {
        wire.reset(false).await;
        return Ok(Ended::Cut);
    }
    let Some((after, how)) = interruption else {
        wire.send(bytes).await?;
        wire.finish().await?;
        entry.tokens(tokens);
        return Ok(Ended::Finished);
    };
    let share = u128::from(after) * bytes.len() as u128 / u128::from(tokens.max(1));
    let part = usize::try_from(share).unwrap_or(0).min(bytes.len().saturating_sub(1));
    wire.send(bytes.get(..part).unwrap_or(&[])).await?;
    entry.tokens(after);
    interrupt(wire, how).await
}

fn times(pace: Duration, tokens: u64) -> Duration {
    pace.saturating_mul(u32::try_from(tokens).unwrap_or(u32::MAX))
}

async fn interrupt(wire: &mut Wire<'_>, how: Interruption) -> Result<Ended, Gone> {
    match how {
        Interruption::Stall => return Err(wire.silence().await),
        Interruption::Reset => wire.reset(false).await,
        Interruption::Cut | Interruption::Error => wire.cut(),
    }
    Ok(Ended::Cut)
}

/// Streams events. Tokens have a schedule rather than pauses between them, so that a busy machine does not add up.
async fn events(
    wire: &mut Wire<'_>,
    mut source: Box<dyn Events>,
    plan: &Plan,
    entry: &Entry,
    compress: bool,
) -> Result<Ended, Gone> {
    let mut out = Vec::with_capacity(512);
    let mut gzip = compress.then(Gzip::new);
    let mut tokens = 0;
    let mut malformed = plan.malformed_after;
    wire.sleep(plan.first_token).await?;
    let mut due = Instant::now();
    if let Some(size) = plan.huge_line {
        match source.huge(usize::try_from(size).unwrap_or(usize::MAX)) {
            Some(event) => deliver(wire, &mut gzip, &event).await?,
            None => huge_line(wire, &mut gzip, size).await?,
        }
    }
    loop {
        if let Some((after, how)) = plan.interruption
            && tokens >= after
        {
            if how == Interruption::Error {
                out.clear();
                source.error(&mut out);
                deliver(wire, &mut gzip, &out).await?;
                break;
            }
            return interrupt(wire, how).await;
        }
        if malformed.is_some_and(|after| tokens >= after) {
            malformed = None;
            deliver(wire, &mut gzip, &source.malformed()).await?;
        }
        out.clear();
        match source.next(&mut out) {
            None => break,
            Some(Step::Terminator) if !plan.terminator => continue,
            Some(Step::Token) => {
                due += plan.pace;
                wire.sleep(due.saturating_duration_since(Instant::now())).await?;
                deliver(wire, &mut gzip, &out).await?;
                tokens += 1;
                entry.tokens(tokens);
            }
            Some(_) => deliver(wire, &mut gzip, &out).await?,
        }
    }
    if let Some(gzip) = gzip {
        wire.send(&gzip.end()).await?;
    }
    wire.finish().await?;
    Ok(Ended::Finished)
}

async fn deliver(wire: &mut Wire<'_>, gzip: &mut Option<Gzip>, bytes: &[u8]) -> Result<(), Gone> {
    match gzip {
        None => wire.send(bytes).await,
        Some(gzip) => {
            let packed = gzip.piece(bytes);
            wire.send(&packed).await
        }
    }
}

async fn huge_line(wire: &mut Wire<'_>, gzip: &mut Option<Gzip>, size: u64) -> Result<(), Gone> {
    deliver(wire, gzip, HUGE_START).await?;
    let mut left = usize::try_from(size).unwrap_or(0);
    while left > 0 {
        let piece = left.min(HUGE_PIECE.len());
        deliver(wire, gzip, HUGE_PIECE.get(..piece).unwrap_or(&[])).await?;
        left -= piece;
    }
    deliver(wire, gzip, b"\"}\n\n").await
}

/// A gzip stream that can be read up to the last piece at any time.
struct Gzip(GzEncoder<Vec<u8>>);

impl Gzip {
    fn new() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }

    fn piece(&mut self, bytes: &[u8]) -> Vec<u8> {
        // Writing into memory cannot fail.
        let _ = self.0.write_all(bytes);
        let _ = self.0.flush();
        std::mem::take(self.0.get_mut())
    }

    fn end(self) -> Vec<u8> {
        self.0.finish().unwrap_or_default()
    }

    fn all(mut self, bytes: &[u8]) -> Bytes {
        let _ = self.0.write_all(bytes);
        Bytes::from(self.end())
    }
}
