"""Who may use the table service for tests: request signatures, checked as AWS documents them."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.sync.table_expressions import ServiceError

SKEW_S = 300.0


class Gate:
    """Who may use the service: keys with their secrets, checked as AWS documents it (SigV4)."""

    def __init__(self, region: str = "local") -> None:
        self.region = region
        self.secrets = {"AKIDTEST": "secret"}
        self.expired: set[str] = set()
        self.refused: set[str] = set()
        self.leading: str | None = None
        """The only partition key that is allowed (``dynamodb:LeadingKeys``)."""
        self.now: Callable[[], float] = time.time

    def check(self, headers: Any, method: str, path: str, body: bytes) -> None:
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
            r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})", headers.get("Authorization", ""))
        if not found:
            raise ServiceError("MissingAuthenticationTokenException",
                               "Request is missing Authentication Token")
        key, day, region, service, signed, signature = found.groups()
        if key not in self.secrets:
            raise ServiceError("UnrecognizedClientException",
                               "The security token included in the request is invalid.")
        if key in self.expired:
            raise ServiceError("ExpiredTokenException",
                               "The security token included in the request is expired")
        if region != self.region or service != "dynamodb":
            raise ServiceError("InvalidSignatureException", "Credential should be scoped to a "
                               f"valid region, not '{region}'.")
        stamp = headers.get("X-Amz-Date", "")
        when = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        if when < self.now() - SKEW_S:
            raise ServiceError("InvalidSignatureException", f"Signature expired: {stamp} is now "
                               "earlier than the request's limit")
        if when > self.now() + SKEW_S:
            raise ServiceError("InvalidSignatureException", f"Signature not yet current: {stamp} "
                               "is still later than the request's limit")
        names = signed.split(";")
        canonical = "\n".join([method, path, "", *[
            f"{name}:{' '.join(headers.get(name, '').split())}" for name in names], "", signed,
            hashlib.sha256(body).hexdigest()])
        scope = f"{day}/{region}/{service}/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                          hashlib.sha256(canonical.encode()).hexdigest()])
        secret = f"AWS4{self.secrets[key]}".encode()
        for part in (day, region, service, "aws4_request"):
            secret = hmac.digest(secret, part.encode(), "sha256")
        if not hmac.compare_digest(hmac.digest(secret, text.encode(), "sha256").hex(), signature):
            raise ServiceError("InvalidSignatureException", "The request signature we calculated "
                               "does not match the signature you provided.")
        if key in self.refused:
            raise ServiceError("AccessDeniedException", "User is not authorized to perform this")
