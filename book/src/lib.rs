//! The book's own crate: it weaves the chapters, checks them, and serves them from the server that they teach.
//!
//! ```text
//!  chapters/*.md ──chapter──▶ pieces ──weave──▶ mdBook ──▶ pages ──serve──▶ a browser
//!       examples, crates ──listing, recording, picture──▲        │            │ Run
//!                                  check, doctest ◀──────────────┘            ▼
//!                                                              run: an example as a child process
//! ```
//!
//! - Whatever fails is a [`problem::Problem`]: one line, the place first.
//! - Nothing here is on the path of `cargo test -p runtime`: mdBook's dependencies stay in this crate.

#![forbid(unsafe_code)]

pub mod cargo;
pub mod chapter;
pub mod check;
pub mod doctest;
pub mod house;
pub mod html;
pub mod listing;
mod page;
pub mod picture;
pub mod problem;
pub mod recording;
pub mod run;
pub mod serve;
pub mod watch;
pub mod weave;
