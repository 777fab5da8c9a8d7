//! Chromium: a page whose script asks for everything, and tells what came.

use crate::house::House;
use serde_json::{Map, Value};
use std::{
    process::{Command, Stdio},
    time::Duration,
};

/// Without the network flags it looks its makers up at every start; as root it runs only without its sandbox.
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

#[test]
fn a_page_in_chromium_gets_what_it_asks_for() {
    let house = House::open();
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new("chromium");
    // A page that is left open: `--remote-debugging-port` keeps the browser from ending when the page is loaded.
    command.args(FLAGS).arg("--remote-debugging-port=0").arg(format!("--user-data-dir={}", profile.path().display()));
    command.arg(house.url("/")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut browser) = command.spawn() else {
        println!("skipped: there is no chromium here");
        return;
    };
    let report = house.reports.recv_timeout(Duration::from_secs(90));
    let _ = browser.kill();
    let _ = browser.wait();
    let report: Map<String, Value> =
        serde_json::from_str(&report.expect("the page tells")).expect("the page speaks JSON");
    let failed: Vec<_> = report.iter().filter(|(_, result)| *result != "ok").collect();
    assert!(failed.is_empty() && report.len() == 13, "{report:#?}");
    println!("{} checks in Chromium", report.len());
}
