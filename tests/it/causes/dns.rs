//! A name server of the test's own, over UDP: many names, each answered as the test says.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;

/// What a question is answered with (RFC 1035 section 4.1.1 for the codes).
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// These addresses for a second; no IPv6.
    At(Vec<Ipv4Addr>),
    /// NOERROR without an address.
    Empty,
    /// NXDOMAIN.
    NoSuchName,
    /// SERVFAIL.
    ServFail,
    /// REFUSED.
    Refused,
}

/// The server; it ends with the test's runtime.
#[derive(Clone)]
pub(super) struct Names {
    pub(super) address: SocketAddr,
    replies: Arc<Mutex<HashMap<String, Reply>>>,
}

impl Names {
    pub(super) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let names = Self { address: socket.local_addr().unwrap(), replies: Arc::default() };
        let replies = Arc::clone(&names.replies);
        tokio::spawn(async move {
            let mut question = [0; 1_232];
            while let Ok((length, from)) = socket.recv_from(&mut question).await {
                if let Some(answer) = answer(&question[..length], &replies.lock().unwrap()) {
                    socket.try_send_to(&answer, from).ok();
                }
            }
        });
        names
    }

    pub(super) fn set(&self, name: &str, reply: Reply) {
        self.replies.lock().unwrap().insert(name.to_owned(), reply);
    }
}

/// Answers a question with one name in it; anything else gets no answer.
fn answer(question: &[u8], replies: &HashMap<String, Reply>) -> Option<Vec<u8>> {
    let (mut name, mut at) = (Vec::new(), 12);
    while let length @ 1.. = usize::from(*question.get(at)?) {
        name.push(String::from_utf8_lossy(question.get(at + 1..at + 1 + length)?).to_lowercase());
        at += 1 + length;
    }
    let asks_for_a = question.get(at + 1..at + 3)? == [0, 1];
    let question_end = at + 5;
    let (code, addresses) = match replies.get(&name.join("."))? {
        Reply::At(addresses) if asks_for_a => (0, addresses.as_slice()),
        Reply::At(_) | Reply::Empty => (0, &[][..]),
        Reply::NoSuchName => (3, &[][..]),
        Reply::ServFail => (2, &[][..]),
        Reply::Refused => (5, &[][..]),
    };
    let mut answer = question[..2].to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1, 0, u8::try_from(addresses.len()).ok()?, 0, 0, 0, 0]);
    answer.extend(question.get(12..question_end)?);
    for address in addresses {
        // A pointer to the name in the question, A, IN, one second, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}
