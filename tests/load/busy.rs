//! Many connections, all of them busy.

use crate::{ask, full, one_at_a_time, process::Process};
use runtime::{future::join_all, time::Instant};
use tests::wire::Peer;

#[test]
fn many_busy_connections_are_all_served() {
    let _turn = one_at_a_time();
    let server = Process::start();
    runtime::block_on(async {
        let before = server.descriptors();
        for connections in [64, 512] {
            let each = if full() { 200_000 } else { 10_000 } / connections;
            let start = Instant::now();
            let asked = (0..connections).map(|_| async {
                let mut peer = Peer::connect(server.address).await;
                for _ in 0..each {
                    ask(&mut peer).await;
                }
            });
            join_all(asked).await;
            let rate = (connections * each) as f64 / start.elapsed().as_secs_f64();
            println!("{connections} connections, {each} requests each: {rate:.0} requests a second");
            server.returns_to(before).await;
        }
    });
}
