"""What a selector reports of one socket: the selectors of Python are level-triggered."""

import selectors
import socket

# ANCHOR: selector
near, far = socket.socketpair()
near.setblocking(False)
selector = selectors.DefaultSelector()
selector.register(near, selectors.EVENT_READ, data="near")


def select(what):
    names = [key.data for key, _ in selector.select(timeout=0)]
    print(f"{what}: {names}")


select("nothing has come")
far.send(b"four")
select("four bytes have come")
select("nobody has read them")
print("read:", near.recv(2))
select("two are left")
print("read:", near.recv(2))
select("all are read")
# ANCHOR_END: selector

selector.close()
near.close()
far.close()
