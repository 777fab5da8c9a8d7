//! Cookies: RFC 6265, and its revision (6265bis).

use super::{SECOND, empty, serve_seen};
use netio::http::{
    Response,
    client::{Client, CookieError, Jar},
};
use tests::wire::{run, run_outside};

const HOST: &str = "http://www.example.com/dir/page";
const SECURE: &str = "https://www.example.com/dir/page";

/// A cookie that is set at the first URL, and does, or does not, go to the second.
#[test]
fn a_cookie_goes_where_it_may() {
    const TABLE: &[(&str, &str, &str, &str, bool)] = &[
        // 5.1.3 and 5.3: the domain.
        ("5.3 step 6: no Domain, this host only", HOST, "a=1; Path=/", "http://www.example.com/", true),
        ("5.3 step 6", HOST, "a=1; Path=/", "http://example.com/", false),
        ("5.3 step 6", HOST, "a=1; Path=/", "http://x.www.example.com/", false),
        (
            "5.3 step 6: Domain, the host and those below",
            HOST,
            "a=1; Path=/; Domain=example.com",
            "http://example.com/",
            true,
        ),
        ("5.1.3", HOST, "a=1; Path=/; Domain=example.com", "http://x.y.example.com/", true),
        ("5.1.3: a dot between", HOST, "a=1; Path=/; Domain=example.com", "http://badexample.com/", false),
        ("5.2.3: a dot in front", HOST, "a=1; Path=/; Domain=.example.com", "http://example.com/", true),
        ("5.2.3: of any size", HOST, "a=1; Path=/; Domain=EXAMPLE.Com", "http://example.com/", true),
        ("5.2.3: empty is none", HOST, "a=1; Path=/; Domain=", "http://example.com/", false),
        (
            "5.2.3: the last one counts",
            HOST,
            "a=1; Path=/; Domain=example.com; Domain=www.example.com",
            "http://example.com/",
            false,
        ),
        ("5.1.3: an address has none above", "http://127.0.0.1/", "a=1", "http://127.0.0.1/", true),
        ("5.1.3", "http://127.0.0.1/", "a=1; Domain=127.0.0.1", "http://127.0.0.1/", true),
        ("1: a port is no border", "http://127.0.0.1:1/", "a=1", "http://127.0.0.1:2/", true),
        ("5.1.3", "http://[::1]/", "a=1", "http://[::1]:8080/", true),
        (
            "5.3 step 5: a public suffix sets its own",
            "http://localhost/",
            "a=1; Domain=localhost",
            "http://localhost/",
            true,
        ),
        ("5.3 step 5", "http://localhost/", "a=1; Domain=localhost", "http://x.localhost/", false),
        // 5.1.4: the path.
        ("5.1.4: the default is the folder", HOST, "a=1", "http://www.example.com/dir/other", true),
        ("5.1.4", HOST, "a=1", "http://www.example.com/dir", true),
        ("5.1.4", HOST, "a=1", "http://www.example.com/dir/a/b", true),
        ("5.1.4", HOST, "a=1", "http://www.example.com/", false),
        ("5.1.4: whole segments", HOST, "a=1", "http://www.example.com/directory", false),
        ("5.1.4", "http://www.example.com", "a=1", "http://www.example.com/any", true),
        ("5.1.4", HOST, "a=1; Path=/dir/", "http://www.example.com/dir/x", true),
        ("5.1.4", HOST, "a=1; Path=/dir/", "http://www.example.com/dir", false),
        ("5.1.4: a query is no path", HOST, "a=1; Path=/dir", "http://www.example.com/dir?x", true),
        ("5.2.4: any path may be set", HOST, "a=1; Path=/other", "http://www.example.com/other/x", true),
        ("5.2.4: no slash in front is no path", HOST, "a=1; Path=other", "http://www.example.com/dir/", true),
        // 5.2.5: Secure.
        ("5.2.5", SECURE, "a=1; Secure", SECURE, true),
        ("5.2.5", SECURE, "a=1; secure=whatever", HOST, false),
        ("5.2.5", SECURE, "a=1", HOST, true),
        ("5.2.6: HttpOnly is for browsers", HOST, "a=1; HttpOnly; SameSite=Strict; Priority=High", HOST, true),
        // 5.2: how it is read.
        ("5.2: spaces are not part of it", HOST, "  a\t= 1  ;Path = / ; x", "http://www.example.com/", true),
        ("5.2: an empty value is one", HOST, "a=; Path=/", HOST, true),
        ("5.2: only the first = counts", HOST, "a=b=c; Path=/", HOST, true),
        ("5.2: quotes are part of it", HOST, "a=\"1\"; Path=/", HOST, true),
        // 5.2.1 and 5.2.2: the time. It is 2001-09-09 01:46:40.
        ("5.2.1", HOST, "a=1; Path=/; Expires=Sun, 09 Sep 2001 01:46:41 GMT", HOST, true),
        ("5.2.1", HOST, "a=1; Path=/; Expires=Sun, 09 Sep 2001 01:46:40 GMT", HOST, false),
        ("5.2.1: no date is no date", HOST, "a=1; Path=/; Expires=yesterday", HOST, true),
        ("5.2.2: Max-Age wins", HOST, "a=1; Path=/; Max-Age=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", HOST, true),
        ("5.2.2", HOST, "a=1; Path=/; Expires=Fri, 01 Jan 2100 00:00:00 GMT; Max-Age=0", HOST, false),
        ("5.2.2", HOST, "a=1; Path=/; Max-Age=-5", HOST, false),
        ("5.2.2", HOST, "a=1; Path=/; Max-Age=99999999999999999999", HOST, true),
        ("5.2.2: no number is none", HOST, "a=1; Path=/; Max-Age=1e9", HOST, true),
        // 6265bis, 4.1.3: prefixes.
        ("bis 4.1.3.1", SECURE, "__Secure-a=1; Secure", SECURE, true),
        ("bis 4.1.3.2", SECURE, "__Host-a=1; Secure; Path=/", SECURE, true),
    ];
    run_outside(async {
        for (section, from, set_cookie, to, expected) in TABLE {
            let jar = Jar::new();
            jar.set(from, set_cookie).unwrap_or_else(|error| panic!("{section}: {set_cookie}: {error}"));
            let name = set_cookie.split('=').next().unwrap().trim();
            assert_eq!(jar.get(to, name).is_some(), *expected, "{section}: {set_cookie} from {from} to {to}");
        }
    });
}

#[test]
fn a_cookie_that_may_not_be_set_is_refused() {
    let long = |length: usize| format!("a={}", "x".repeat(length));
    let (fits, too_long) = (long(4095), long(4096));
    run_outside(async {
        for (section, from, set_cookie, error) in [
            ("5.3 step 6", HOST, "a=1; Domain=other.com", CookieError::Domain),
            ("5.3 step 6", HOST, "a=1; Domain=x.www.example.com", CookieError::Domain),
            ("5.3 step 6", HOST, "a=1; Domain=ww.example.com", CookieError::Domain),
            ("5.3 step 5", HOST, "a=1; Domain=com", CookieError::Domain),
            ("5.3 step 5", HOST, "a=1; Domain=.com", CookieError::Domain),
            ("5.1.3", "http://127.0.0.1/", "a=1; Domain=0.0.1", CookieError::Domain),
            ("5.1.3", "http://127.0.0.1/", "a=1; Domain=1", CookieError::Domain),
            ("5.2 step 2", HOST, "a", CookieError::Malformed),
            ("5.2 step 5", HOST, "=1", CookieError::Malformed),
            ("5.2", HOST, "", CookieError::Malformed),
            ("bis 5.6 step 1", HOST, "a=1\r\nX: y", CookieError::Malformed),
            ("bis 5.6 step 1", HOST, "a=\u{1}", CookieError::Malformed),
            ("our file", HOST, "a=1\t2", CookieError::Malformed),
            ("bis 5.6 step 5", HOST, &too_long, CookieError::Malformed),
            ("bis 5.7 step 11", HOST, "a=1; Secure", CookieError::Secure),
            ("bis 4.1.3.1", SECURE, "__Secure-a=1", CookieError::Prefix),
            ("bis 4.1.3.2", SECURE, "__Host-a=1; Secure", CookieError::Prefix),
            ("bis 4.1.3.2", SECURE, "__host-a=1; Secure; Path=/; Domain=www.example.com", CookieError::Prefix),
            ("bis 4.1.3.2", SECURE, "__Host-a=1; Path=/", CookieError::Prefix),
        ] {
            let jar = Jar::new();
            assert_eq!(jar.set(from, set_cookie), Err(error), "{section}: {set_cookie}");
            assert_eq!(jar.all(), []);
        }
        Jar::new().set(HOST, &fits).unwrap();

        // A server that is not secure may not take the place of one that is (bis 5.7 step 12).
        let jar = Jar::new();
        jar.set(SECURE, "a=1; Secure").unwrap();
        assert_eq!(jar.set(HOST, "a=2"), Err(CookieError::Secure));
        assert_eq!(jar.get(SECURE, "a").as_deref(), Some("1"));
    });
}

/// 5.3 step 11: the same name, domain and path are the same cookie; and one that is over removes it.
#[test]
fn a_cookie_is_replaced_or_removed() {
    run_outside(async {
        let jar = Jar::new();
        for set in ["a=1; Path=/", "a=2; Path=/dir", "a=3; Path=/"] {
            jar.set(HOST, set).unwrap();
        }
        let values = |jar: &Jar| jar.all().iter().map(|cookie| cookie.value.clone()).collect::<Vec<_>>();
        assert_eq!(values(&jar), ["3", "2"]);
        jar.set(HOST, "a=x; Path=/; Max-Age=0").unwrap();
        assert_eq!(values(&jar), ["2"]);
        jar.retain(|cookie| cookie.path == "/");
        assert_eq!(values(&jar), [""; 0]);
    });
}

#[test]
fn a_cookie_grows_old_by_the_runtimes_clock() {
    run_outside(async {
        let jar = Jar::new();
        for set in ["short=1; Max-Age=10", "long=1; Expires=Sun, 09 Sep 2001 01:47:00 GMT", "session=1"] {
            jar.set(HOST, set).unwrap();
        }
        for (seconds, left) in [(0, 3), (9, 3), (1, 2), (9, 2), (1, 1), (1_000_000, 1)] {
            runtime::time::sleep(seconds * SECOND).await;
            assert_eq!(jar.all().len(), left, "after {seconds} more");
        }
    });
}

/// 6.1: at least fifty of a domain, and three thousand in all.
#[test]
fn the_oldest_go_when_there_are_too_many() {
    run_outside(async {
        let jar = Jar::new();
        for number in 0..200 {
            jar.set(HOST, &format!("c{number}=1")).unwrap();
        }
        assert_eq!(jar.all().len(), 180);
        assert_eq!((jar.get(HOST, "c19"), jar.get(HOST, "c20")), (None, Some("1".into())));
        for number in 0..3000 {
            jar.set(&format!("http://h{number}.example/"), "a=1").unwrap();
        }
        assert_eq!(jar.all().len(), 3000);
        assert_eq!((jar.get(HOST, "c199"), jar.get("http://h0.example/", "a")), (None, Some("1".into())));
    });
}

#[test]
fn a_jar_is_saved_and_loaded_as_curl_does_it() {
    run_outside(async {
        let jar = Jar::new();
        jar.set(HOST, "a=1; Path=/; Max-Age=100; HttpOnly").unwrap();
        jar.set(SECURE, "b=\"2=3\"; Domain=example.com; Secure").unwrap();
        let text = "# Netscape HTTP Cookie File\n\
             .example.com\tTRUE\t/dir\tTRUE\t0\tb\t\"2=3\"\n\
             #HttpOnly_www.example.com\tFALSE\t/\tFALSE\t1000000100\ta\t1\n";
        assert_eq!(jar.save(), text);
        let loaded = Jar::new();
        loaded.load(text).unwrap();
        assert_eq!(loaded.save(), text);
        runtime::time::sleep(100 * SECOND).await;
        let later = Jar::new();
        later.load(&format!("\n# a comment\n{text}")).unwrap();
        assert_eq!(later.all().len(), 1, "what is over is left out");
        for line in
            ["x", "h\tFALSE\t/\tFALSE\tsoon\ta\t1", "h\tFALSE\tpath\tFALSE\t0\ta\t1", "h\tFALSE\t/\tFALSE\t0\t\t1"]
        {
            let error = Jar::new().load(&format!("{text}{line}\n")).unwrap_err();
            assert_eq!(error.to_string(), "line 4 is no cookie", "{line:?}");
        }
    });
}

/// 5.4: longer paths first, then the older ones, in one field; also what a redirect on the way has set.
#[test]
fn a_client_brings_along_what_it_was_given() {
    run(async || {
        let (url, seen) = serve_seen(|request| match request.uri().path() {
            "/login" => empty(
                302,
                &[
                    ("location", "/in/page"),
                    ("set-cookie", "b=2; Path=/"),
                    ("set-cookie", "a=1; Path=/in"),
                    ("set-cookie", "c"),
                ],
            ),
            _ => empty(200, &[("set-cookie", "d=\"4\"; Max-Age=60"), ("set-cookie", "e=5; Domain=other.example")]),
        });
        let client = Client::builder().cookies(true).build();
        let response = client.get(format!("{url}/login")).await.unwrap();
        assert_eq!(seen.last_field("cookie"), "a=1; b=2");
        assert_eq!(response.cookies().collect::<Vec<_>>(), [("d", "\"4\""), ("e", "5")]);
        for (path, expected) in [("/in/x", "a=1; d=\"4\"; b=2"), ("/inside", "b=2"), ("/", "b=2; d=\"4\"")] {
            client.clone().get(format!("{url}{path}")).await.unwrap();
            assert_eq!(seen.last_field("cookie"), expected, "{path}");
        }
        // A field of one's own means that one knows better.
        client.get(format!("{url}/in/x")).header("cookie", "own=1").await.unwrap();
        assert_eq!(seen.last_field("cookie"), "own=1");
        assert!(!format!("{client:?} {:?}", client.cookies()).contains("\"4\""));
        // Without a jar there is nothing to bring.
        let plain = Client::new();
        for _ in 0..2 {
            plain.get(format!("{url}/in/x")).await.unwrap();
            assert_eq!(seen.last_field("cookie"), "");
        }
        assert!(plain.cookies().is_none());
    });
}

/// Another origin has its own cookies, and gets them also after a redirect; those of the first it does not get.
#[test]
fn a_redirect_elsewhere_takes_no_cookies_along() {
    run(async || {
        let (there, seen) = serve_seen(|_| Response::new("there".into()));
        let port = there.rsplit(':').next().unwrap().to_owned();
        // One machine, two names: cookies do not know ports.
        let to = format!("http://localhost:{port}/");
        let (here, _) = serve_seen(move |_| empty(302, &[("location", &to), ("set-cookie", "a=1; Path=/")]));
        let client = Client::builder().cookies(true).build();
        client.cookies().unwrap().set("http://localhost/", "b=2").unwrap();
        client.get(here).await.unwrap();
        assert_eq!(seen.last_field("cookie"), "b=2");
        client.get(there).await.unwrap();
        assert_eq!(seen.last_field("cookie"), "a=1");
    });
}
