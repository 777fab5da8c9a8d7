//! The book in headless Chromium: every page, wide and narrow, light and dark; and Run by a click.
//!
//! The browser is driven through chromedriver, whose protocol (W3C WebDriver) is JSON over HTTP: netio's client speaks it. Where
//! there is no chromedriver the test says so in one line and passes; CI installs it.

use netio::http::Method;
use netio::http::client::Client;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use tests::{Served, handloom};

/// What is looked at: a name, the width, and the colours that the system prefers.
const LOOKS: [(&str, u32, &str); 4] = [
    ("wide, light", 1280, "light"),
    ("wide, dark", 1280, "dark"),
    ("narrow, light", 360, "light"),
    ("narrow, dark", 360, "dark"),
];

/// Without the network flags Chromium looks its makers up at every start; as root it runs only without its sandbox.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser, driven; closed when dropped.
struct Browser {
    driver: Child,
    client: Client,
    /// `http://127.0.0.1:PORT/session/ID`
    session: String,
    _said: BufReader<ChildStdout>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// A browser, or `None` where there is no chromedriver.
    async fn open() -> Option<Browser> {
        let mut driver = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).spawn().ok()?;
        let mut said = BufReader::new(driver.stdout.take().expect("it is piped"));
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert!(
                said.read_line(&mut line).expect("it prints text") > 0,
                "chromedriver ended without naming its port"
            );
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim().trim_end_matches('.').to_owned();
            }
        };
        let profile = tempfile::tempdir().expect("a temporary folder");
        let data = format!("--user-data-dir={}", profile.path().display());
        let flags: Vec<&str> = FLAGS.iter().copied().chain([data.as_str()]).collect();
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": flags },
            "goog:loggingPrefs": { "browser": "ALL" },
        }}});
        let client = Client::builder().timeout(Duration::from_secs(180)).build();
        let address = format!("http://127.0.0.1:{port}/session");
        let mut browser = Browser { driver, client, session: address, _said: said, _profile: profile };
        let session = browser.call("", wanted).await;
        browser.session =
            format!("{}/{}", browser.session, session["sessionId"].as_str().expect("a session has an id"));
        browser.call("/timeouts", json!({ "script": 120_000 })).await;
        Some(browser)
    }

    /// One command of the protocol.
    async fn call(&self, command: &str, parameters: Value) -> Value {
        let request = http::Request::builder()
            .method(Method::POST)
            .uri(format!("{}{command}", self.session))
            .header("content-type", "application/json")
            .body(parameters.to_string().into())
            .expect("a request");
        let answer = self.client.execute(request).await.unwrap_or_else(|error| panic!("{command}: {error}"));
        let (status, text) =
            (answer.status(), answer.text().await.unwrap_or_else(|error| panic!("{command}: {error}")));
        assert_eq!(status, 200, "{command} {parameters}: {text}");
        serde_json::from_str::<Value>(&text).expect("the driver speaks JSON")["value"].take()
    }

    async fn devtools(&self, command: &str, parameters: Value) {
        self.call("/goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await;
    }

    async fn look(&self, width: u32, colours: &str) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": colours }] });
        self.devtools("Emulation.setEmulatedMedia", feature).await;
    }

    async fn go(&self, address: &str) {
        self.call("/url", json!({ "url": address })).await;
    }

    async fn script(&self, script: &str) -> Value {
        self.call("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// A script that ends when it calls `done`.
    async fn script_until_done(&self, script: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1]; {script}");
        self.call("/execute/async", json!({ "script": script, "args": [] })).await
    }

    /// Keeps what the window shows of the first Run panel: how the picture in the README is made.
    async fn photograph(&self, file: &Path) {
        self.script("document.querySelector('.run').scrollIntoView({ block: 'center', behavior: 'instant' })").await;
        self.script_until_done("requestAnimationFrame(() => requestAnimationFrame(done))").await;
        let request = http::Request::get(format!("{}/screenshot", self.session)).body(Default::default());
        let answer = self.client.execute(request.expect("a request")).await.expect("a picture");
        let answer: Value = serde_json::from_str(&answer.text().await.expect("it is text")).expect("JSON");
        let mut decode = Command::new("base64");
        let output = std::fs::File::create(file).expect("the file can be written");
        let mut decoding = decode.arg("-d").stdin(Stdio::piped()).stdout(output).spawn().expect("base64 runs");
        let coded = answer["value"].as_str().expect("the picture in base64");
        decoding.stdin.take().expect("it is piped").write_all(coded.as_bytes()).expect("it reads");
        assert!(decoding.wait().expect("it ends").success());
    }

    /// What the page said on its console since the last call, if it is worse than a remark.
    async fn complaints(&self) -> Vec<String> {
        let log = self.call("/se/log", json!({ "type": "browser" })).await;
        let entries = log.as_array().cloned().unwrap_or_default().into_iter();
        entries
            .filter(|entry| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")))
            .map(|entry| entry["message"].to_string())
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // SIGTERM, so that the driver closes its browser.
        let _ = rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.driver),
            rustix::process::Signal::TERM,
        );
        let _ = self.driver.wait();
    }
}

/// The names of all pages, from the table of contents.
async fn page_names(served: &Served) -> BTreeSet<String> {
    let contents = Client::new().get(format!("{}/toc.html", served.address)).await.expect("the table of contents");
    let contents = contents.text().await.expect("it is text");
    let names = contents.split(r#"href=""#).skip(1).filter_map(|rest| rest.split('"').next());
    names.filter(|name| name.ends_with(".html")).map(str::to_owned).collect()
}

/// Clicks Run in the first panel of the page, and waits until the example has ended: status, output, and whether a picture came.
const RUN: &str = "
    const panel = document.querySelector('.run');
    const status = panel.querySelector('.run-status');
    const finished = () => /^(ended|stopped|failed|it does not)/.test(status.textContent) && panel.querySelector('.run-stop').hidden;
    new MutationObserver(() => {
        if (finished()) done({
            status: status.textContent,
            output: panel.querySelector('.run-output').textContent,
            drawn: panel.querySelector('.run-timeline svg') !== null,
            wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        });
    }).observe(panel, { subtree: true, childList: true, characterData: true, attributes: true });
    panel.querySelector('.run-start').click();
";

const WIDER: &str = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";

#[test]
fn every_page_fits_and_is_silent_and_run_works_by_a_click() {
    runtime::block_on(async {
        let Some(browser) = Browser::open().await else {
            println!("skipped: there is no chromedriver here");
            return;
        };
        let served = Served::start(&handloom(), &["--port", "0"]);
        let names = page_names(&served).await;
        assert!(names.len() > 30, "{names:?}");
        let mut with_panel = None;
        for (look, width, colours) in LOOKS {
            browser.look(width, colours).await;
            for name in &names {
                browser.go(&format!("{}/{name}", served.address)).await;
                assert_eq!(browser.script(WIDER).await, json!(0), "{name}, {look}: it scrolls sideways");
                assert_eq!(browser.complaints().await, [""; 0], "{name}, {look}");
                let theme = browser.script("return document.documentElement.className").await.to_string();
                assert_eq!(theme.contains("navy"), colours == "dark", "{name}, {look}: {theme}");
                if browser.script("return document.querySelector('.run') !== null").await == json!(true) {
                    with_panel.get_or_insert(name.clone());
                }
            }
        }
        let page = with_panel.expect("some page has a Run panel");
        for (look, width, colours) in [LOOKS[0], LOOKS[3]] {
            browser.look(width, colours).await;
            browser.go(&format!("{}/{page}", served.address)).await;
            let run = browser.script_until_done(RUN).await;
            assert!(run["status"].as_str().is_some_and(|status| status.ends_with("exit status: 0")), "{look}: {run}");
            assert!(run["output"].as_str().is_some_and(|output| !output.is_empty()), "{look}: {run}");
            assert_eq!((&run["drawn"], &run["wider"]), (&json!(true), &json!(0)), "{look}: {run}");
            assert_eq!(browser.complaints().await, [""; 0], "{page}, {look}");
            if let Some(file) = std::env::var_os("HANDLOOM_SCREENSHOT").filter(|_| look == LOOKS[0].0) {
                browser.photograph(Path::new(&file)).await;
            }
        }
    });
}

/// Presses keys in the first panel of steps, one after the other, and gives what its line and its boxes then say.
const STEP: &str = "
    const panel = document.querySelector('.steps');
    panel.focus();
    return KEYS.map(key => {
        panel.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
        const box = name => [...panel.querySelectorAll('.steps-' + name + ' li')].map(item => item.textContent).join(', ');
        return [panel.querySelector('.steps-line').textContent, box('running'), box('ready'), box('waiting'), box('over')].join(' | ');
    });
";

#[test]
fn a_trace_is_stepped_through_from_the_keyboard() {
    runtime::block_on(async {
        let Some(browser) = Browser::open().await else {
            println!("skipped: there is no chromedriver here");
            return;
        };
        let served = Served::start(&handloom(), &["--port", "0", "--no-run"]);
        browser.go(&format!("{}/h-steps.html", served.address)).await;
        let keys = ["ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "Home"];
        let seen = browser.script(&STEP.replace("KEYS", &json!(keys).to_string())).await;
        let trace = std::fs::read_to_string(tests::root().join("book/recorded/hello_gather.trace.txt"));
        let trace = trace.expect("the trace is recorded");
        let (last, end) = (trace.lines().count(), "1000.000 ms · done main: ready");
        assert_eq!(
            seen,
            json!([
                format!("1 of {last} · 0.000 ms · poll main | main |  |  | "),
                format!("2 of {last} · 0.000 ms · pending main |  |  | main | "),
                format!("1 of {last} · 0.000 ms · poll main | main |  |  | "),
                format!("{last} of {last} · {end} |  |  |  | main"),
                format!("{last} of {last} · {end} |  |  |  | main"),
                format!("0 of {last} · 0.000 ms · Before the first event. |  | main |  | "),
            ])
        );
        // The page was not turned by an arrow that the panel has taken.
        let address = browser.script("return location.pathname").await;
        assert_eq!(address, json!("/h-steps.html"));
        assert_eq!(browser.complaints().await, [""; 0]);
    });
}
