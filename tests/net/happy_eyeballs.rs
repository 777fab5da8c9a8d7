//! Happy eyeballs by a script: whom to call when, who wins, and what becomes of the others.

use crate::in_virtual_time;
use netio::net::{Failures, STAGGER, happy_eyeballs};
use runtime::time::{Instant, sleep, timeout};
use std::{
    cell::{Cell, RefCell},
    future::pending,
    io::{self, ErrorKind},
    net::SocketAddr,
    time::Duration,
};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn v6(last: u8) -> SocketAddr {
    format!("[2001:db8::{last}]:80").parse().unwrap()
}

fn v4(last: u8) -> SocketAddr {
    ([192, 0, 2, last], 80).into()
}

/// What becomes of a call.
#[derive(Clone, Copy)]
enum Fate {
    Connects(u64),
    Fails(u64),
    Silent,
}
use Fate::*;

/// Calls by a script of what happens to each address, after so many milliseconds. Says who was called when.
async fn play(
    script: &[(SocketAddr, Fate)],
    stagger: Duration,
) -> (Result<SocketAddr, Failures>, Vec<(SocketAddr, u64)>) {
    let (start, calls) = (Instant::now(), RefCell::new(Vec::new()));
    let connect = async |address: SocketAddr| {
        calls.borrow_mut().push((address, start.elapsed().as_millis() as u64));
        match script.iter().find(|(of, _)| *of == address).unwrap().1 {
            Connects(after) => {
                sleep(after as u32 * MILLISECOND).await;
                Ok(address)
            }
            Fails(after) => {
                sleep(after as u32 * MILLISECOND).await;
                Err(io::Error::new(ErrorKind::HostUnreachable, format!("no way to {}", address.ip())))
            }
            Silent => pending().await,
        }
    };
    let result = happy_eyeballs(script.iter().map(|(address, _)| *address), stagger, connect).await;
    (result, calls.into_inner())
}

#[test]
fn the_families_take_turns_a_quarter_of_a_second_apart() {
    in_virtual_time(async {
        let script = [
            (v6(1), Silent),
            (v6(2), Silent),
            (v6(3), Silent),
            (v6(4), Connects(10)),
            (v4(1), Silent),
            (v4(2), Silent),
        ];
        let start = Instant::now();
        let (winner, calls) = play(&script, STAGGER).await;
        assert_eq!(winner.unwrap(), v6(4));
        assert_eq!(calls, [(v6(1), 0), (v4(1), 250), (v6(2), 500), (v4(2), 750), (v6(3), 1000), (v6(4), 1250)]);
        assert_eq!(start.elapsed(), 1260 * MILLISECOND);

        // It begins with the family of the first address.
        let (_, calls) = play(&[(v4(1), Silent), (v4(2), Silent), (v6(1), Connects(0))], STAGGER).await;
        assert_eq!(calls, [(v4(1), 0), (v6(1), 250)]);
    });
}

#[test]
fn a_call_that_failed_is_not_waited_for() {
    in_virtual_time(async {
        let script = [(v6(1), Fails(30)), (v6(2), Fails(0)), (v4(1), Silent), (v4(2), Connects(5))];
        let (winner, calls) = play(&script, STAGGER).await;
        assert_eq!(winner.unwrap(), v4(2));
        assert_eq!(calls, [(v6(1), 0), (v4(1), 30), (v6(2), 280), (v4(2), 280)]);
    });
}

#[test]
fn who_was_called_first_may_still_win() {
    in_virtual_time(async {
        let (winner, calls) = play(&[(v6(1), Connects(300)), (v4(1), Connects(60))], STAGGER).await;
        assert_eq!((winner.unwrap(), calls.len()), (v6(1), 2));
        let (winner, calls) = play(&[(v6(1), Connects(300)), (v4(1), Connects(40))], STAGGER).await;
        assert_eq!((winner.unwrap(), calls.len()), (v4(1), 2));
        // Within its time of its own, nobody else is called.
        let (winner, calls) = play(&[(v6(1), Connects(249)), (v4(1), Connects(0))], STAGGER).await;
        assert_eq!((winner.unwrap(), calls), (v6(1), vec![(v6(1), 0)]));
    });
}

#[test]
fn a_stagger_of_zero_calls_all_at_once_and_an_endless_one_calls_one_by_one() {
    in_virtual_time(async {
        let script = [(v6(1), Fails(400)), (v4(1), Connects(400)), (v4(2), Connects(100))];
        let (winner, calls) = play(&script, Duration::ZERO).await;
        assert_eq!((winner.unwrap(), calls), (v4(2), vec![(v6(1), 0), (v4(1), 0), (v4(2), 0)]));
        let (winner, calls) = play(&script, Duration::MAX).await;
        assert_eq!((winner.unwrap(), calls), (v4(1), vec![(v6(1), 0), (v4(1), 400)]));
    });
}

#[test]
fn when_all_fail_the_error_says_of_each_why() {
    in_virtual_time(async {
        let (result, _) = play(&[(v6(1), Fails(400)), (v4(1), Fails(10))], STAGGER).await;
        let failures = result.unwrap_err();
        assert_eq!(failures.iter().map(|(address, _)| *address).collect::<Vec<_>>(), [v4(1), v6(1)]);
        let text = "192.0.2.1:80: no way to 192.0.2.1; [2001:db8::1]:80: no way to 2001:db8::1";
        assert_eq!(failures.to_string(), text);
        let error = io::Error::from(failures);
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::HostUnreachable, text.to_owned()));

        let (alone, _) = play(&[(v6(1), Fails(0))], STAGGER).await;
        assert_eq!(io::Error::from(alone.unwrap_err()).to_string(), "no way to 2001:db8::1");
        let (nobody, calls) = play(&[], STAGGER).await;
        assert_eq!((nobody.unwrap_err().to_string(), calls), ("there is no address".to_owned(), vec![]));
    });
}

/// Cancel safety too: whoever loses, and whoever is given up, is dropped.
#[test]
fn the_calls_that_lose_are_dropped() {
    in_virtual_time(async {
        struct Open<'a>(&'a Cell<usize>);
        impl Drop for Open<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        let open = Cell::new(0);
        let connect = async |address: SocketAddr| {
            open.set(open.get() + 1);
            let call = Open(&open);
            sleep(if address == v4(9) { 10 * MILLISECOND } else { Duration::MAX }).await;
            Ok(call)
        };
        let winner = happy_eyeballs([v4(1), v4(2), v4(9), v4(3)], STAGGER, connect).await.unwrap();
        assert_eq!(open.get(), 1, "the winner alone");
        drop(winner);
        let nobody = happy_eyeballs([v4(1), v4(2), v4(3)], STAGGER, connect);
        assert!(timeout(SECOND, nobody).await.is_err());
        assert_eq!(open.get(), 0);
    });
}
