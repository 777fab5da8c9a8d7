//! The table of the routes, and the way of a request through it.

use super::{
    endpoint::{Endpoint, Found, Pieces, at_once},
    path,
};
use crate::http::{
    HeaderValue, Method, Request, Response, StatusCode, explain, header,
    server::{
        BoxResponse,
        middleware::{Layer, Next},
    },
};
use ::http::Extensions;
use std::{borrow::Cow, fmt, ops::Range, sync::Arc};

#[derive(Clone, Default)]
pub(in crate::http::server) struct Table {
    /// The numbers of the nodes by their patterns.
    paths: matchit::Router<usize>,
    nodes: Vec<Node>,
    /// The numbers of the scopes, by what is at and below their prefixes.
    prefixes: matchit::Router<usize>,
    scopes: Vec<Scope>,
    pub(super) fallback: Option<Endpoint>,
    pub(super) states: Arc<Extensions>,
    pub(in crate::http::server) layers: Arc<[Layer]>,
}

/// One pattern, with the handlers of its methods.
#[derive(Clone)]
struct Node {
    pattern: String,
    names: Arc<[String]>,
    methods: Vec<(Method, Endpoint)>,
    any: Option<Endpoint>,
    /// Answers the methods that have none.
    otherwise: Endpoint,
    /// Whether it comes from a nested router, to which nothing is added from outside.
    nested: bool,
    /// Those of the nested router that it comes from, outermost first.
    layers: Arc<[Layer]>,
}

/// Where a nested router answers what has no route.
#[derive(Clone)]
struct Scope {
    prefix: String,
    names: Arc<[String]>,
    fallback: Option<Endpoint>,
    layers: Arc<[Layer]>,
}

impl Table {
    /// Adds a handler: for every other method, if none is named.
    pub(super) fn add(&mut self, method: Option<Method>, pattern: &str, endpoint: Endpoint) -> Result<(), String> {
        let number = match self.nodes.iter().position(|node| node.pattern == pattern) {
            Some(number) if self.nodes[number].nested => return Err("it belongs to a nested router".into()),
            Some(number) => number,
            None => self.add_node(Node::new(pattern.to_owned(), path::names(pattern)?.into()))?,
        };
        let node = &mut self.nodes[number];
        let taken = match &method {
            Some(method) => node.methods.iter().any(|(other, _)| other == method),
            None => node.any.is_some(),
        };
        match method {
            _ if taken => return Err("it has a handler already".into()),
            Some(method) => node.methods.push((method, endpoint)),
            None => node.any = Some(endpoint),
        }
        node.otherwise = otherwise(&node.methods);
        Ok(())
    }

    fn add_node(&mut self, node: Node) -> Result<usize, String> {
        self.paths.insert(&node.pattern, self.nodes.len()).map_err(in_words)?;
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    fn add_scope(&mut self, scope: Scope) -> Result<(), String> {
        for below in ["", "/", "/{*below}"] {
            let path = format!("{}{below}", scope.prefix);
            self.prefixes.insert(path, self.scopes.len()).map_err(|_| "there is a nested router already")?;
        }
        self.scopes.push(scope);
        Ok(())
    }

    pub(super) fn nest(&mut self, prefix: &str, inner: &Table) -> Result<(), String> {
        path::names(prefix)?;
        if prefix.ends_with('/') || prefix.contains("{*") {
            return Err("a prefix ends with neither `/` nor `{*…}`".into());
        }
        let scope =
            Scope { prefix: String::new(), names: [].into(), fallback: inner.fallback.clone(), layers: [].into() };
        for scope in [&scope].into_iter().chain(&inner.scopes) {
            let prefix = format!("{prefix}{}", scope.prefix);
            self.add_scope(Scope {
                names: path::names(&prefix)?.into(),
                prefix,
                fallback: scope.fallback.clone().or_else(|| inner.fallback.clone()),
                layers: inner.layers.iter().chain(&*scope.layers).cloned().collect(),
            })?;
        }
        for node in &inner.nodes {
            let pattern = format!("{prefix}{}", if node.pattern == "/" { "" } else { &node.pattern });
            let in_its_way = |reason| format!("its route `{}`: {reason}", node.pattern);
            if self.nodes.iter().any(|other| other.pattern == pattern) {
                return Err(in_its_way(format!("there is a route `{pattern}` already")));
            }
            let names = path::names(&pattern).map_err(in_its_way)?.into();
            let layers = inner.layers.iter().chain(&*node.layers).cloned().collect();
            self.add_node(Node { pattern, names, nested: true, layers, ..node.clone() }).map_err(in_its_way)?;
        }
        Ok(())
    }

    /// Finds who answers, and lets him begin.
    pub(in crate::http::server) fn answer(&self, mut request: Request) -> BoxResponse {
        let path = request.path();
        // No path is that; and the head of a request lets only OPTIONS have it. RFC 9110, 9.3.7.
        if path == "*" {
            return at_once(options(allowed(self.nodes.iter().flat_map(|node| &node.methods))));
        }
        let Some(path) = path::decoded(path) else {
            return at_once(explain(StatusCode::BAD_REQUEST, "the path is not properly encoded"));
        };
        let Way { endpoint, names, mut values, layers } = self.find(request.method(), &path);
        if let Some(endpoint) = endpoint
            && !(values.is_empty() && endpoint.states.is_empty())
        {
            let path = match (path, request.head().path_in_bytes()) {
                (Cow::Borrowed(_), Some(start)) => {
                    for piece in &mut values {
                        *piece = start + piece.start..start + piece.end;
                    }
                    None
                }
                (path, _) => Some(path.into()),
            };
            let states = (!endpoint.states.is_empty()).then(|| endpoint.states.clone());
            request.set_found(Found { names: names.cloned(), values, path, states });
        }
        match (layers, endpoint) {
            (Some(layers), _) if !layers.is_empty() => Next::enter_nested(layers, endpoint, request),
            (_, Some(endpoint)) => endpoint.call(request),
            (_, None) => at_once(not_found()),
        }
    }

    fn find(&self, method: &Method, path: &str) -> Way<'_> {
        if let Ok(found) = self.paths.at(path) {
            let node = &self.nodes[*found.value];
            let values = found.params.iter().map(|(_, text)| piece(path, text)).collect();
            return Way {
                endpoint: Some(node.of_method(method)),
                names: Some(&node.names),
                values,
                layers: Some(&node.layers),
            };
        }
        if let Ok(found) = self.prefixes.at(path) {
            let scope = &self.scopes[*found.value];
            // Behind those of the prefix comes the rest of the path.
            let values = found.params.iter().take(scope.names.len()).map(|(_, text)| piece(path, text)).collect();
            let endpoint = scope.fallback.as_ref().or(self.fallback.as_ref());
            return Way { endpoint, names: Some(&scope.names), values, layers: Some(&scope.layers) };
        }
        Way { endpoint: self.fallback.as_ref(), names: None, values: Pieces::new(), layers: None }
    }
}

/// Who answers a request: the endpoint, or 404 if there is none, within the layers.
struct Way<'table> {
    endpoint: Option<&'table Endpoint>,
    names: Option<&'table Arc<[String]>>,
    values: Pieces,
    layers: Option<&'table Arc<[Layer]>>,
}

/// Where a part of the path is in it.
fn piece(path: &str, part: &str) -> Range<u32> {
    let start = (part.as_ptr().addr() - path.as_ptr().addr()) as u32;
    start..start + part.len() as u32
}

impl Node {
    fn new(pattern: String, names: Arc<[String]>) -> Node {
        let (methods, layers) = (Vec::new(), Arc::default());
        Node { pattern, names, any: None, otherwise: otherwise(&methods), methods, nested: false, layers }
    }

    fn of_method(&self, method: &Method) -> &Endpoint {
        let of = |method: &Method| self.methods.iter().find(|(other, _)| other == method).map(|(_, endpoint)| endpoint);
        let get = || of(&Method::GET).filter(|_| *method == Method::HEAD);
        of(method).or_else(get).or(self.any.as_ref()).unwrap_or(&self.otherwise)
    }
}

/// Answers the methods that have no handler.
fn otherwise(methods: &[(Method, Endpoint)]) -> Endpoint {
    let allowed = allowed(methods);
    Endpoint::new(&Arc::default(), move |request| {
        if *request.method() == Method::OPTIONS {
            return at_once(options(allowed.clone()));
        }
        let why = "this path has other methods, and `Allow` tells which";
        let mut response = explain(StatusCode::METHOD_NOT_ALLOWED, why);
        response.set_header(header::ALLOW, allowed.clone());
        at_once(response)
    })
}

/// The methods that are answered where these have handlers.
fn allowed<'a>(methods: impl IntoIterator<Item = &'a (Method, Endpoint)>) -> HeaderValue {
    let mut allowed: Vec<&str> = methods.into_iter().map(|(method, _)| method.as_str()).chain(["OPTIONS"]).collect();
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    allowed.sort_unstable();
    allowed.dedup();
    HeaderValue::from_str(&allowed.join(", ")).expect("names of methods are tokens")
}

fn options(allowed: HeaderValue) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.set_header(header::ALLOW, allowed);
    response
}

pub(in crate::http::server) fn not_found() -> Response {
    explain(StatusCode::NOT_FOUND, "there is no such page")
}

fn in_words(error: matchit::InsertError) -> String {
    match error {
        matchit::InsertError::Conflict { with } => format!("of it and `{with}`, neither goes first where both fit"),
        matchit::InsertError::InvalidParamSegment => "a segment has one parameter at most".into(),
        matchit::InsertError::InvalidParam => "a parameter is a name between `{` and `}`".into(),
        matchit::InsertError::InvalidCatchAll => "after `{*…}` comes nothing more".into(),
        error => error.to_string(),
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = |node: &Node| {
            let named = node.methods.iter().map(|(method, _)| method.to_string());
            named.chain(node.any.as_ref().map(|_| "any".to_owned())).collect::<Vec<_>>().join(" ")
        };
        f.debug_map().entries(self.nodes.iter().map(|node| (&node.pattern, methods(node)))).finish()
    }
}
