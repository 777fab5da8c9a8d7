//! Connecting, listening, and their options.

use crate::{in_virtual_time, in_worlds, on_each_poller, run};
use futures_lite::{AsyncReadExt, future::poll_once};
use netio::net::{ConnectError, Connector, ListenOptions, Resolver, STAGGER, TcpListener, TcpOptions, TcpStream};
use runtime::{future::join, time::Instant, world};
use std::{
    future::pending,
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
    pin::pin,
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

fn v6(last: u8) -> SocketAddr {
    format!("[2001:db8::{last}]:80").parse().unwrap()
}

fn v4(last: u8) -> SocketAddr {
    ([192, 0, 2, last], 80).into()
}

#[test]
fn a_host_that_is_silent_by_one_family_is_reached_by_the_other() {
    in_worlds(async || {
        let world = world::current().unwrap();
        let (old, new) = (TcpListener::bind(v4(1)).unwrap(), TcpListener::bind(v6(1)).unwrap());
        world.set_name("shop.example", [v6(1).ip(), v4(1).ip()]);
        world.silence(v6(1));
        let start = Instant::now();
        let (called, accepted) = join(TcpStream::connect("shop.example:80"), old.accept()).await;
        let (called, accepted) = (called.unwrap(), accepted.unwrap());
        assert_eq!(called.peer_addr().unwrap(), v4(1));
        assert!((STAGGER..2 * STAGGER).contains(&start.elapsed()), "{:?}", start.elapsed());
        assert_eq!(world.open_sockets(), 2 + 2, "the call that lost is closed");
        drop((old, new, called, accepted));
        assert_eq!(world.open_sockets(), 0);
    });
}

#[test]
fn a_connection_has_a_time_limit_and_the_error_says_what_was_tried() {
    in_worlds(async || {
        let world = world::current().unwrap();
        let silent = TcpListener::bind(v4(1)).unwrap();
        world.silence(v4(1));
        world.set_name("shop.example", [v6(1).ip(), v4(1).ip()]); // nobody listens by IPv6
        let start = Instant::now();
        let error = Connector::new().timeout(3 * SECOND).connect("shop.example:80").await.unwrap_err();
        assert_eq!(start.elapsed(), 3 * SECOND);
        assert_eq!(
            error.to_string(),
            "cannot connect to shop.example:80 within 3s ([2001:db8::1]:80: Connection refused (os error 111))"
        );
        let ConnectError::Timeout { failures, .. } = &error else { panic!("{error:?}") };
        assert_eq!(failures.len(), 1);
        assert_eq!(io::Error::from(error).kind(), ErrorKind::TimedOut);
        assert_eq!(world.open_sockets(), 1, "the call is closed");

        let error = Connector::new().timeout(SECOND).connect(v4(1)).await.unwrap_err();
        assert_eq!(error.to_string(), "cannot connect to 192.0.2.1:80 within 1s");
        drop(silent);
    });
}

/// The lookup is part of it.
#[test]
fn the_time_limit_holds_for_a_name_server_that_does_not_answer() {
    in_virtual_time(async {
        let connector = Connector::new().timeout(SECOND).resolver(Resolver::with(async |_: String| pending().await));
        let error = connector.connect("shop.example:80").await.unwrap_err();
        assert_eq!(error.to_string(), "cannot connect to shop.example:80 within 1s");
    });
}

#[test]
fn a_call_that_is_given_up_is_closed() {
    in_worlds(async || {
        let world = world::current().unwrap();
        let listener = TcpListener::bind(v4(1)).unwrap();
        world.silence(v4(1));
        {
            let mut call = pin!(TcpStream::connect(v4(1)));
            assert!(poll_once(call.as_mut()).await.is_none());
            assert_eq!(world.open_sockets(), 2);
        }
        assert_eq!(world.open_sockets(), 1);
        drop(listener);
    });
}

#[test]
fn every_address_that_refuses_is_named() {
    run(async || {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = Connector::new().connect(free).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot connect to {free}: Connection refused")), "{error}");

        let both =
            Resolver::with(async |_: String| Ok(vec![IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2])]));
        let error = Connector::new().resolver(both).connect(("shop.example", free.port())).await.unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(&format!("cannot connect to shop.example:{}: 127.0.0.1:", free.port())), "{text}");
        assert!(text.contains(&format!("; 127.0.0.2:{}: Connection refused", free.port())), "{text}");
        assert_eq!(io::Error::from(error).kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_connector_remembers_names_if_it_has_a_resolver() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let resolver = Resolver::with(async |_: String| Ok(vec![IpAddr::from([127, 0, 0, 1])]));
        let connector = Connector::new().resolver(resolver.clone());
        let port = listener.local_addr().unwrap().port();
        for _ in 0..3 {
            let call = runtime::spawn({
                let connector = connector.clone();
                async move { connector.connect(("shop.example", port)).await }
            });
            let (called, accepted) = join(call, listener.accept()).await;
            assert_eq!(called.unwrap().unwrap().local_addr().unwrap(), accepted.unwrap().1);
        }
        assert_eq!((resolver.stats().lookups, resolver.stats().hits), (1, 2));
    });
}

#[cfg(target_os = "linux")] // elsewhere, only one of the loopback addresses is there
#[test]
fn a_call_comes_from_the_address_that_it_was_told() {
    run(async || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let simulated = world::current().is_some();
        // In a world, who calls a loopback address is at home there.
        let from = if simulated { "127.0.0.1:0" } else { "127.0.0.2:0" };
        let (called, accepted) =
            join(Connector::new().local_address(from.parse().unwrap()).connect(address), listener.accept()).await;
        let (local, (_, caller)) = (called.unwrap().local_addr().unwrap(), accepted.unwrap());
        assert_eq!(local, caller);
        assert_eq!(SocketAddr::new(local.ip(), 0), from.parse().unwrap());

        // Of the other family, or a port that is taken: it says so.
        let other = Connector::new().local_address("[::1]:0".parse().unwrap()).connect(address).await;
        let taken = Connector::new().local_address(address).connect(address).await.unwrap_err();
        if !simulated {
            let other = other.unwrap_err().to_string();
            assert!(other.starts_with(&format!("cannot connect to {address}: cannot call from [::1]:0: ")), "{other}");
        }
        assert!(taken.to_string().starts_with(&format!("cannot connect to {address}: cannot call from {address}: ")));
    });
}

/// After a connection that was closed from here, its port fades for a minute.
#[cfg(target_os = "linux")]
#[test]
fn a_local_port_that_fades_is_taken_if_that_is_asked_for() {
    on_each_poller(async || {
        let listeners = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
        let [first, second] = [0, 1].map(|n: usize| listeners[n].local_addr().unwrap());
        let from_any = Connector::new().local_address("127.0.0.1:0".parse().unwrap()).reuse_address(true);
        let (called, accepted) = join(from_any.connect(first), listeners[0].accept()).await;
        let (called, (mut accepted, _)) = (called.unwrap(), accepted.unwrap());
        let local = called.local_addr().unwrap();
        drop(called);
        assert_eq!(accepted.read(&mut [0; 8]).await.unwrap(), 0);
        drop(accepted);

        let connector = Connector::new().local_address(local);
        let refused = connector.connect(second).await.unwrap_err();
        assert_eq!(io::Error::from(refused).kind(), ErrorKind::AddrInUse);
        let stream = connector.reuse_address(true).connect(second).await.unwrap();
        assert_eq!(stream.local_addr().unwrap(), local);
    });
}

#[test]
fn in_a_world_a_local_address_is_a_host() {
    in_worlds(async || {
        let listener = TcpListener::bind(v4(1)).unwrap();
        let connector = Connector::new().local_address((v4(7).ip(), 0).into());
        let (called, accepted) = join(connector.connect(v4(1)), listener.accept()).await;
        assert_eq!((called.unwrap().local_addr().unwrap().ip(), accepted.unwrap().1.ip()), (v4(7).ip(), v4(7).ip()));
    });
}

#[test]
fn several_may_listen_at_one_port_if_all_want_it() {
    on_each_poller(async || {
        let shared = ListenOptions::new().reuse_port(true);
        let one = shared.bind("127.0.0.1:0").unwrap();
        let address = one.local_addr().unwrap();
        let other = shared.bind(address).unwrap();
        assert_eq!(TcpListener::bind(address).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(one);
        let (called, accepted) = join(TcpStream::connect(address), other.accept()).await;
        assert_eq!(called.unwrap().local_addr().unwrap(), accepted.unwrap().1);
    });
}

#[test]
fn options_are_set_on_both_ends_and_do_no_harm() {
    run(async || {
        let options = TcpOptions::new().nodelay(true).keepalive(SECOND).send_buffer(64 << 10).receive_buffer(64 << 10);
        let listener = ListenOptions::new().options(options.clone()).backlog(1).bind("127.0.0.1:0").unwrap();
        let connector = Connector::new().options(options.clone());
        let (called, accepted) = join(connector.connect(listener.local_addr().unwrap()), listener.accept()).await;
        let (mut called, (accepted, _)) = (called.unwrap(), accepted.unwrap());
        accepted.set_options(&options).unwrap();
        drop(accepted);
        assert_eq!(called.read(&mut [0; 8]).await.unwrap(), 0);
    });
}
