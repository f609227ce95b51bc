"""What boto3 and the service say, as a ``CloudError`` that says what to do about it."""

from __future__ import annotations

from typing import Any

from agent.sync.faults import CloudError, Kind

_CODES = {
    "ProvisionedThroughputExceededException": Kind.THROTTLED,
    "ProvisionedThroughputExceeded": Kind.THROTTLED,
    "ThrottlingException": Kind.THROTTLED,
    "ThrottlingError": Kind.THROTTLED,
    "RequestLimitExceeded": Kind.THROTTLED,
    "LimitExceededException": Kind.THROTTLED,
    "ExpiredTokenException": Kind.EXPIRED,
    "ExpiredToken": Kind.EXPIRED,
    "UnrecognizedClientException": Kind.CREDENTIALS,
    "InvalidClientTokenId": Kind.CREDENTIALS,
    "MissingAuthenticationToken": Kind.CREDENTIALS,
    "MissingAuthenticationTokenException": Kind.CREDENTIALS,
    "IncompleteSignature": Kind.CREDENTIALS,
    "IncompleteSignatureException": Kind.CREDENTIALS,
    "InvalidSignatureException": Kind.CREDENTIALS,
    "SignatureDoesNotMatch": Kind.CREDENTIALS,
    "RequestTimeTooSkewed": Kind.CLOCK,
    "RequestExpired": Kind.CLOCK,
    "AccessDeniedException": Kind.REFUSED,
    "AccessDenied": Kind.REFUSED,
    "ResourceNotFoundException": Kind.TABLES,
    "ValidationException": Kind.INVALID,
    "ValidationError": Kind.INVALID,
    "ItemCollectionSizeLimitExceeded": Kind.INVALID,
    "IdempotentParameterMismatchException": Kind.INVALID,
    "SerializationException": Kind.INVALID,
    "TransactionInProgressException": Kind.CONFLICT,
    "TransactionConflictException": Kind.CONFLICT,
    "TransactionConflict": Kind.CONFLICT,
    "InternalServerError": Kind.SERVICE,
    "ServiceUnavailable": Kind.SERVICE,
}
"""Error codes of DynamoDB and of request signing (DynamoDB developer guide, «Error handling»;
IAM user guide, «Troubleshoot Signature Version 4»)."""

_RAISED = {
    "ReadTimeoutError": Kind.SLOW,
    "ConnectTimeoutError": Kind.UNREACHABLE,
    "EndpointConnectionError": Kind.UNREACHABLE,
    "ConnectionClosedError": Kind.UNREACHABLE,
    "ConnectionError": Kind.UNREACHABLE,
    "ProxyConnectionError": Kind.UNREACHABLE,
    "SSLError": Kind.UNREACHABLE,
    "HTTPClientError": Kind.UNREACHABLE,
    "ResponseStreamingError": Kind.UNREACHABLE,
    "ResponseParserError": Kind.SERVICE,
    "NoCredentialsError": Kind.CREDENTIALS,
    "PartialCredentialsError": Kind.CREDENTIALS,
    "CredentialRetrievalError": Kind.CREDENTIALS,
    "ProfileNotFound": Kind.CREDENTIALS,
    "ConfigParseError": Kind.CREDENTIALS,
    "ConfigNotFound": Kind.CREDENTIALS,
    "TokenRetrievalError": Kind.EXPIRED,
    "UnauthorizedSSOTokenError": Kind.EXPIRED,
    "NoRegionError": Kind.REGION,
    "InvalidRegionError": Kind.REGION,
    "ParamValidationError": Kind.INVALID,
    "InvalidEndpointConfigurationError": Kind.REGION,
}
"""Names of botocore's own exceptions (``botocore.exceptions``); the base class counts too."""

_SENTENCES = {
    Kind.UNREACHABLE: ("the cloud table cannot be reached",
                       "nothing needs to be done if the network is away; else look at "
                       "sync.endpoint and sync.region"),
    Kind.SLOW: ("the cloud table does not answer in time", "it is tried again"),
    Kind.THROTTLED: ("the cloud table asks for fewer requests", "it is tried again, later"),
    Kind.SERVICE: ("the cloud service failed", "it is tried again"),
    Kind.CREDENTIALS: ("the cloud does not take this device's credentials",
                       "put this device's key into sync.credentials (or boto3's usual places)"),
    Kind.EXPIRED: ("this device's cloud credentials have expired",
                   "renew them; they are read again without a restart"),
    Kind.REFUSED: ("this device's credentials do not allow it to use the household's rows",
                   "attach the household's policy to them; see docs/cloud.md"),
    Kind.REGION: ("the credentials or tables belong to another region", "set sync.region"),
    Kind.CLOCK: ("this device's clock is too far off for the cloud",
                 "set the clock (`timedatectl set-ntp true`); sync goes on by itself"),
    Kind.TABLES: ("the cloud has no such tables, or they are not as they must be",
                  "`voice-agent cloud setup` makes them; sync.tables and sync.region name them"),
    Kind.HOUSEHOLD: ("this device is in no household",
                     "`voice-agent household invite` on another device, then `join` here"),
    Kind.STORE: ("the context store cannot be used", "`voice-agent doctor` says why"),
    Kind.INVALID: ("the cloud table calls a request wrong", "it is set aside"),
    Kind.CONFLICT: ("another device is writing the same rows", "it is tried again"),
    Kind.UNKNOWN: ("sync with the cloud failed", "it is tried again"),
}


def fault(kind: Kind, detail: str = "") -> CloudError:
    """The error for a kind of trouble; ``detail`` is a code, never content."""
    what, mend = _SENTENCES[kind]
    return CloudError(kind, f"{what} ({detail})" if detail else what, mend)


def named(error: Exception) -> CloudError:
    """What an exception of boto3 means."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, dict) and "Error" in response:
        return _of_response(response)
    for base in type(error).__mro__:
        if base.__name__ in _RAISED:
            return fault(_RAISED[base.__name__], type(error).__name__)
    return fault(Kind.UNKNOWN, type(error).__name__)


def _of_response(response: dict[str, Any]) -> CloudError:
    code = str(response["Error"].get("Code", ""))
    message = str(response["Error"].get("Message", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    kind = _CODES.get(code)
    if code in ("InvalidSignatureException", "SignatureDoesNotMatch"):
        kind = _of_signature(message)
    elif code == "ValidationException" and "does not match the schema" in message:
        kind = Kind.TABLES
    if code.isdigit():
        kind = Kind.SERVICE  # no code, but the status: the answer was cut short
    if kind is None:
        kind = (Kind.REFUSED if status in (401, 403) else Kind.SERVICE if status >= 500
                else Kind.THROTTLED if status == 429 else Kind.UNKNOWN)
    return fault(kind, code[:60] if code.isalpha() else f"HTTP {status}")


def _of_signature(message: str) -> Kind:
    if "Signature expired" in message or "Signature not yet current" in message:
        return Kind.CLOCK
    if "valid region" in message or "scoped to" in message:
        return Kind.REGION
    return Kind.CREDENTIALS
