//! Digest authentication: a proof that the password is known, instead of the password. RFC 7616.
//!
//! ```text
//!   GET ──> 401, WWW-Authenticate: Digest nonce=…   ──> GET, Authorization: Digest response=H(password, nonce, …) ──> 200
//!                          └ remembered: the next request has its proof at once
//! ```

use super::{BoxFetch, Next};
use crate::http::{
    Body, HeaderMap, HeaderValue, Method, StatusCode,
    body::Outgoing,
    client::{ClientRequest, ClientResponse, Error, url::of_uri},
    header, is_token,
};
use ::http::request::Parts;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Sha256, Sha512_256};
use std::{
    fmt::Write,
    sync::{Arc, Mutex},
};
use url::{Origin, Url};

/// A layer that answers a server's `Digest` challenge (RFC 7616: MD5, SHA-256 and SHA-512-256, with their `-sess`; `qop` `auth`,
/// `auth-int`, or none as of old) for requests to `origin`, and to nobody else: a stranger could try passwords on what he gets.
///
/// The first request is sent twice: without a proof, and with one. Later ones have it at once, until the server asks anew. One with
/// a body that is a stream is sent once, since that is used up; so send another one before it. With `auth-int`, a proof is about the
/// body, too: there is none for a stream. Where the server leaves the choice, it is `auth`. A request that has an
/// `Authorization` of its own is left alone, and so is one that was redirected. When the proof is refused, that 401 is the response.
///
/// It is there with the cargo feature `digest-auth`.
///
/// ```
/// use netio::http::client::{Client, middleware::digest_auth};
/// let client = Client::builder().layer(digest_auth("http://camera.example", "user", "secret")).build();
/// # drop(client);
/// ```
///
/// # Panics
/// When `origin` is no `http://host`.
pub fn digest_auth(
    origin: &str,
    name: impl Into<String>,
    password: impl Into<String>,
) -> impl Fn(ClientRequest, Next) -> BoxFetch + Send + Sync + 'static {
    let url = Url::parse(origin).ok().filter(Url::has_host);
    let origin = url.unwrap_or_else(|| panic!("`{origin}` is no origin, as `http://host` is")).origin();
    let user = Arc::new(User { origin, name: name.into(), password: password.into(), session: Mutex::default() });
    move |request, next| {
        let user = user.clone();
        Box::pin(async move { user.fetch(request, next).await })
    }
}

/// Whoever the proofs are for.
struct User {
    origin: Origin,
    name: String,
    password: String,
    session: Mutex<Option<Session>>,
}

/// What a server asked for, and how often it was answered.
struct Session {
    challenge: Challenge,
    count: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    /// As the server writes it, if it does.
    algorithm: Option<String>,
    hash: Hash,
    /// The password is hashed together with the nonce: `-sess`.
    by_session: bool,
    /// If there is one, answers are counted.
    qop: Option<Qop>,
}

/// What a proof is about, besides the password: the quality of protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Qop {
    /// Method and target.
    Auth,
    /// The body as well.
    AuthInt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Md5,
    Sha256,
    /// A function of its own (FIPS 180-4, 5.3.6), not a SHA-512 of which half is taken.
    Sha512_256,
}

impl User {
    async fn fetch(&self, request: ClientRequest, next: Next) -> Result<ClientResponse, Error> {
        let ours = of_uri(request.uri()).is_ok_and(|url| url.origin() == self.origin);
        if !ours || request.headers().contains_key(header::AUTHORIZATION) {
            return next.run(request).await;
        }
        let (head, body) = request.into_parts();
        let content = content_of(&body);
        let mut first = head.clone();
        self.sign(&mut first, content.as_ref());
        let response = next.clone().run(ClientRequest::from_parts(first, body)).await?;
        let asks = response.status() == StatusCode::UNAUTHORIZED && response.history().is_empty();
        match content.filter(|_| asks && self.learn(response.headers())) {
            None => Ok(response),
            Some(content) => {
                drop(response);
                let mut second = head;
                self.sign(&mut second, Some(&content));
                next.run(ClientRequest::from_parts(second, content.into())).await
            }
        }
    }

    /// Remembers what the server asks for, if it can be answered.
    fn learn(&self, headers: &HeaderMap) -> bool {
        let fields = headers.get_all(header::WWW_AUTHENTICATE).into_iter().filter_map(|field| field.to_str().ok());
        let challenge = fields.flat_map(challenges).find_map(Challenge::of);
        let session = challenge.map(|challenge| Session { challenge, count: 0 });
        let can = session.is_some();
        *self.session.lock().expect("nobody's code runs under the lock") = session;
        can
    }

    fn sign(&self, request: &mut Parts, content: Option<&Bytes>) {
        let mut session = self.session.lock().expect("nobody's code runs under the lock");
        let Some(Session { challenge, count }) = &mut *session else { return };
        let content = match (challenge.qop, content) {
            (Some(Qop::AuthInt), None) => return,
            (_, content) => content.map_or(&[][..], Bytes::as_ref),
        };
        *count += 1;
        let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
        let chance = format!("{:016x}", runtime::random::next_u64());
        let proof = challenge.answer(&self.name, &self.password, (&request.method, target, content), (*count, &chance));
        // A realm or a name that cannot stand in a head: then there is no proof, and the server says so again.
        if let Ok(mut value) = HeaderValue::try_from(proof) {
            value.set_sensitive(true);
            request.headers.insert(header::AUTHORIZATION, value);
        }
    }
}

/// The bytes of a body, if they are all there.
fn content_of(body: &Body) -> Option<Bytes> {
    match body.try_clone()?.into_outgoing() {
        Outgoing::Whole(bytes) => Some(bytes),
        Outgoing::Stream(_) => None,
    }
}

impl Qop {
    fn name(self) -> &'static str {
        match self {
            Qop::Auth => "auth",
            Qop::AuthInt => "auth-int",
        }
    }
}

impl Hash {
    fn of(self, parts: &[&str]) -> String {
        self.of_bytes(parts.join(":").as_bytes())
    }

    /// In hexadecimal digits.
    fn of_bytes(self, bytes: &[u8]) -> String {
        let bytes = match self {
            Hash::Md5 => Md5::digest(bytes).to_vec(),
            Hash::Sha256 => Sha256::digest(bytes).to_vec(),
            Hash::Sha512_256 => Sha512_256::digest(bytes).to_vec(),
        };
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Challenge {
    /// None if it is of another scheme, or asks for what we do not know.
    fn of((scheme, parameters): (String, Vec<(String, String)>)) -> Option<Challenge> {
        let value = |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        let algorithm = value("algorithm");
        let name = algorithm.as_deref().unwrap_or("MD5").to_ascii_uppercase();
        let (name, by_session) = name.strip_suffix("-SESS").map_or((&*name, false), |name| (name, true));
        let hash = match name {
            "MD5" => Hash::Md5,
            "SHA-256" => Hash::Sha256,
            "SHA-512-256" => Hash::Sha512_256,
            _ => return None,
        };
        let qop = match value("qop") {
            None => None,
            Some(list) => {
                let offered = |qop: &Qop| list.split(',').any(|word| word.trim().eq_ignore_ascii_case(qop.name()));
                Some([Qop::Auth, Qop::AuthInt].into_iter().find(offered)?)
            }
        };
        let (realm, nonce, opaque) = (value("realm")?, value("nonce")?, value("opaque"));
        (scheme == "digest").then_some(Challenge { realm, nonce, opaque, algorithm, hash, by_session, qop })
    }

    /// The `Authorization` field. RFC 7616, 3.4.
    fn answer(
        &self,
        name: &str,
        password: &str,
        (method, target, content): (&Method, &str, &[u8]),
        (count, chance): (u32, &str),
    ) -> String {
        let Challenge { realm, nonce, hash, .. } = self;
        let mut secret = hash.of(&[name, realm, password]);
        if self.by_session {
            secret = hash.of(&[&secret, nonce, chance]);
        }
        let asked = match self.qop {
            Some(Qop::AuthInt) => hash.of(&[method.as_str(), target, &hash.of_bytes(content)]),
            Some(Qop::Auth) | None => hash.of(&[method.as_str(), target]),
        };
        let count = format!("{count:08x}");
        let proof = match self.qop {
            Some(qop) => hash.of(&[&secret, nonce, &count, chance, qop.name(), &asked]),
            None => hash.of(&[&secret, nonce, &asked]),
        };
        let mut field = "Digest ".to_owned();
        match name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            true => write!(field, "username=\"{}\"", quoted(name)),
            false => write!(field, "username*=UTF-8''{}", utf8_percent_encode(name, NON_ALPHANUMERIC)),
        }
        .expect("a string takes every text");
        for (name, value) in [("realm", realm), ("nonce", nonce), ("uri", &target.to_owned()), ("response", &proof)] {
            field += &format!(", {name}=\"{}\"", quoted(value));
        }
        if let Some(algorithm) = &self.algorithm {
            field += &format!(", algorithm={algorithm}");
        }
        if let Some(opaque) = &self.opaque {
            field += &format!(", opaque=\"{}\"", quoted(opaque));
        }
        if self.qop.is_some() || self.by_session {
            field += &format!(", cnonce=\"{chance}\"");
        }
        if let Some(qop) = self.qop {
            field += &format!(", qop={}, nc={count}", qop.name());
        }
        field
    }
}

/// What stands in quotes.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The challenges of a field, each with its parameters; names in small letters. RFC 9110, 11.6.1. What cannot be understood ends the
/// list.
fn challenges(field: &str) -> Vec<(String, Vec<(String, String)>)> {
    let (mut list, mut rest) = (Vec::<(String, Vec<(String, String)>)>::new(), field);
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        let (word, behind) = rest.split_at(rest.find(['=', ' ', '\t', ',']).unwrap_or(rest.len()));
        if !is_token(word) {
            return list;
        }
        let word = word.to_ascii_lowercase();
        let Some(value) = behind.trim_start().strip_prefix('=') else {
            list.push((word, Vec::new()));
            rest = behind;
            continue;
        };
        let Some((_, parameters)) = list.last_mut() else { return list };
        let value = value.trim_start();
        let value = match value.strip_prefix('"') {
            Some(quoted) => {
                let Some((value, behind)) = unquoted(quoted) else { return list };
                rest = behind;
                value
            }
            None => {
                let (value, behind) = value.split_at(value.find([',', ' ', '\t']).unwrap_or(value.len()));
                rest = behind;
                value.to_owned()
            }
        };
        parameters.push((word, value));
    }
}

/// What stands in quotes that were opened, and what behind them.
fn unquoted(quoted: &str) -> Option<(String, &str)> {
    let (mut value, mut characters) = (String::new(), quoted.char_indices());
    loop {
        match characters.next()? {
            (at, '"') => return Some((value, &quoted[at + 1..])),
            (_, '\\') => value.push(characters.next()?.1),
            (_, character) => value.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Request, Response, client::Client, server::Server};

    const OLD: &str = "realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
    const NEW: &str = "realm=\"http-auth@example.org\", nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"";
    const CHANCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

    fn first(field: &str) -> Option<Challenge> {
        challenges(field).into_iter().find_map(Challenge::of)
    }

    #[test]
    fn proofs_are_those_of_the_standards() {
        for (field, password, chance, proof) in [
            // RFC 2617, 3.5.
            (format!("{OLD}, qop=\"auth,auth-int\""), "Circle Of Life", "0a4f113b", "6629fae49393a05397450978507c4ef1"),
            // RFC 7616, 3.9.1.
            (
                format!("{NEW}, qop=\"auth\", algorithm=MD5"),
                "Circle of Life",
                CHANCE,
                "8ca523f5e9506fed4657c9700eebdbec",
            ),
            (
                format!("{NEW}, qop=\"auth\", algorithm=SHA-256"),
                "Circle of Life",
                CHANCE,
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
            // Of old: RFC 2069, with the correction of its errata.
            (OLD.to_owned(), "CircleOfLife", "", "1949323746fe6a43ef61f9606e7febea"),
        ] {
            let challenge = first(&format!("Digest {field}")).unwrap();
            let asked = (&Method::GET, "/dir/index.html", &b""[..]);
            let answer = challenge.answer("Mufasa", password, asked, (1, chance));
            assert!(answer.contains(&format!("response=\"{proof}\"")), "{field}: {answer}");
            assert_eq!(answer.contains("nc=00000001"), field.contains("qop"), "{answer}");
        }
    }

    /// RFC 7616, 3.9.2, with the correction of its erratum 4897: the RFC has half of a SHA-512. (Its `userhash` is optional.)
    #[test]
    fn sha_512_256_is_not_half_of_sha_512() {
        let challenge = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
                         nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
                         opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true";
        let chance = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v";
        let asked = (&Method::GET, "/doe.json", &b""[..]);
        let answer = first(challenge).unwrap().answer("J\u{e4}s\u{f8}n Doe", "Secret, or not?", asked, (1, chance));
        let proof = "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5";
        assert!(answer.contains(&format!("response=\"{proof}\"")), "{answer}");
        assert!(answer.contains("username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, "), "{answer}");
        assert!(answer.contains("algorithm=SHA-512-256, ") && answer.ends_with("qop=auth, nc=00000001"), "{answer}");
    }

    #[test]
    fn the_first_challenge_that_is_known_is_answered() {
        let nonce = |field: &str| first(field).map(|challenge| challenge.nonce);
        for (field, expected) in [
            ("Digest realm=a, nonce=b", Some("b")),
            ("Basic realm=\"x, y\", DIGEST Realm = \"a\" , Nonce=\"b\\\"c\"", Some("b\"c")),
            ("Negotiate abc==, Digest realm=a, nonce=b", Some("b")),
            ("Digest realm=a, nonce=b, algorithm=SHA-512, Digest realm=a, nonce=c", Some("c")),
            ("Digest realm=a, nonce=b, algorithm=sha-512-256-sess", Some("b")),
            ("Digest realm=a, nonce=b, qop=\"auth-conf, AUTH-INT\"", Some("b")),
            ("Digest realm=a, nonce=b, qop=auth-conf", None),
            ("Digest realm=a", None),
            ("Digest realm=\"a, nonce=b", None),
            ("Basic realm=a, nonce=b", None),
            ("=, Digest realm=a, nonce=b", None),
            ("", None),
        ] {
            assert_eq!(nonce(field).as_deref(), expected, "{field}");
        }
    }

    /// A server whose nonces hold for two requests.
    async fn guarded(request: Request) -> Response {
        let challenge = first(&format!("Digest {NEW}, qop=auth, algorithm=SHA-256-sess, opaque=\"o\"")).unwrap();
        let fields = |request: &Request| {
            let field = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.to_owned();
            challenges(&field).into_iter().next()
        };
        let value = |wanted: &str| {
            let (_, parameters) = fields(&request).unwrap();
            parameters.into_iter().find(|(name, _)| name == wanted).map(|(_, value)| value).unwrap_or_default()
        };
        let allowed = fields(&request).is_some() && *value("nc") <= *"00000002" && {
            let count = u32::from_str_radix(&value("nc"), 16).unwrap();
            let target = request.uri().path_and_query().unwrap().as_str();
            let right = challenge.answer("user", "secret", (request.method(), target, b""), (count, &value("cnonce")));
            value("uri") == target && request.headers()[header::AUTHORIZATION] == right
        };
        let mut response = Response::new(request.uri().path().to_owned().into());
        if !allowed {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            let challenge = format!("Digest {NEW}, qop=\"auth\", algorithm=SHA-256-sess, opaque=\"o\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::try_from(challenge).unwrap());
        }
        response
    }

    #[test]
    fn a_challenge_is_answered_and_remembered() {
        runtime::Runtime::builder().virtual_clock().build().unwrap().block_on(async {
            let server = Server::bind("127.0.0.1:0").unwrap();
            let (count, url) = (Arc::new(Mutex::new(0)), format!("http://{}", server.local_addr()));
            let counts = count.clone();
            drop(runtime::spawn(server.serve(move |request| {
                *counts.lock().unwrap() += 1;
                guarded(request)
            })));
            let with =
                |origin: &str, password: &str| Client::builder().layer(digest_auth(origin, "user", password)).build();
            let client = with(&url, "secret");
            // Asked, and answered; then at once; then a new nonce.
            for (path, asked) in [("/a?q=1", 2), ("/b", 3), ("/c", 5)] {
                assert_eq!(client.post(format!("{url}{path}")).body("body").await.unwrap().status(), 200, "{path}");
                assert_eq!(*count.lock().unwrap(), asked, "{path}");
            }
            for (client, asked) in [(with(&url, "wrong"), 2), (with("http://other.example", "secret"), 1)] {
                *count.lock().unwrap() = 0;
                assert_eq!(client.get(format!("{url}/a")).await.unwrap().status(), 401);
                assert_eq!(*count.lock().unwrap(), asked, "no more than that");
            }
        });
    }

    /// A server that hashes for itself, and asks for a proof of the body. It answers with how the proof was said to be.
    async fn guarded_whole(mut request: Request) -> Response {
        let content = request.body_mut().bytes().await.unwrap();
        let given = request.headers().get(header::AUTHORIZATION).map(|field| field.to_str().unwrap().to_owned());
        let Some((_, given)) = given.and_then(|field| challenges(&field).into_iter().next()) else {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            let challenge = "Digest realm=r, nonce=n, qop=auth-int, algorithm=SHA-512-256";
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            return response;
        };
        let value = |wanted: &str| given.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value);
        let hash =
            |text: &[u8]| Sha512_256::digest(text).iter().fold(String::new(), |all, byte| format!("{all}{byte:02x}"));
        let (secret, content) = (hash(b"user:r:secret"), hash(&content));
        let asked = hash(format!("{}:{}:{content}", request.method(), request.uri().path()).as_bytes());
        let (count, chance) = (value("nc"), value("cnonce"));
        let proof = hash(format!("{secret}:n:{count}:{chance}:auth-int:{asked}").as_bytes());
        let right = value("response") == proof && value("algorithm") == "SHA-512-256" && !chance.is_empty();
        let told = if right { format!("{} {count}", value("qop")) } else { format!("wrong: {given:?}") };
        Response::new(told.into())
    }

    #[test]
    fn a_proof_can_be_about_the_body() {
        runtime::Runtime::builder().virtual_clock().build().unwrap().block_on(async {
            let server = Server::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}", server.local_addr());
            drop(runtime::spawn(server.serve(guarded_whole)));
            let client = Client::builder().layer(digest_auth(&url, "user", "secret")).build();
            let post = |body: Body| client.post(format!("{url}/a")).body(body);
            let stream = || Body::stream(futures_lite::stream::iter([Ok(Bytes::from("of a stream"))]));
            assert_eq!(post(stream()).await.unwrap().status(), 401, "it cannot be sent again");
            for (body, count) in [("a body", 1), ("", 2), ("another: one", 3)] {
                let told = post(body.into()).await.unwrap().text().await.unwrap();
                assert_eq!(told, format!("auth-int {count:08x}"), "{body:?}");
            }
            assert_eq!(post(stream()).await.unwrap().status(), 401, "what is not there yet cannot be hashed");
        });
    }
}
