//! The router: which handler answers which request.
//!
//! ```text
//!   request ──> layers of the router ──> table ──> layers of the nested router ──> handler
//!                                         │ no such path: its fallback, or 404
//!                                         └ no such method: 405, 204 for OPTIONS
//! ```
//!
//! - All that can be wrong with the routes is found when they are added, and said there.
//! - Whatever is answered passes the layers: 404, 405 and panics too.
//! - To find a route costs no memory, unless the path has parameters or is percent-encoded.

pub(super) mod endpoint;
mod files;
mod path;
pub(super) mod table;

use super::{
    BoxResponse, Service,
    handler::Handler,
    into_response::IntoResponse,
    middleware::{Layer, Next},
};
use crate::http::{Method, Request};
use endpoint::contained;
use std::{fmt, future::Future, sync::Arc};
use table::Table;

/// Answers each request with the handler of its path and method.
///
/// ```
/// use netio::http::{client::Client, server::{Json, Path, Router, Server, State}};
///
/// async fn greet(State(greeting): State<&'static str>, Path(name): Path<String>) -> String {
///     format!("{greeting}, {name}!\n")
/// }
///
/// let users = Router::new().get("/{id}", async |Path(id): Path<u32>| Json([id]));
/// let router = Router::new().state("Hello").get("/greet/{name}", greet).nest("/users", users);
///
/// runtime::block_on(async {
///     let server = Server::bind("127.0.0.1:0")?;
///     let url = format!("http://{}", server.local_addr());
///     runtime::spawn(server.serve(router));
///
///     let client = Client::new();
///     assert_eq!(client.get(format!("{url}/greet/%E5%BC%A0")).await?.text().await?, "Hello, 张!\n");
///     assert_eq!(client.get(format!("{url}/users/7")).await?.text().await?, "[7]");
///     assert_eq!(client.get(format!("{url}/users/seven")).await?.status(), 400);
///     assert_eq!(client.get(format!("{url}/users/")).await?.status(), 404);
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })
/// .unwrap();
/// ```
///
/// # Paths
///
/// `{name}` stands for one segment, or a part of one, that is not empty; `{*name}`, at the end, for all the rest, if there is
/// any. `{{` and `}}` are the braces themselves. What is spelled out goes before a parameter: of `/users/me` and `/users/{id}`
/// the first answers `/users/me`, also when it does not have the method.
///
/// A path fits exactly or not at all: `/users` and `/users/` are two paths, and so are `/a/b` and `/a//b`; nothing is
/// redirected. Paths are compared decoded, and patterns are written so (`/café`); only an encoded `/` stays inside its
/// segment: `/users/a%2Fb` gives `{id}` the value `a/b`. A path that is not properly encoded UTF-8 is a 400.
///
/// # Methods
///
/// A path without the method that was asked for answers 405, and `Allow` tells which there are. HEAD is answered by the
/// handler of GET, whose body is not sent, and OPTIONS with 204 and `Allow`, unless they have handlers of their own (or
/// there is one for [`any`](Router::any) method). `OPTIONS *`, which asks about the server and not about a path, is answered
/// with 204 and the methods of all paths.
///
/// # Panics
///
/// Methods that add a route panic when it can never be right: a bad pattern, two handlers for one method and path, patterns
/// of which none goes first (`/{id}` and `/{name}`), a [`State`](super::State) that the router was not given. A server with
/// such a mistake does not start.
///
/// A handler or a layer that panics costs its request a 500, and nothing else; the connection stays.
///
/// Clones share the table.
#[derive(Clone, Default)]
#[must_use = "a router does nothing until it is served"]
pub struct Router {
    table: Arc<Table>,
}

impl Router {
    /// A router that answers everything with 404.
    pub fn new() -> Router {
        Router::default()
    }

    /// Lets `handler` answer requests of a method and a path.
    ///
    /// # Panics
    /// See [`Router`](Router#panics).
    #[track_caller]
    pub fn route<A>(self, method: Method, pattern: &str, handler: impl Handler<A>) -> Router {
        self.add(Some(method), pattern, handler)
    }

    /// Lets `handler` answer GET, and HEAD.
    ///
    /// # Panics
    /// See [`Router`](Router#panics).
    #[track_caller]
    pub fn get<A>(self, pattern: &str, handler: impl Handler<A>) -> Router {
        self.route(Method::GET, pattern, handler)
    }

    /// Lets `handler` answer POST.
    ///
    /// # Panics
    /// See [`Router`](Router#panics).
    #[track_caller]
    pub fn post<A>(self, pattern: &str, handler: impl Handler<A>) -> Router {
        self.route(Method::POST, pattern, handler)
    }

    /// Lets `handler` answer PUT.
    ///
    /// # Panics
    /// See [`Router`](Router#panics).
    #[track_caller]
    pub fn put<A>(self, pattern: &str, handler: impl Handler<A>) -> Router {
        self.route(Method::PUT, pattern, handler)
    }

    /// Lets `handler` answer PATCH.
    ///
    /// # Panics
    /// See [`Router`](Router#panics).
    #[track_caller]
    pub fn patch<A>(self, pattern: &str, handler: impl Handler<A>) -> Router {
        self.route(Method::PATCH, pattern, handler)
    }

    /// Lets `handler` answer DELETE.
    ///
    /// # Panics
    /// See [`Router`](Router#panics).
    #[track_caller]
    pub fn delete<A>(self, pattern: &str, handler: impl Handler<A>) -> Router {
        self.route(Method::DELETE, pattern, handler)
    }

    /// Lets `handler` answer every method of the path that has no handler of its own.
    ///
    /// # Panics
    /// See [`Router`](Router#panics).
    #[track_caller]
    pub fn any<A>(self, pattern: &str, handler: impl Handler<A>) -> Router {
        self.add(None, pattern, handler)
    }

    #[track_caller]
    fn add<A>(mut self, method: Option<Method>, pattern: &str, handler: impl Handler<A>) -> Router {
        let route = format!("{} {pattern}", method.as_ref().map_or("any", Method::as_str));
        let table = Arc::make_mut(&mut self.table);
        let added = handler.endpoint(&table.states).and_then(|endpoint| table.add(method, pattern, endpoint));
        added.unwrap_or_else(|reason| panic!("the route `{route}` cannot be added: {reason}"));
        self
    }

    /// Lets `handler` answer what has no route. In a nested router: the paths below its prefix; without a fallback of its own
    /// it has that of the router around it. The last one set counts. The status is the handler's to give.
    ///
    /// ```
    /// use netio::http::{StatusCode, Uri, server::Router};
    /// let router = Router::new().fallback(async |uri: Uri| (StatusCode::NOT_FOUND, format!("{} is not here\n", uri.path())));
    /// ```
    ///
    /// # Panics
    /// When it takes a [`State`](super::State) that the router was not given.
    #[track_caller]
    pub fn fallback<A>(mut self, handler: impl Handler<A>) -> Router {
        let table = Arc::make_mut(&mut self.table);
        let endpoint = handler.endpoint(&table.states);
        table.fallback = Some(endpoint.unwrap_or_else(|reason| panic!("the fallback cannot be set: {reason}")));
        self
    }

    /// Puts the routes of another router below `prefix`, with its layers around them, and its fallback for the rest of the
    /// paths below. Its `/` is the prefix itself, without a slash at the end.
    ///
    /// Its handlers see the whole path, and the parameters of the prefix too. It keeps the states that it was given, and
    /// has none of those of this router. What is added to it later is not seen here.
    ///
    /// # Panics
    /// When the prefix does not begin with `/`, ends with one, or has a `{*rest}`; when there is a nested router with that
    /// prefix already; when a route is in the way of one of this router.
    #[track_caller]
    pub fn nest(mut self, prefix: &str, router: Router) -> Router {
        let nested = Arc::make_mut(&mut self.table).nest(prefix, &router.table);
        nested.unwrap_or_else(|reason| panic!("a router cannot be nested at `{prefix}`: {reason}"));
        self
    }

    /// Gives the routes that are added from here on a value, for handlers that take a [`State`](super::State) of its type.
    /// One value for each type: the last one given before a route is the one that it has.
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Router {
        let table = Arc::make_mut(&mut self.table);
        Arc::make_mut(&mut table.states).insert(value);
        self
    }

    /// Puts a middleware around everything that this router answers, whenever it was added: 404, 405 and panics too.
    ///
    /// **The layer that was added first is the outermost**: the request passes the layers in the order in which they stand in
    /// the program, and the response passes them backwards. A layer gets a response from [`Next`], whatever happens further
    /// in: a panic there is a 500.
    ///
    /// The layers of the router that is served run before the route is looked for, and may change the path; those of a nested
    /// router run when the route is known to be one of its own. What the server refuses by itself (no HTTP, too large, too
    /// slow: see [`Limits`](super::Limits)) never was a request, and passes no layer.
    ///
    /// ```
    /// use netio::http::{HeaderValue, Request, server::{Next, Router}};
    ///
    /// let router = Router::new().get("/", async || "hello").layer(async |request: Request, next: Next| {
    ///     let mut response = next.run(request).await;
    ///     response.headers_mut().insert("x-served-by", HeaderValue::from_static("handloom"));
    ///     response
    /// });
    /// ```
    ///
    /// An async closure must not use what it captures (its future would borrow from it). One with state of its own is written
    /// `move |request, next: Next| { let state = state.clone(); async move { … } }`.
    pub fn layer<M, F>(mut self, middleware: M) -> Router
    where
        M: Fn(Request, Next) -> F + Send + Sync + 'static,
        F: Future<Output: IntoResponse> + Send + 'static,
    {
        let layer: Layer = Arc::new(move |request, next| contained(|| middleware(request, next)));
        let table = Arc::make_mut(&mut self.table);
        table.layers = table.layers.iter().cloned().chain([layer]).collect();
        self
    }
}

impl Service for Router {
    type Answer = BoxResponse;

    fn answer(&self, request: Request) -> BoxResponse {
        Next::enter(&self.table, request)
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router").field("routes", &self.table).field("layers", &self.table.layers.len()).finish()
    }
}
