//! UDP: messages, whole and one by one.

use crate::{assert_gives_way, in_worlds, on_each_poller};
use futures_lite::future::poll_once;
use netio::net::UdpSocket;
use runtime::future::join;
use std::{io::ErrorKind, net::SocketAddr, pin::pin};

fn bound() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[test]
fn a_message_says_who_sent_it_and_can_be_answered() {
    on_each_poller(async || {
        let ((ours, our_address), (theirs, their_address)) = (bound(), bound());
        let answer = runtime::spawn(async move {
            let mut buffer = [0; 64];
            let (length, sender) = theirs.recv_from(&mut buffer).await.unwrap();
            theirs.send_to(&buffer[..length], sender).await.unwrap();
            sender
        });
        assert_eq!(ours.send_to(b"ping", their_address).await.unwrap(), 4);
        let mut buffer = [0; 64];
        assert_eq!(ours.recv_from(&mut buffer).await.unwrap(), (4, their_address));
        assert_eq!((&buffer[..4], answer.await.unwrap()), (&b"ping"[..], our_address));
    });
}

#[test]
fn messages_are_not_joined_an_empty_one_is_one_and_a_long_one_is_cut() {
    on_each_poller(async || {
        let ((ours, _), (theirs, address)) = (bound(), bound());
        for message in [&b"one"[..], b"", b"a long one", b"two"] {
            assert_eq!(ours.send_to(message, address).await.unwrap(), message.len());
        }
        let mut buffer = [0; 6];
        for heard in [&b"one"[..], b"", b"a long", b"two"] {
            let length = theirs.recv(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..length], heard);
        }
    });
}

#[test]
fn a_peeked_message_is_still_there_whole() {
    on_each_poller(async || {
        let ((ours, our_address), (theirs, address)) = (bound(), bound());
        let mut seen = [0; 2];
        let (peeked, sent) = join(theirs.peek_from(&mut seen), ours.send_to(b"hello", address)).await;
        assert_eq!((peeked.unwrap(), sent.unwrap(), &seen), ((2, our_address), 5, b"he"));
        assert_eq!(theirs.recv(&mut [0; 8]).await.unwrap(), 5);
    });
}

#[test]
fn a_connected_socket_hears_its_peer_alone() {
    on_each_poller(async || {
        let ((ours, our_address), (theirs, their_address), (other, _)) = (bound(), bound(), bound());
        assert_eq!(ours.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
        assert!(ours.send(b"to whom?").await.is_err());
        ours.connect(their_address).unwrap();
        assert_eq!(ours.peer_addr().unwrap(), their_address);
        other.send_to(b"psst", our_address).await.unwrap();
        theirs.send_to(b"hello", our_address).await.unwrap();
        let mut buffer = [0; 8];
        assert_eq!(ours.recv_from(&mut buffer).await.unwrap(), (5, their_address));
        ours.send(b"well?").await.unwrap();
        assert_eq!(theirs.recv(&mut buffer).await.unwrap(), 5);
    });
}

#[test]
fn a_peer_that_vanished_is_told_once_and_the_socket_goes_on() {
    on_each_poller(async || {
        let ((ours, our_address), (theirs, their_address)) = (bound(), bound());
        ours.connect(their_address).unwrap();
        drop(theirs);
        ours.send(b"anybody?").await.unwrap();
        assert_eq!(ours.recv(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);

        let again = UdpSocket::bind(their_address).unwrap(); // its port was given back
        again.send_to(b"here", our_address).await.unwrap();
        assert_eq!(ours.recv(&mut [0; 8]).await.unwrap(), 4);
    });
}

/// Cancel safety.
#[test]
fn a_dropped_wait_takes_no_message_with_it() {
    on_each_poller(async || {
        let ((ours, _), (theirs, address)) = (bound(), bound());
        let mut buffer = [0; 8];
        for n in 0..3 {
            assert!(poll_once(pin!(theirs.recv(&mut buffer))).await.is_none());
            assert!(poll_once(pin!(theirs.peek_from(&mut buffer))).await.is_none());
            ours.send_to(&[n], address).await.unwrap();
            assert_eq!((theirs.recv(&mut buffer).await.unwrap(), buffer[0]), (1, n));
        }
    });
}

#[test]
fn an_error_says_what_was_done_to_which_address() {
    on_each_poller(async || {
        let (ours, address) = bound();
        let taken = UdpSocket::bind(address).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
        assert!(taken.to_string().starts_with(&format!("cannot bind a UDP socket to {address}: ")), "{taken}");
        let long = ours.send_to(&[0; 70_000], address).await.unwrap_err();
        assert!(long.to_string().starts_with(&format!("cannot send 70000 bytes to {address}: ")), "{long}");
        let other = ours.connect("[::1]:9").unwrap_err();
        assert!(other.to_string().starts_with("cannot connect a UDP socket to [::1]:9: "), "{other}");
    });
}

#[test]
fn options_are_what_they_were_set_to() {
    on_each_poller(async || {
        let (socket, _) = bound();
        assert!(!socket.broadcast().unwrap());
        socket.set_broadcast(true).unwrap();
        assert!(socket.broadcast().unwrap());
        socket.set_ttl(3).unwrap();
        assert_eq!(socket.ttl().unwrap(), 3);
        assert_eq!(socket.set_ttl(300).unwrap_err().kind(), ErrorKind::InvalidInput);
        socket.set_receive_buffer(100_000).unwrap();
        assert!([100_000, 200_000].contains(&rustix::net::sockopt::socket_recv_buffer_size(&socket).unwrap()));
    });
}

#[test]
fn a_socket_that_is_always_ready_lets_others_run() {
    on_each_poller(async || {
        let (socket, address) = bound();
        assert_gives_way(async || {
            socket.send_to(b"x", address).await.unwrap();
            socket.recv(&mut [0]).await.unwrap();
        })
        .await;
    });
}

#[test]
fn in_a_world_there_are_none_and_the_error_says_so() {
    in_worlds(async || {
        let error = UdpSocket::bind("127.0.0.1:0").unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::Unsupported, "a simulated world has no UDP sockets")
        );
    });
}
