# Every habit of this house as one recipe. `just` is a convenience: each line below also works typed by hand.

# What there is.
default:
    @just --list --unsorted

# Weave the book, serve it, and print its address. Ctrl-C stops it.
run *arguments:
    cargo run --release -- {{ arguments }}

# Every test: units, documentation examples, recorded outputs, the server under attack, the book's promises.
test:
    cargo test

# The runtime on each poller behind its seam, and with subscribers to its events.
test-pollers:
    cargo test -p runtime --features polling,tracing
    cargo test -p tests --features polling --test net --test conformance --test web

# The system calls of each poller, side by side (needs strace).
bench-pollers:
    cargo bench -p runtime --features polling --bench polling_calls

# One example, as in `just example hello --scale 0.1`.
example name *arguments:
    cargo run --example {{ name }} -- {{ arguments }}

# A crate for your own runtime, which compiles and can do nothing yet: `just new ../my-runtime`.
new folder:
    cargo run --quiet -p stages --example new -- {{ folder }}

# The cases of all chapters up to this one, on your own runtime: `just check 05 --runtime ../my-runtime`.
check *arguments:
    cargo run --quiet -p stages --example check -- {{ arguments }}

# Is all well on this machine? Every example prints, here and now, what the book says that it prints.
doctor:
    cargo --version
    rustc --version
    cargo run --release -- record --compare

# The figures, side by side with others' in one run: `just bench runtime`, `just bench sync mutex --rounds 15`.
bench name *arguments:
    cargo bench --bench {{ name }} -- {{ arguments }}

# The concurrency models, every interleaving of each; prints how many there were.
loom:
    RUSTFLAGS="--cfg runtime_loom" CARGO_TARGET_DIR=target/loom LOOM_MAX_PREEMPTIONS=3 cargo test -p runtime --lib --release loom_models -- --nocapture --test-threads 1

# The runtime's tests under the address and leak sanitizer (needs the nightly toolchain).
sanitize:
    RUSTFLAGS="-Zsanitizer=address" CARGO_TARGET_DIR=target/sanitize cargo +nightly test -p runtime -p stages --lib --tests --target x86_64-unknown-linux-gnu

# The units, the stages, several workers, and what shares memory by hand, under Miri (needs `rustup component add miri rust-src --toolchain nightly`).
miri:
    RUST_BACKTRACE=0 MIRIFLAGS="-Zmiri-disable-isolation" CARGO_TARGET_DIR=target/miri cargo +nightly miri test -p runtime -p stages --lib
    RUST_BACKTRACE=0 MIRIFLAGS="-Zmiri-disable-isolation" CARGO_TARGET_DIR=target/miri cargo +nightly miri test -p runtime --test workers --test oneshot
    RUST_BACKTRACE=0 MIRIFLAGS="-Zmiri-disable-isolation" CARGO_TARGET_DIR=target/miri cargo +nightly miri test -p runtime --test sync -- mutex::a_guard mutex::a_panic rwlock::a_writer

# A fuzz target of netio: head, chunked, router, multipart, range, events, or differential (needs the nightly toolchain and cargo-fuzz).
fuzz target seconds="600":
    cd netio/fuzz && cargo +nightly fuzz run --sanitizer none {{ target }} -- -max_total_time={{ seconds }}

# Every fault at every byte of an exchange, and thousands of random days on the simulated network.
faults:
    FAULTS=all RUNTIME_SEEDS=5000 cargo test --release -p tests --test faults -- --nocapture

# Ten thousand connections, two thousand slow callers, on real sockets.
load:
    LOAD=full cargo test --release -p tests --test load -- --nocapture

# Ten minutes of everything at once, at random, on one, two and four workers.
stress seconds="600":
    STRESS_SECONDS={{ seconds }} cargo test -p runtime --release --test stress -- --nocapture

# Format, lints, documentation: as strict as CI.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo clippy -p runtime --features polling,tracing --all-targets -- -D warnings
    cargo clippy -p netio --no-default-features -- -D warnings
    cargo clippy -p netio --features digest-auth,public-suffix -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Weave the book and check it: links, leftovers, pictures, every block of Rust.
book:
    cargo run --release -- build
    cargo run --release -- test

# Make recorded outputs anew, by name. Look at the difference before you commit it.
record +names:
    cargo run --release -- record {{ names }}

# Make the README's picture anew, in a real browser (needs chromium and chromedriver).
screenshot:
    HANDLOOM_SCREENSHOT={{ justfile_directory() }}/book/screenshot.png cargo test --test browser

# All that must pass before something lands.
ci:
    bash .ci/run
