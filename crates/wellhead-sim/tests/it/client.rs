//! A client that sees the bytes: it tells a proper end from a FIN and from a reset.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wellhead_sim::{Sim, SimOptions};

/// How an answer ended on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// As its framing says.
    Proper,
    /// The connection was closed before.
    Fin,
    /// The connection was reset before.
    Reset,
}

/// What came back. Status 0: no head.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The chunks, if the body came in chunks.
    pub chunks: Vec<Vec<u8>>,
    pub ending: Ending,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
    /// The `data:` of each event.
    pub fn data(&self) -> Vec<String> {
        self.text()
            .split("\n\n")
            .filter_map(|event| event.lines().find_map(|line| line.strip_prefix("data: ")))
            .map(str::to_owned)
            .collect()
    }
    /// The events that are JSON.
    pub fn events(&self) -> Vec<Value> {
        self.data().iter().filter_map(|data| serde_json::from_str(data).ok()).collect()
    }
    /// The content of a streamed chat, put together.
    pub fn content(&self) -> String {
        self.events()
            .iter()
            .filter_map(|event| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
            .collect()
    }
    pub fn error_code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or("").to_owned()
    }
}

pub struct Client {
    stream: TcpStream,
    buf: Vec<u8>,
}

enum More {
    Bytes,
    End(Ending),
}

impl Client {
    pub async fn connect(addr: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(addr).await.unwrap(), buf: Vec::new() }
    }

    pub async fn raw(&mut self, bytes: &[u8]) {
        // A reset that arrives while sending shows itself when reading.
        let _ = self.stream.write_all(bytes).await;
    }

    pub async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: sim\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(body);
        self.raw(&bytes).await;
    }

    pub async fn post(&mut self, path: &str, body: &Value) {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes()).await;
    }

    /// The connection's end, as the next read sees it.
    pub async fn ending(&mut self) -> Ending {
        loop {
            if let More::End(ending) = self.more().await {
                return ending;
            }
        }
    }

    async fn more(&mut self) -> More {
        let read = self.stream.read_buf(&mut self.buf);
        match tokio::time::timeout(Duration::from_secs(20), read).await.expect("20 s of silence") {
            Ok(0) => More::End(Ending::Fin),
            Ok(_) => More::Bytes,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => More::End(Ending::Reset),
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits until that text has arrived, whatever the framing.
    pub async fn until(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.buf).contains(text) {
            if let More::End(ending) = self.more().await {
                panic!("{ending:?} before {text}");
            }
        }
    }

    pub async fn read(&mut self) -> Answer {
        let mut answer = Answer {
            status: 0,
            headers: Vec::new(),
            body: Vec::new(),
            chunks: Vec::new(),
            ending: Ending::Proper,
        };
        let end = loop {
            if let Some(at) = self.buf.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            if let More::End(ending) = self.more().await {
                answer.ending = ending;
                return answer;
            }
        };
        let head = String::from_utf8(self.buf.drain(..end + 4).collect()).unwrap();
        let mut lines = head.lines();
        answer.status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        answer.headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect();
        answer.ending = if answer.status < 200 || answer.status == 204 {
            Ending::Proper
        } else if answer.header("transfer-encoding") == "chunked" {
            self.chunked(&mut answer).await
        } else {
            match answer.header("content-length").parse::<usize>() {
                Ok(length) => self.exactly(length, &mut answer.body).await,
                Err(_) => {
                    let ending = self.ending().await;
                    answer.body = std::mem::take(&mut self.buf);
                    ending
                }
            }
        };
        answer
    }

    async fn exactly(&mut self, length: usize, into: &mut Vec<u8>) -> Ending {
        while self.buf.len() < length {
            if let More::End(ending) = self.more().await {
                into.append(&mut self.buf);
                return ending;
            }
        }
        into.extend(self.buf.drain(..length));
        Ending::Proper
    }

    async fn chunked(&mut self, answer: &mut Answer) -> Ending {
        loop {
            let end = loop {
                if let Some(at) = self.buf.windows(2).position(|two| two == b"\r\n") {
                    break at;
                }
                if let More::End(ending) = self.more().await {
                    return ending;
                }
            };
            let line = String::from_utf8(self.buf.drain(..end + 2).collect()).unwrap();
            let size = usize::from_str_radix(line.trim(), 16).unwrap();
            let mut chunk = Vec::new();
            let ending = self.exactly(size + 2, &mut chunk).await;
            chunk.truncate(size);
            if ending != Ending::Proper || size == 0 {
                return ending;
            }
            answer.body.extend_from_slice(&chunk);
            answer.chunks.push(chunk);
        }
    }
}

/// A simulator without pauses.
pub fn sim() -> Sim {
    sim_with(|_| {})
}

pub fn sim_with(change: impl FnOnce(&mut SimOptions)) -> Sim {
    let mut options = SimOptions { token_pace: Duration::ZERO, ..SimOptions::default() };
    change(&mut options);
    Sim::start(options).unwrap()
}

/// One request on a connection of its own.
pub async fn post(sim: &Sim, path: &str, body: &Value) -> Answer {
    with_headers(sim, path, &[("content-type", "application/json")], body).await
}

pub async fn with_headers(sim: &Sim, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let mut client = Client::connect(sim.addr()).await;
    client.send("POST", path, headers, body.to_string().as_bytes()).await;
    client.read().await
}

pub async fn call(sim: &Sim, method: &str, path: &str) -> Answer {
    let mut client = Client::connect(sim.addr()).await;
    client.send(method, path, &[], b"").await;
    client.read().await
}

/// A chat with one question.
pub fn chat(model: &str, stream: bool) -> Value {
    serde_json::json!({"model": model, "stream": stream, "messages": [{"role": "user", "content": "How do rivers meander?"}]})
}

pub const CHAT: &str = "/v1/chat/completions";
