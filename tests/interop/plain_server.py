"""Python's own http.server, in HTTP/1.0 as it is: says where it is, and serves until its standard input ends."""

import http.server
import os
import sys
import threading

LARGE = bytes(n % 251 for n in range(3_000_000))
PAGES = {"/hello": b"hello", "/stream": b"one two three", "/large": LARGE, "/closes": b"hello"}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/hello")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(PAGES[self.path])

    def do_POST(self):
        # It knows no chunks: a body has to have a length.
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def end():
    sys.stdin.read()
    os._exit(0)


class Server(http.server.ThreadingHTTPServer):
    # Five by default: of a hundred callers at once most would wait for the system to try again.
    request_queue_size = 200


server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
threading.Thread(target=end).start()
server.serve_forever()
