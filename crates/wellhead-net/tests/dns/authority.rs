//! A name server of the test's own: one name, answered over UDP and TCP as the test says.

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA};
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// Largest question that is read.
const QUESTION_BYTES_MAX: usize = 1_232;

/// What a question is answered with.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// These addresses for so many seconds.
    Addresses(Vec<IpAddr>, u32),
    /// As above over TCP; over UDP "truncated", and nothing else.
    OnlyOverTcp(Vec<IpAddr>, u32),
    /// NOERROR without an address.
    Empty,
    /// NXDOMAIN.
    NoSuchName,
    /// SERVFAIL.
    ServFail,
    /// Nothing.
    Silence,
}

/// Addresses for a second.
pub(crate) fn at(list: &[&str]) -> Reply {
    Reply::Addresses(list.iter().map(|text| text.parse().unwrap()).collect(), 1)
}

/// The server; it ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Authority {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    a: Reply,
    aaaa: Reply,
    asked: Vec<(RecordType, bool)>,
}

impl Authority {
    /// Starts to serve.
    pub(crate) async fn start(a: Reply, aaaa: Reply) -> Self {
        let (udp, tcp) = bind().await;
        let address = udp.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { a, aaaa, asked: Vec::new() }));
        let authority = Self { address, state };
        tokio::spawn(authority.clone().serve_udp(udp));
        tokio::spawn(authority.clone().serve_tcp(tcp));
        authority
    }

    /// Answers otherwise from now on.
    pub(crate) fn set(&self, a: Reply, aaaa: Reply) {
        let mut state = self.state.lock().unwrap();
        (state.a, state.aaaa) = (a, aaaa);
    }

    /// How often it was asked for A.
    pub(crate) fn asked_a(&self) -> usize {
        self.asked(|kind, _| kind == RecordType::A)
    }

    /// How often it was asked whatever fits.
    pub(crate) fn asked(&self, fits: impl Fn(RecordType, bool) -> bool) -> usize {
        self.state.lock().unwrap().asked.iter().filter(|(kind, tcp)| fits(*kind, *tcp)).count()
    }

    async fn serve_udp(self, socket: UdpSocket) {
        let mut buffer = [0; QUESTION_BYTES_MAX];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            if let Some(answer) = self.answer(&buffer[..length], false) {
                socket.send_to(&answer, from).await.unwrap();
            }
        }
    }

    async fn serve_tcp(self, listener: TcpListener) {
        while let Ok((mut stream, _)) = listener.accept().await {
            let this = self.clone();
            tokio::spawn(async move {
                while let Ok(length) = stream.read_u16().await {
                    let mut question = vec![0; usize::from(length)];
                    stream.read_exact(&mut question).await.unwrap();
                    let Some(answer) = this.answer(&question, true) else { return };
                    stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
                    stream.write_all(&answer).await.unwrap();
                }
            });
        }
    }

    fn answer(&self, question: &[u8], tcp: bool) -> Option<Vec<u8>> {
        let question = Message::from_vec(question).unwrap();
        let query = question.queries[0].clone();
        let reply = {
            let mut state = self.state.lock().unwrap();
            state.asked.push((query.query_type(), tcp));
            match query.query_type() {
                RecordType::A => state.a.clone(),
                RecordType::AAAA => state.aaaa.clone(),
                other => panic!("nobody should ask for {other}"),
            }
        };
        let mut message = Message::response(question.metadata.id, question.metadata.op_code);
        message.add_query(query.clone());
        match reply {
            Reply::Silence => return None,
            Reply::OnlyOverTcp(..) if !tcp => message.metadata.truncation = true,
            Reply::Addresses(addresses, ttl) | Reply::OnlyOverTcp(addresses, ttl) => {
                for address in addresses {
                    let data = match address {
                        IpAddr::V4(v4) => RData::A(A(v4)),
                        IpAddr::V6(v6) => RData::AAAA(AAAA(v6)),
                    };
                    message.add_answer(Record::from_rdata(query.name().clone(), ttl, data));
                }
            }
            Reply::Empty => {}
            Reply::NoSuchName => message.metadata.response_code = ResponseCode::NXDomain,
            Reply::ServFail => message.metadata.response_code = ResponseCode::ServFail,
        }
        Some(message.to_vec().unwrap())
    }
}

/// Both sockets on one port: the system chooses one for UDP, which may be taken for TCP.
async fn bind() -> (UdpSocket, TcpListener) {
    for _ in 0..20 {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
    panic!("no port is free for both protocols");
}
