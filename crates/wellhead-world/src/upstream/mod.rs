//! Upstreams: scripted servers of the OpenAI chat dialect over HTTP/1.1, with every fault of the scenario.

mod line;
mod play;
mod request;
mod text;

use crate::stage::Stage;
use crate::wire::Wire;
use line::{Gone, Line};
use std::sync::Arc;

/// Serves one connection until it ends.
pub(crate) async fn serve(stage: Arc<Stage>, provider: usize, wire: Wire) {
    let mut line = Line::new(stage, provider, wire);
    let mut carried = 0_u32;
    let gone = loop {
        let asked = match request::read(&mut line).await {
            Ok(asked) => asked,
            Err(gone) => break gone,
        };
        match play::play(&mut line, &asked, carried > 0).await {
            Ok(()) => carried += 1,
            Err(gone) => break gone,
        }
    };
    if gone == Gone::Reset {
        line.into_wire().reset();
    }
}
