"""A publisher's site on this machine that misbehaves on request."""

from __future__ import annotations

import http.server
import time
from dataclasses import dataclass, field


@dataclass
class Site:
    """What the site serves, and how it misbehaves."""

    content: bytes = b""
    cut_after: list[int] = field(default_factory=list)
    """For each coming request, the bytes to send before the connection is closed."""
    statuses: list[int] = field(default_factory=list)
    """For each coming request, an HTTP status to answer with and nothing else."""
    refuses_range: bool = False
    wrong_range: bool = False
    delay: float = 0.0
    requests: list[str | None] = field(default_factory=list)
    """The ``Range`` header of each request so far."""
    url: str = ""


def handler(site: Site) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            site.requests.append(wanted)
            if site.statuses:
                self.send_error(site.statuses.pop(0))
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            if wanted and site.refuses_range:
                wanted, start = None, 0
            if wanted and start >= len(site.content):
                self.send_error(416)
                return
            self._send(start, partial=wanted is not None)

        def _send(self, start: int, partial: bool) -> None:
            body = site.content if site.wrong_range else site.content[start:]
            self.send_response(206 if partial else 200)
            self.send_header("Content-Length", str(len(body)))
            if partial:
                claimed = 0 if site.wrong_range else start
                end = len(site.content) - 1
                self.send_header("Content-Range", f"bytes {claimed}-{end}/{len(site.content)}")
            self.end_headers()
            time.sleep(site.delay)
            self.wfile.write(body[:site.cut_after.pop(0)] if site.cut_after else body)

        def log_message(self, *args: object) -> None:
            pass

    return Handler
