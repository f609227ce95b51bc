"""A table service for tests: the part of DynamoDB's HTTP interface that sync uses, in memory.

It is written from the public documentation of the API and keeps its rules: all-or-none
transactions of up to 100 actions, conditions judged before anything is done, old items in the
reasons of a cancellation, idempotency by client request token (and the mismatch error), pages of
a query, size limits, and signatures checked against a clock. It is not the service, and what it
passes proves only that the code keeps to the documented rules.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.sync.table_expressions import ServiceError
from tests.sync.table_gate import Gate
from tests.sync.table_service import Service


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: TableServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        time.sleep(self.server.delay_s)
        try:
            self.server.gate.check(self.headers, "POST", self.path, body)
            target = self.headers.get("X-Amz-Target", "")
            answer = self.server.service.call(target.rpartition(".")[2], json.loads(body))
            self.reply(200, answer)
        except ServiceError as error:
            self.reply(error.status, {
                "__type": f"com.amazonaws.dynamodb.v20120810#{error.code}",
                "message": error.message, **error.more})

    def reply(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response_only(status)
        self.send_header("Date", formatdate(self.server.gate.now(), usegmt=True))
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


class TableServer(ThreadingHTTPServer):
    """The service on a free port of localhost."""

    daemon_threads = True
    disable_nagle_algorithm = True
    request_queue_size = 64
    delay_s = 0.0

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.service, self.gate = Service(), Gate()

    def handle_error(self, *args: Any) -> None:
        """A client that hangs up is nothing to report."""

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> TableServer:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before an answer")
    parser.add_argument("--refuse", action="store_true", help="allow nothing")
    parser.add_argument("--expire", action="store_true", help="the key has expired")
    parser.add_argument("--ahead", type=float, default=0.0, help="seconds the clock is ahead")
    parser.add_argument("--region", default="local")
    given = parser.parse_args()
    here = TableServer(given.port)
    here.delay_s, here.gate.region = given.delay, given.region
    here.gate.refused |= {"AKIDTEST"} if given.refuse else set()
    here.gate.expired |= {"AKIDTEST"} if given.expire else set()
    here.gate.now = lambda: time.time() + given.ahead
    print(f"listening at {here.endpoint} (key AKIDTEST, secret secret, region local)", flush=True)
    here.serve_forever()
