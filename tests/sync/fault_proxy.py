"""A proxy between a device and the table service that makes everything go wrong that can.

It understands just enough HTTP to know where a request and a reply end, so that it can forward a
request and drop the reply (the service has committed, the device does not know). Every byte in
either direction can be kept, to look for what must never travel.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

FATES = ("pass", "drop", "reset", "delay", "throttle", "fail", "cut")
"""What happens to a request: forwarded; forwarded and the reply dropped; the connection reset
before it is forwarded; forwarded late; refused as too fast; answered 500; the reply cut short."""


@dataclass
class Faults:
    """How likely each fate is; the rest passes."""

    drop: float = 0.0
    reset: float = 0.0
    delay: float = 0.0
    throttle: float = 0.0
    fail: float = 0.0
    cut: float = 0.0
    delay_s: float = 0.05
    seed: int = 1
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def fate(self) -> str:
        at = self.chance.random()
        for name in FATES[1:]:
            at -= getattr(self, name)
            if at < 0:
                return name
        return "pass"


class FaultProxy:
    """Listens on a free port of localhost and forwards to the service's port."""

    def __init__(self, upstream: int, faults: Faults | None = None, port: int = 0) -> None:
        self.upstream, self.faults = upstream, faults or Faults()
        self.counts: Counter[str] = Counter()
        self.operations: Counter[str] = Counter()
        self.record = False
        self.wire = bytearray()
        self.lock = threading.Lock()
        self.closed = threading.Event()
        self.port = port
        self.listener: socket.socket | None = None
        self.open()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> int:
        return sum(self.counts.values())

    def open(self) -> None:
        """Begin to listen, at the same port as before."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port, self.listener = listener.getsockname()[1], listener
        self.closed = threading.Event()
        threading.Thread(target=self.accept, args=(listener, self.closed), daemon=True).start()

    def close(self) -> None:
        """As if the network were away: nothing listens, and open connections end."""
        self.closed.set()
        if self.listener:
            with contextlib.suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None

    def accept(self, listener: socket.socket, closed: threading.Event) -> None:
        while not closed.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client, closed), daemon=True).start()

    def serve(self, client: socket.socket, closed: threading.Event) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError), client:
            server: socket.socket | None = None
            try:
                while not closed.is_set():
                    request = read_message(client)
                    if not request or closed.is_set():
                        return
                    server = server or socket.create_connection(("127.0.0.1", self.upstream))
                    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    if not self.handle(request, client, server, closed):
                        return
            finally:
                if server:
                    server.close()

    def handle(self, request: bytes, client: socket.socket, server: socket.socket,
               closed: threading.Event) -> bool:
        """One request; whether the connection goes on."""
        with self.lock:
            fate = self.faults.fate()
            self.counts[fate] += 1
            self.operations[operation(request)] += 1
            if self.record:
                self.wire += request
        if fate == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if fate == "throttle":
            client.sendall(reply(400, "ThrottlingException"))
            return True
        if fate == "fail":
            client.sendall(reply(500, "InternalServerError"))
            return True
        if fate == "delay":
            closed.wait(self.faults.delay_s)
        server.sendall(request)
        answer = read_message(server)
        with self.lock:
            if self.record:
                self.wire += answer
        if fate == "drop" or not answer:
            return False
        if fate == "cut":
            client.sendall(answer[:len(answer) // 2])
            return False
        client.sendall(answer)
        return True


def operation(request: bytes) -> str:
    for line in request.split(b"\r\n", 30):
        if line.lower().startswith(b"x-amz-target:"):
            return line.rpartition(b".")[2].decode()
    return "?"


def reply(status: int, code: str) -> bytes:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}"}).encode()
    return (f"HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def read_message(connection: socket.socket) -> bytes:
    """A request or reply with its body; empty at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        some = connection.recv(65536)
        if not some:
            return b""
        data += some
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    chunks = [body]
    have = len(body)
    while have < length:
        some = connection.recv(65536)
        if not some:
            return b""
        chunks.append(some)
        have += len(some)
    return head + b"\r\n\r\n" + b"".join(chunks)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("upstream", type=int)
    parser.add_argument("--port", type=int, default=0)
    print(FaultProxy(parser.parse_args().upstream, port=parser.parse_args().port).endpoint,
          flush=True)
    while True:
        time.sleep(60)
