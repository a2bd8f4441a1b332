"""An HTTP/2 server by hyper-h2 that does what the path of each request says. Its address is the only line it prints.

Argument: a file with a certificate and its key. What is not done to a request, because the client has to send it again, is done once
for each path; a path may end in anything that makes it another one.
"""

import contextlib
import socket
import ssl
import sys
import threading

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import RequestReceived, StreamEnded, StreamReset, WindowUpdated

lock = threading.Lock()
seen = set()
# Whether a client has stopped taking an endless reply, and how much of it there was until then.
stuck = {"is": False, "sent": 0}


def first_time(path):
    with lock:
        is_first = path not in seen
        seen.add(path)
        return is_first


class Connection:
    def __init__(self, stream, number):
        self.stream = stream
        self.number = number
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.requests = {}
        self.endless = set()
        self.is_open = True

    def run(self):
        self.h2.initiate_connection()
        self.flush()
        while self.is_open:
            data = self.stream.recv(65536)
            if not data:
                return
            for event in self.h2.receive_data(data):
                if isinstance(event, RequestReceived):
                    self.requests[event.stream_id] = dict(event.headers)
                elif isinstance(event, StreamEnded):
                    self.answer(event.stream_id, self.requests.pop(event.stream_id))
                elif isinstance(event, StreamReset):
                    self.endless.discard(event.stream_id)
                elif isinstance(event, WindowUpdated):
                    self.push()
            self.flush()

    def flush(self):
        if data := self.h2.data_to_send():
            self.stream.sendall(data)

    def head(self, stream, *headers):
        self.h2.send_headers(stream, [(":status", "200"), *headers])

    def say(self, stream, text):
        self.head(stream)
        self.h2.send_data(stream, text.encode(), end_stream=True)

    def push(self):
        for stream in self.endless:
            while size := min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size):
                self.h2.send_data(stream, b"x" * size)
                stuck["sent"] += size
                self.flush()
            stuck["is"] = True

    def answer(self, stream, request):
        path = request[":path"]
        action = path.split("/")[1]
        if action == "ok" or (action in ("refused", "unseen", "unseen-reset") and not first_time(path)):
            self.say(stream, f"{request[':method']} {self.number}")
        elif action == "stuck":
            self.say(stream, str(stuck["sent"]) if stuck["is"] else "")
        elif action == "refused":
            # It was not looked at (RFC 9113, 8.7).
            self.h2.reset_stream(stream, ErrorCodes.REFUSED_STREAM)
        elif action in ("unseen", "unseen-reset"):
            # Neither was this one; nothing else is accepted on this connection.
            code = ErrorCodes.NO_ERROR if action == "unseen" else ErrorCodes.ENHANCE_YOUR_CALM
            self.h2.close_connection(code, last_stream_id=stream - 2 if stream > 1 else 0)
        elif action == "last":
            self.say(stream, f"{request[':method']} {self.number}")
            self.h2.close_connection(last_stream_id=stream)
        elif action == "reset":
            self.h2.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
        elif action == "reset-body":
            self.head(stream)
            self.h2.send_data(stream, b"abc")
            self.h2.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
        elif action == "short":
            self.head(stream, ("content-length", "10"))
            # The library would refuse to do this.
            self.flush()
            frame = b"\x00\x00\x05\x00\x01" + stream.to_bytes(4, "big") + b"short"
            self.stream.sendall(frame)
        elif action in ("close", "close-body"):
            if action == "close-body":
                self.head(stream)
                self.h2.send_data(stream, b"abc")
                self.flush()
            self.is_open = False
        elif action == "garbage":
            self.stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        elif action == "huge-head":
            for number in range(200):
                self.flush()
                block = self.h2.encoder.encode([(":status", "200")] * (number == 0) + [(f"x-{number}", "x" * 16000)], huffman=False)
                kind, flags = (b"\x01", b"\x00") if number == 0 else (b"\x09", b"\x00")
                self.stream.sendall(len(block).to_bytes(3, "big") + kind + flags + stream.to_bytes(4, "big") + block)
        elif action == "half":
            self.head(stream)
            self.h2.send_data(stream, b"abc")
        elif action == "endless":
            self.head(stream)
            self.endless.add(stream)
            self.push()
        elif action == "silent":
            pass


def serve(stream, context, number):
    # A client that goes away is what most of the tests are about.
    with stream, contextlib.suppress(OSError):
        with context.wrap_socket(stream, server_side=True) as secured:
            Connection(secured, number).run()


def main(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2"])
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"127.0.0.1:{listener.getsockname()[1]}", flush=True)
    for number in range(1_000_000):
        stream, _ = listener.accept()
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(stream, context, number), daemon=True).start()


main(*sys.argv[1:])
