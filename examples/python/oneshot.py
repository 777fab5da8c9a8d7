"""One socket, asked for in three ways: what epoll reports while four bytes lie unread. (Linux only, as epoll is.)"""

import select
import socket

# ANCHOR: oneshot
WAYS = {
    "level-triggered": select.EPOLLIN,
    "edge-triggered": select.EPOLLIN | select.EPOLLET,
    "one-shot": select.EPOLLIN | select.EPOLLONESHOT,
}

for name, way in WAYS.items():
    near, far = socket.socketpair()
    with select.epoll() as epoll, near, far:
        epoll.register(near, way)
        heard = []

        def ask(what):
            if epoll.poll(timeout=0):
                heard.append(what)

        far.send(b"four")
        ask("the first bytes")
        ask("they are still there")
        far.send(b"more")
        ask("more bytes")
        epoll.modify(near, way)
        ask("asked anew")
        print(f"{name}: {', '.join(heard)}")
# ANCHOR_END: oneshot
