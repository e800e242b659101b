//! Threads: one current-thread runtime per worker, so that a request never crosses a thread; or one shared runtime.

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::pin::Pin;
use std::thread::JoinHandle;

/// How workers run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// One current-thread runtime per worker.
    PerCore,
    /// One multi-thread runtime for all workers.
    Shared,
}

/// What a worker runs: given its number and its listener, the future that serves until the drain.
pub type WorkerMain =
    dyn Fn(usize, tokio::net::TcpListener) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// The threads of the data plane.
#[derive(Debug)]
pub struct WorkerHandles(Vec<JoinHandle<()>>);

impl WorkerHandles {
    /// Waits until every worker has ended.
    pub fn join(self) {
        for thread in self.0 {
            if thread.join().is_err() {
                tracing::error!("a worker ended by a panic");
            }
        }
    }
}

/// Starts one worker per listener; a shared runtime has `threads` threads.
pub fn spawn_workers(
    listeners: Vec<TcpListener>,
    runtime: Runtime,
    threads: usize,
    main: std::sync::Arc<WorkerMain>,
) -> io::Result<WorkerHandles> {
    match runtime {
        Runtime::PerCore => {
            listeners.into_iter().enumerate().map(|(i, l)| per_core(i, l, main.clone())).collect()
        }
        Runtime::Shared => shared(listeners, threads, main).map(|thread| vec![thread]),
    }
    .map(WorkerHandles)
}

fn per_core(
    number: usize,
    listener: TcpListener,
    main: std::sync::Arc<WorkerMain>,
) -> io::Result<JoinHandle<()>> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build()?;
    std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
        runtime.block_on(async move {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => main(number, listener).await,
                Err(error) => tracing::error!(%error, "a listener could not be registered"),
            }
        });
        runtime.shutdown_background();
    })
}

fn shared(
    listeners: Vec<TcpListener>,
    threads: usize,
    main: std::sync::Arc<WorkerMain>,
) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.max(1))
        .thread_name("worker-shared")
        .enable_all()
        .build()?;
    std::thread::Builder::new().name("workers".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let mut tasks = tokio::task::JoinSet::new();
            for (number, listener) in listeners.into_iter().enumerate() {
                match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => drop(tasks.spawn(main(number, listener))),
                    Err(error) => tracing::error!(%error, "a listener could not be registered"),
                }
            }
            while tasks.join_next().await.is_some() {}
        });
        runtime.shutdown_background();
    })
}
