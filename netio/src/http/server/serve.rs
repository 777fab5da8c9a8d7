//! A server from its start to its end.
//!
//! To stop takes seven steps, as in aiohttp: 1. accept no more; 2. close what is idle; 3. tell the shutdown hooks; 4. wait for
//! the requests that run, but not for ever; 5. drop those that still do; 6. clean up; 7. drop what runs in the background.

use super::{
    Failure, Report, ServeError, Server, Service, Shared,
    connection::Connection,
    handle::Ties,
    hooks::{Cleanups, Hooks},
    listener::{Listener, accept_any},
};
use runtime::{
    future::{Either, race},
    signal,
    task::Builder as Task,
    time::{Instant, timeout},
};
use std::{
    convert::Infallible,
    future::{Future, pending},
    pin::pin,
    sync::Arc,
};

impl Server {
    /// Serves until it is told to [stop](super::ServerHandle::stop), or the future is dropped.
    ///
    /// # Errors
    /// As [`serve_until`](Server::serve_until).
    ///
    /// # Cancel safety
    /// As [`serve_until`](Server::serve_until).
    pub async fn serve(self, service: impl Service) -> Result<Report, ServeError> {
        self.serve_until(pending::<()>(), service).await
    }

    /// Serves until somebody presses Ctrl-C or the process gets a SIGTERM, and then stops as
    /// [`serve_until`](Server::serve_until) does. A second such signal ends it at once.
    ///
    /// # Errors
    /// As [`serve_until`](Server::serve_until); when there are no signals to be had (as in a simulated runtime); when it was
    /// ended at once.
    ///
    /// # Cancel safety
    /// As [`serve_until`](Server::serve_until).
    pub async fn run(self, service: impl Service) -> Result<Report, ServeError> {
        let signals = signal::ctrl_c().and_then(|ctrl_c| Ok((ctrl_c, signal::terminate()?)));
        let (mut ctrl_c, mut terminate) = signals.map_err(|error| ServeError::new(Failure::Signals(error)))?;
        let handle = self.handle();
        let twice = async {
            race(ctrl_c.recv(), terminate.recv()).await.into_inner()?;
            handle.stop();
            race(ctrl_c.recv(), terminate.recv()).await.into_inner()
        };
        match race(self.serve(service), twice).await {
            Either::Left(served) => served,
            Either::Right(Ok(())) => Err(ServeError::new(Failure::Interrupted)),
            Either::Right(Err(error)) => Err(ServeError::new(Failure::Signals(error))),
        }
    }

    /// Does what is to be done at [startup](Server::on_startup), and serves until `shutdown` is ready (or somebody
    /// [says so](super::ServerHandle::stop)). Then it stops in seven steps:
    ///
    /// 1. It stops to accept connections, and closes its listeners.
    /// 2. Connections without a request are closed, the others after the answers that are due.
    /// 3. The [shutdown hooks](Server::on_shutdown) are told, one after the other.
    /// 4. It waits for the requests that run, until [`Limits::shutdown_grace`](super::Limits::shutdown_grace) has passed since
    ///    the first step. Bodies that have no end by their nature ([`Endless`](super::Endless), server-sent events) end now.
    /// 5. The requests that still run are dropped, and their connections with them.
    /// 6. The [cleanups](Server::on_cleanup) are done, the last one first, each within another such grace.
    /// 7. What still runs [in the background](super::ServerHandle::spawn) is dropped.
    ///
    /// When it returns, no connection and no task of its own is left.
    ///
    /// A handler may panic: the peer gets a 500, and its connection is closed. It is not cancelled when its peer hangs up,
    /// unless [`handler_cancellation`](Server::handler_cancellation) says so; only a streamed body is.
    ///
    /// # Errors
    /// When it does not start: a startup hook failed (what was started before is cleaned up), or there is no listener. When a
    /// listener is broken; no peer can do that. When hooks failed while it stopped; all others are done all the same.
    ///
    /// # Cancel safety
    /// Dropped, it drops its connections with what runs in them, and what runs in the background. Nothing is cleaned up.
    ///
    /// ```
    /// use netio::http::{Request, Response, server::Server};
    /// use std::time::Duration;
    ///
    /// runtime::block_on(async {
    ///     let server = Server::bind("127.0.0.1:0")?;
    ///     let soon = runtime::time::sleep(Duration::from_millis(1));
    ///     let report = server.serve_until(soon, |_: Request| async { Response::default() }).await?;
    ///     assert_eq!(report.cancelled, 0);
    ///     std::io::Result::Ok(())
    /// })
    /// .unwrap();
    /// ```
    pub async fn serve_until(
        self,
        shutdown: impl Future<Output = ()>,
        service: impl Service,
    ) -> Result<Report, ServeError> {
        let Server { listeners, mut hooks, shared } = self;
        let ties = &*shared.ties.0;
        let _drop_all = DropAll(ties);
        let grace = shared.limits.shutdown_grace;
        let mut end = ServeError::default();
        let mut cleanups = Cleanups::default();
        let began = {
            let stop = pin!(race(shutdown, ties.stop.wait()));
            match race(stop, live(&mut hooks, &mut cleanups, &listeners, &shared, Arc::new(service))).await {
                Either::Left(_) => {}
                Either::Right(Err(failure)) => end.failure = Some(failure),
            }
            Instant::now()
        };
        drop(listeners);
        ties.stop.set();
        hooks.shut_down(grace, &mut end).await;
        let left = grace.saturating_sub(began.elapsed());
        let mut report = Report::default();
        if timeout(left, ties.connections.at_most(0)).await.is_err() {
            report.cancelled = ties.connections.taken();
            ties.connections.close();
            ties.connections.at_most(0).await;
        }
        cleanups.run(grace, &mut end).await;
        report.background = ties.background.taken();
        ties.background.close();
        ties.background.at_most(0).await;
        report.took = began.elapsed();
        end.or(report)
    }
}

/// Starts and serves, until that fails.
async fn live<S: Service>(
    hooks: &mut Hooks,
    cleanups: &mut Cleanups,
    listeners: &[Listener],
    shared: &Arc<Shared>,
    service: Arc<S>,
) -> Result<Infallible, Failure> {
    if listeners.is_empty() {
        return Err(Failure::NoListener);
    }
    hooks.start(cleanups).await.map_err(Failure::Startup)?;
    let connections = &shared.ties.0.connections;
    loop {
        connections.at_most(shared.limits.connections.max(1) - 1).await;
        let (stream, peer) = accept_any(listeners, connections.last()).await.map_err(Failure::Listener)?;
        let place = connections.take();
        let number = place.number();
        let mut connection = Connection::new(stream, peer, shared.clone(), service.clone());
        let task = Task::new().name(format!("connection {number}")).spawn(async move {
            connection.run().await;
            // The socket first: whoever waits for the place may need its descriptor.
            drop(connection);
            drop(place);
        });
        connections.fill(number, task.abort_handle());
    }
}

/// However serving ends, nothing of it outlives it.
struct DropAll<'server>(&'server Ties);

impl Drop for DropAll<'_> {
    fn drop(&mut self) {
        self.0.connections.close();
        self.0.background.close();
    }
}
