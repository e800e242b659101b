//! An HTTP/1.1 client that sends exactly what it is told, and tells a proper end from a FIN and from a reset.

use std::io::ErrorKind;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{KEY, LIMIT};

/// How an answer ended on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As its framing says.
    Proper,
    /// The connection was closed before that.
    Fin,
    /// The connection was reset before that.
    Reset,
}

/// A request under construction.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        let headers = vec![("authorization".to_owned(), format!("Bearer {KEY}"))];
        Self { method: method.to_owned(), path: path.to_owned(), headers, body: Vec::new() }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    /// Adds a header line, even if there is one of that name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Replaces a header.
    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        self.without(name).header(name, value)
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(given, _)| !given.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.set("content-type", content_type)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// The bytes, with `Host` and `Content-Length` unless they are set.
    pub(crate) fn bytes(&self, host: SocketAddr) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        let has = |name: &str| self.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        if !has("host") {
            text.push_str(&format!("host: {host}\r\n"));
        }
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !has("content-length")
            && !has("transfer-encoding")
            && (!self.body.is_empty() || self.method == "POST")
        {
            text.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        text.push_str("\r\n");
        [text.as_bytes(), &self.body].concat()
    }

    /// Sends it over a connection of its own and reads the whole answer.
    pub(crate) async fn send(self, to: SocketAddr) -> Answer {
        self.open(to).await.answer().await
    }

    /// Sends it over a connection of its own.
    pub(crate) async fn open(&self, to: SocketAddr) -> Connection {
        let mut connection = Connection::open(to).await;
        connection.write(&self.bytes(to)).await;
        connection
    }
}

/// The head of an answer; status 0: there was none.
#[derive(Debug, Clone, Default)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

/// What came back. Status 0: no head.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) ending: Ending,
}

impl Answer {
    /// The value of a header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{error} in {} {:?}", self.status, String::from_utf8_lossy(&self.body))
        })
    }

    /// `error` of the body.
    pub(crate) fn error(&self) -> Value {
        self.json()["error"].clone()
    }

    pub(crate) fn code(&self) -> String {
        self.error()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The `data:` of each event.
    pub(crate) fn data(&self) -> Vec<&str> {
        self.text().lines().filter_map(|line| line.strip_prefix("data: ")).collect()
    }

    /// The events that are JSON.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.data().iter().filter_map(|data| serde_json::from_str(data).ok()).collect()
    }

    /// Did the stream say that it is complete?
    pub(crate) fn done(&self) -> bool {
        self.data().contains(&"[DONE]")
    }

    /// Does any choice have a finish reason?
    pub(crate) fn finished(&self) -> bool {
        self.events().iter().any(|event| event["choices"][0]["finish_reason"].is_string())
    }

    /// The error event of a stream.
    pub(crate) fn stream_error(&self) -> Option<Value> {
        self.events().into_iter().find_map(|event| event.get("error").cloned())
    }

    /// The text of the answer to a chat, streamed or not.
    pub(crate) fn content(&self) -> String {
        if !self.header("content-type").starts_with("text/event-stream") {
            return self.json()["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned();
        }
        let events = self.events();
        events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect()
    }

    /// Head and body as text, to look for what must not be there.
    pub(crate) fn everything(&self) -> String {
        format!("{:?}\n{}", self.headers, String::from_utf8_lossy(&self.body))
    }
}

enum Framing {
    Length(usize),
    Chunked,
    Close,
}

/// One connection; every wait ends after [`LIMIT`].
pub(crate) struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
    ended: Option<Ending>,
    head: Option<Head>,
}

impl Connection {
    pub(crate) async fn open(to: SocketAddr) -> Self {
        let socket = timeout(LIMIT, TcpStream::connect(to)).await.unwrap().unwrap();
        socket.set_nodelay(true).unwrap();
        Self::over(socket)
    }

    /// The same over a socket that is there already, for the server's side of it too.
    pub(crate) fn over(socket: TcpStream) -> Self {
        Self { socket, buffer: Vec::new(), ended: None, head: None }
    }

    /// Reads a request whole and returns its body; nothing if it breaks off.
    pub(crate) async fn request_body(&mut self) -> Option<Vec<u8>> {
        self.head = Some(self.one_head().await?);
        let Framing::Length(length) = self.framing() else { return None };
        let (body, whole) = self.exactly(length).await;
        whole.then_some(body)
    }

    /// Sends bytes. A peer that has closed already is not an error: its answer is what counts.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _ = timeout(LIMIT, self.socket.write_all(bytes)).await.expect("the gateway stopped reading");
    }

    /// Reads more; false at the end of the connection.
    async fn more(&mut self) -> bool {
        if self.ended.is_some() {
            return false;
        }
        let read = timeout(LIMIT, self.socket.read_buf(&mut self.buffer)).await;
        self.ended = match read.expect("the gateway sent nothing for too long") {
            Ok(0) => Some(Ending::Fin),
            Ok(_) => None,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Some(Ending::Reset),
            Err(error) => panic!("{error}"),
        };
        self.ended.is_none()
    }

    /// Takes a line without its CR LF.
    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..at + 2).collect();
                return Some(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Waits for the head of the answer, skipping 1xx. Returns its status; 0 if the connection ended before.
    pub(crate) async fn head(&mut self) -> u16 {
        loop {
            let head = self.one_head().await.unwrap_or_default();
            if !(100..200).contains(&head.status) {
                let status = head.status;
                self.head = Some(head);
                return status;
            }
        }
    }

    async fn one_head(&mut self) -> Option<Head> {
        let line = self.line().await?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let mut headers = Vec::new();
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        Some(Head { status, headers })
    }

    /// Waits until `text` has come, without taking it: to be used between head and answer.
    pub(crate) async fn until(&mut self, text: &str) {
        while !self.buffer.windows(text.len()).any(|window| window == text.as_bytes()) {
            assert!(self.more().await, "{text:?} did not come: {}", String::from_utf8_lossy(&self.buffer));
        }
    }

    fn framing(&self) -> Framing {
        let head = self.head.as_ref().unwrap();
        let get = |name: &str| head.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        if get("transfer-encoding").is_some_and(|(_, value)| value.ends_with("chunked")) {
            return Framing::Chunked;
        }
        get("content-length").map_or(Framing::Close, |(_, value)| Framing::Length(value.parse().unwrap()))
    }

    /// Takes `length` bytes, or what there is before the end.
    async fn exactly(&mut self, length: usize) -> (Vec<u8>, bool) {
        while self.buffer.len() < length {
            if !self.more().await {
                return (std::mem::take(&mut self.buffer), false);
            }
        }
        (self.buffer.drain(..length).collect(), true)
    }

    /// Reads the answer to its end.
    pub(crate) async fn answer(mut self) -> Answer {
        self.next_answer().await
    }

    /// Reads one answer; the connection can be used for another one after that.
    pub(crate) async fn next_answer(&mut self) -> Answer {
        if self.head.is_none() {
            self.head().await;
        }
        let (body, proper) = match self.framing() {
            _ if self.head.as_ref().unwrap().status == 0 => (Vec::new(), false),
            Framing::Length(length) => self.exactly(length).await,
            Framing::Chunked => self.chunks().await,
            Framing::Close => {
                while self.more().await {}
                (std::mem::take(&mut self.buffer), self.ended == Some(Ending::Fin))
            }
        };
        let Head { status, headers } = self.head.take().unwrap();
        let ending = if proper { Ending::Proper } else { self.ended.unwrap() };
        Answer { status, headers, body, ending }
    }

    async fn chunks(&mut self) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        loop {
            let Some(line) = self.line().await else { return (body, false) };
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).unwrap_or_else(|_| panic!("chunk size {size:?}"));
            let (mut chunk, whole) = self.exactly(size + 2).await;
            if !whole {
                body.extend_from_slice(&chunk);
                return (body, false);
            }
            chunk.truncate(size);
            body.extend_from_slice(&chunk);
            if size == 0 {
                return (body, true);
            }
        }
    }

    /// Reads until the connection ends and returns everything that came.
    pub(crate) async fn rest(&mut self) -> (Vec<u8>, Ending) {
        while self.more().await {}
        (std::mem::take(&mut self.buffer), self.ended.unwrap())
    }
}
