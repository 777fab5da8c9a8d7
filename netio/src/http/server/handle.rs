//! A server, as others in the program see it.

use super::places::Places;
use runtime::{sync::Event, task::Builder as Task};
use std::{fmt, future::Future, sync::Arc};

/// What is asked of a server while it serves, or before: to stop, whether it stops, to run something beside it. From
/// [`Server::handle`](super::Server::handle); clones are the same.
///
/// A handler gets one as a [`State`](super::State):
///
/// ```
/// use netio::http::server::{Router, Server, ServerHandle, State};
///
/// async fn quit(State(server): State<ServerHandle>) -> &'static str {
///     server.stop();
///     "good bye\n"
/// }
///
/// # let client = netio::http::client::Client::new();
/// runtime::block_on(async {
///     let server = Server::bind("127.0.0.1:0")?;
///     # let url = format!("http://{}/quit", server.local_addr());
///     let router = Router::new().state(server.handle()).post("/quit", quit);
///     # let asking = runtime::spawn(async move { client.post(url).await?.text().await });
///     let report = server.serve(router).await?; // until somebody posts to /quit
///     assert_eq!(report.cancelled, 0);
///     # assert_eq!(asking.await.unwrap()?, "good bye\n");
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })
/// .unwrap();
/// ```
#[derive(Clone, Default)]
pub struct ServerHandle(pub(super) Arc<Ties>);

/// What outlives none of them, and ties them together.
#[derive(Debug, Default)]
pub(super) struct Ties {
    /// The server is to stop.
    pub(super) stop: Event,
    pub(super) connections: Arc<Places>,
    pub(super) background: Arc<Places>,
}

impl ServerHandle {
    /// Asks the server to stop, as [`serve_until`](super::Server::serve_until) does. Before it serves,
    /// this keeps it from starting. Asking again changes nothing.
    pub fn stop(&self) {
        self.0.stop.set();
    }

    /// Waits until the server is asked to stop: for handlers and tasks that would go on for ever.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn stopping(&self) {
        self.0.stop.wait().await;
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.0.connections.taken()
    }

    /// Runs something in the background, for as long as the server does: the last step of stopping is to drop what has not
    /// ended by itself (see [`stopping`](ServerHandle::stopping)). After that, it is dropped at once.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let background = &self.0.background;
        let place = background.take();
        let number = place.number();
        let task = Task::new().name(format!("background {number}")).spawn(async move {
            future.await;
            drop(place);
        });
        background.fill(number, task.abort_handle());
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle")
            .field("connections", &self.connections())
            .field("background", &self.0.background.taken())
            .field("stopping", &self.0.stop.is_set())
            .finish()
    }
}
