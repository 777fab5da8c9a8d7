//! Very many connections that do nothing.

use crate::{
    ask, full, latencies, one_at_a_time, percentile,
    process::{Process, connections},
};
use tests::wire::Peer;

/// So many bytes may an idle connection cost, in a build without optimisation. (The benchmark has the figure that counts.)
const EACH: u64 = 8 * 1024;

#[test]
fn idle_connections_cost_little_and_give_it_back() {
    let _turn = one_at_a_time();
    let count = connections(if full() { 10_000 } else { 2_000 });
    let server = Process::start();
    runtime::block_on(async {
        latencies(server.address, 100).await;
        let (descriptors, before) = (server.descriptors(), server.memory());
        let mut peaks = Vec::new();
        for wave in 1..=3 {
            let mut idle = Vec::with_capacity(count);
            for _ in 0..count {
                let mut peer = Peer::connect(server.address).await;
                ask(&mut peer).await;
                idle.push(peer);
            }
            let peak = server.memory();
            let each = peak.saturating_sub(before) / count as u64;
            let beside = percentile(&latencies(server.address, 200).await, 50);
            assert!(server.descriptors() >= count);
            for peer in &mut idle {
                ask(peer).await;
            }
            drop(idle);
            server.returns_to(descriptors).await;
            let after = server.memory();
            println!(
                "wave {wave}: {count} idle: {each} bytes each; beside them a request takes {beside:?}; after: {} kB more than before",
                after.saturating_sub(before) / 1024
            );
            assert!(each <= EACH, "{each} bytes for each idle connection");
            peaks.push(peak);
        }
        // An allocator may keep what was given back to it; then the next wave needs no more than the one before.
        let (first, last) = (peaks[0], *peaks.last().unwrap());
        assert!(last <= first + (first - before) / 5 + 1_000_000, "each wave takes more memory: {peaks:?}");
    });
}
