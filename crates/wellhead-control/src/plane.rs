//! Brings the control plane up on its listener and takes it down again.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use wellhead_types::Secret;

use crate::data_plane::DataPlane;
use crate::http::{Admin, serve};
use crate::{Configurator, watch as watcher};

/// What the control plane is started with.
pub struct ControlOptions {
    /// Configuration's writer; `load_first` has succeeded.
    pub configurator: Arc<Configurator>,
    /// The data plane that was built from the first snapshot.
    pub data_plane: Arc<dyn DataPlane>,
    /// The admin listener, bound.
    pub listener: TcpListener,
    /// Opens the management API.
    pub token: Secret,
    /// Host names, besides IP addresses and `localhost`, under which the admin listener may be addressed.
    pub hosts: Vec<String>,
}

/// The running control plane. Dropping it ends everything at once; `shutdown` lets answers finish.
pub struct ControlPlane {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl ControlPlane {
    /// Attaches the data plane, serves the admin listener and watches the configuration, on the current tokio runtime.
    ///
    /// # Errors
    /// When the listener cannot be used by the runtime.
    pub async fn start(options: ControlOptions) -> io::Result<Self> {
        let ControlOptions { configurator, data_plane, listener, token, hosts } = options;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        configurator.attach(Arc::clone(&data_plane)).await;
        let (stop, stopped) = watch::channel(false);
        let admin = Admin::new(Arc::clone(&configurator), data_plane, token, hosts);
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::new(admin), stopped.clone()));
        tasks.spawn(watcher::run(configurator, stopped));
        Ok(Self { address, stop, tasks })
    }

    /// Where the admin listener is; the port is the real one even if 0 was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets answers in progress finish for a moment, and returns.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}
