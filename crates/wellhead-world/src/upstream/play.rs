//! One exchange: what is said, when, and what goes wrong with it.

use super::line::{Gone, Line};
use super::request::{Asked, Given};
use super::text;
use crate::log::{Ended, Heard};
use crate::mind;
use crate::scenario::Kind;

/// Plays one exchange. An error ends the connection.
pub(super) async fn play(line: &mut Line, asked: &Asked, reused: bool) -> Result<(), Gone> {
    let (stage, provider) = (line.stage.clone(), line.provider);
    let seed = stage.scenario.seed;
    let voice = stage.scenario.providers[provider].voice;
    let refuses =
        asked.given.as_ref().is_some_and(|g| g.prefill) && !stage.scenario.providers[provider].prefills;
    let begin = asked.given.as_ref().map_or("", |given| given.text.as_str());
    let all = mind::words(seed, mind::topic(asked.question, asked.model), voice);
    let (all, call) = match stage.scenario.asks[asked.ask].tools {
        Some(_) => mind::with_call(all),
        None => (all, Vec::new()),
    };
    let words = mind::rest(&all, begin);
    let at_ms = stage.now_ms();
    let number = {
        let mut log = stage.log.lock();
        let before = log.heard.iter().filter(|h| h.ask == asked.ask && h.provider == provider).count();
        let fault = stage.meets(provider, asked.ask, before as u64);
        log.line(at_ms, format_args!("p{provider} hears ask {} {fault:?} reused={reused}", asked.ask));
        log.heard.push(Heard {
            at_ms,
            provider,
            model: asked.model,
            key: asked.key,
            ask: asked.ask,
            meant: format!("{begin}{}", words.concat()),
            call: (!call.is_empty()).then(|| call.concat()),
            given: asked.given.as_ref().map(|given| given.text.clone()),
            fault,
            status: None,
            status_ms: None,
            said_ms: None,
            ended: Ended::Open,
            ended_ms: at_ms,
            reused,
            refused_prefill: refuses,
        });
        let slots = stage.scenario.providers[provider].concurrency;
        let open = |h: &&Heard| h.provider == provider && h.ended == Ended::Open;
        let open = slots.map_or(0, |_| log.heard.iter().filter(open).count());
        if slots.is_some_and(|slots| open > slots as usize) {
            log.wrong.push(format!(
                "ROOM: {at_ms} p{provider} has {open} requests at a time, its slots are {slots:?}"
            ));
        }
        if !asked.known {
            log.wrong.push(format!(
                "{at_ms} p{provider}: ask {} came with a credential that is not its own",
                asked.ask
            ));
        }
        log.heard.len() - 1
    };
    let fault = stage.log.lock().heard[number].fault;
    let mut exchange = Exchange { line, asked, words, call, number, fault };
    let outcome = if refuses { exchange.refuse_prefill().await } else { exchange.answer(reused).await };
    exchange.end(outcome);
    outcome
}

struct Exchange<'a> {
    line: &'a mut Line,
    asked: &'a Asked,
    words: Vec<String>,
    /// The arguments of a call that follows on the words, in pieces.
    call: Vec<String>,
    number: usize,
    fault: Option<Kind>,
}

impl Exchange<'_> {
    fn end(&self, outcome: Result<(), Gone>) {
        let now = self.line.stage.now_ms();
        let mut log = self.line.stage.log.lock();
        let ended = match outcome {
            Ok(()) => Ended::Sent,
            Err(Gone::Left) => Ended::Left,
            Err(Gone::Closed | Gone::Reset) => Ended::Broken,
        };
        log.line(now, format_args!("p{} ends ask {}: {outcome:?}", self.line.provider, self.asked.ask));
        let heard = &mut log.heard[self.number];
        (heard.ended, heard.ended_ms) = (ended, now);
    }

    /// Who speaks, and to whom: an answer that is given again can be told by it.
    fn who(&self) -> String {
        format!("p{}-{}", self.line.provider, self.asked.ask)
    }

    /// Words and pieces of a call.
    const fn tokens(&self) -> usize {
        self.words.len() + self.call.len()
    }

    /// A request that is too long for this model.
    fn is_too_long(&self) -> bool {
        let scenario = &self.line.stage.scenario;
        let ask = &scenario.asks[self.asked.ask];
        ask.long && ask.model == self.asked.model
    }

    async fn refuse_length(&mut self) -> Result<(), Gone> {
        let why = "This model's maximum context length is 4096 tokens.";
        let body = text::error("invalid_request_error", Some("context_length_exceeded"), why);
        self.reply(400, "application/json", &body, "").await
    }

    /// A time of this upstream for this request, a quarter more or less, and longer while it is slow.
    fn takes(&self, ms: u64, what: u64) -> u64 {
        let slow = match self.fault {
            Some(Kind::Slow(times)) => u64::from(times),
            _ => 1,
        };
        ms * slow * (75 + self.line.drawn(self.asked.ask, what) % 51) / 100
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        self.line.say(bytes).await?;
        let now = self.line.stage.now_ms();
        self.line.stage.log.lock().heard[self.number].said_ms = Some(now);
        Ok(())
    }

    async fn head(&mut self, status: u16, bytes: &str) -> Result<(), Gone> {
        self.say(bytes.as_bytes()).await?;
        let now = self.line.stage.now_ms();
        let mut log = self.line.stage.log.lock();
        let heard = &mut log.heard[self.number];
        (heard.status, heard.status_ms) = (Some(status), Some(now));
        Ok(())
    }

    async fn reply(&mut self, status: u16, content_type: &str, body: &str, more: &str) -> Result<(), Gone> {
        let head = text::head(status, content_type, body.len(), more);
        self.head(status, &(head + body)).await
    }

    async fn refuse_prefill(&mut self) -> Result<(), Gone> {
        self.line.pause(Some(self.takes(40, 1))).await?;
        let body = text::error("invalid_request_error", None, "the last message must be of the user");
        self.reply(400, "application/json", &body, "").await
    }

    async fn answer(&mut self, reused: bool) -> Result<(), Gone> {
        let provider = &self.line.stage.scenario.providers[self.line.provider];
        let (first_ms, pace_ms) = (provider.first_ms, provider.pace_ms);
        if self.fault == Some(Kind::DropIdle) && reused {
            return Err(Gone::Closed);
        }
        let thinking = self.takes(first_ms, 2) / 2;
        if self.fault == Some(Kind::Silent) {
            return self.line.pause(None).await;
        }
        self.line.pause(Some(thinking)).await?;
        if let Some(done) = self.refuse().await {
            return done;
        }
        if self.is_too_long() {
            return self.refuse_length().await;
        }
        if self.asked.streamed {
            self.stream(thinking, pace_ms).await
        } else {
            let rest = thinking + self.takes(pace_ms, 3) * self.tokens() as u64;
            self.line.pause(Some(rest)).await?;
            self.whole().await
        }
    }

    /// What is wrong with the answer as a whole, if anything is.
    async fn refuse(&mut self) -> Option<Result<(), Gone>> {
        let json = "application/json";
        Some(match self.fault? {
            Kind::ResetBeforeHeaders => Err(Gone::Reset),
            Kind::CloseBeforeHeaders => Err(Gone::Closed),
            Kind::Status(status) => {
                let body = text::error("server_error", None, "something went wrong");
                self.reply(status, json, &body, "").await
            }
            Kind::Limited(after) => {
                let body = text::error("requests", Some("rate_limit_exceeded"), "Rate limit reached");
                let more = after.map_or(String::new(), |s| format!("retry-after: {s}\r\n"));
                self.reply(429, json, &body, &more).await
            }
            Kind::KeyRejected => {
                let body = text::error("invalid_request_error", Some("invalid_api_key"), "Incorrect API key");
                self.reply(401, json, &body, "").await
            }
            Kind::QuotaSpent => {
                let body =
                    text::error("insufficient_quota", Some("insufficient_quota"), "You have no credit left");
                self.reply(402, json, &body, "").await
            }
            Kind::Html => self.reply(200, "text/html", "<html><h1>It works!</h1></html>", "").await,
            Kind::ErrorInSuccess if !self.asked.streamed => {
                let body = text::error("server_error", None, "something went wrong");
                self.reply(200, json, &body, "").await
            }
            Kind::Malformed if !self.asked.streamed => self.reply(200, json, "{\"id\": chat", "").await,
            _ => return None,
        })
    }

    /// An answer in one piece.
    async fn whole(&mut self) -> Result<(), Gone> {
        let arguments = (!self.call.is_empty()).then(|| self.call.concat());
        let body = text::whole(&self.who(), &self.words.concat(), arguments.as_deref(), self.tokens());
        let head = text::head(200, "application/json", body.len(), "");
        let part = |tokens: u32| (20 + 20 * tokens as usize).min(body.len() - 5);
        match self.fault {
            Some(Kind::ResetAfterHeaders) => {
                self.head(200, &head).await?;
                Err(Gone::Reset)
            }
            Some(Kind::SilentAfterHeaders) => {
                self.head(200, &head).await?;
                self.line.pause(None).await
            }
            Some(Kind::CutAfter(n)) => {
                self.head(200, &(head + up_to(&body, part(n)))).await?;
                Err(Gone::Closed)
            }
            Some(Kind::ResetAfter(n)) => {
                self.head(200, &(head + up_to(&body, part(n)))).await?;
                Err(Gone::Reset)
            }
            Some(Kind::StallAfter(n)) => {
                self.head(200, &(head + up_to(&body, part(n)))).await?;
                self.line.pause(None).await
            }
            Some(Kind::Truncated) => {
                let body = up_to(&body, part(3)).to_owned();
                self.reply(200, "application/json", &body, "").await
            }
            _ => self.head(200, &(head + &body)).await,
        }
    }

    async fn stream(&mut self, thinking: u64, pace_ms: u64) -> Result<(), Gone> {
        let who = self.who();
        self.head(200, text::stream_head()).await?;
        match self.fault {
            Some(Kind::ResetAfterHeaders) => return Err(Gone::Reset),
            Some(Kind::SilentAfterHeaders) => return self.line.pause(None).await,
            Some(Kind::ErrorInSuccess) => {
                let body = text::error("server_error", None, "something went wrong");
                self.say(&text::piece(&format!("data: {body}\n\n"))).await?;
                return self.say(text::END).await;
            }
            _ => {}
        }
        let role = text::event(&who, r#"{"role":"assistant","content":""}"#, None);
        self.say(&text::piece(&role)).await?;
        self.line.pause(Some(thinking)).await?;
        if self.fault == Some(Kind::Malformed) {
            self.say(&text::piece("data: {\"choices\": [{\"delta\"\n\n")).await?;
        }
        if let Some(Given { text: begin, echoed: true, .. }) = &self.asked.given {
            let echo = text::event(&who, &text::content(begin), None);
            self.say(&text::piece(&echo)).await?;
        }
        let breaks_at = match self.fault {
            Some(Kind::CutAfter(n) | Kind::ResetAfter(n) | Kind::StallAfter(n)) => n as usize,
            Some(Kind::Truncated) => 3,
            _ => usize::MAX,
        };
        let pace = self.takes(pace_ms, 3);
        for number in 0..self.tokens() {
            let event = text::event(&who, &self.delta(number), None);
            if number == breaks_at {
                return self.break_off(&event).await;
            }
            self.say(&text::piece(&event)).await?;
            self.line.pause(Some(pace)).await?;
        }
        let finish = text::event(&who, "{}", Some(if self.call.is_empty() { "stop" } else { "tool_calls" }));
        if breaks_at != usize::MAX {
            return self.break_off(&finish).await;
        }
        self.say(&text::piece(&finish)).await?;
        if self.asked.usage {
            self.say(&text::piece(&text::usage_event(&who, self.tokens()))).await?;
        }
        if self.fault == Some(Kind::NoTerminator) {
            if self.line.drawn(self.asked.ask, 4).is_multiple_of(2) {
                return self.line.pause(None).await;
            }
            return self.say(text::END).await;
        }
        self.say(&text::piece("data: [DONE]\n\n")).await?;
        self.say(text::END).await
    }

    /// A word, or a piece of the call behind them.
    fn delta(&self, number: usize) -> String {
        match self.words.get(number) {
            Some(word) => text::content(word),
            None => {
                let piece = number - self.words.len();
                let id = format!("call-{}", self.who());
                text::call((piece == 0).then_some(&id), &self.call[piece])
            }
        }
    }

    /// Breaks off where `next` would come.
    async fn break_off(&mut self, next: &str) -> Result<(), Gone> {
        match self.fault {
            Some(Kind::ResetAfter(_)) => Err(Gone::Reset),
            Some(Kind::StallAfter(_)) => self.line.pause(None).await,
            Some(Kind::Truncated) => {
                self.say(&text::piece(up_to(next, next.len() / 2))).await?;
                self.say(text::END).await
            }
            // An end of the connection, or a proper end of the message: both look sound from below.
            _ if self.line.drawn(self.asked.ask, 5).is_multiple_of(2) => Err(Gone::Closed),
            _ => self.say(text::END).await,
        }
    }
}

/// The first bytes of a text, a few less where they would end within a character.
fn up_to(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}
