//! What a client gets while upstreams fail.

mod after_content;
mod before_content;
mod breaker;
mod client_leaves;
mod deferred;
mod deferred_kill;
mod degraded;
mod exhausted;
mod hedge;
mod hold;
mod keys;
mod kill;
mod learned;
mod memory;
mod outage;
mod overload;
mod refused_for_good;
mod replay;
mod rescue;
mod signals;
mod webhook;
