"""A boto3 client for this device: its own credentials file, or boto3's usual places.

boto3 is imported here and nowhere else, when a client is first needed. Its own retries are off:
the worker paces attempts for the whole device, and two layers of retries would multiply.
"""

from __future__ import annotations

import logging
import os
import stat
from functools import cache
from pathlib import Path
from typing import Any

from agent.sync.diagnosis import named
from agent.sync.faults import CloudError, Kind
from agent.sync.settings import Settings

CONNECTIONS = 4
CHATTY = ("boto3", "botocore", "urllib3")
"""Loggers that write whole requests, with what signs them, at the level of debugging."""


def make_client(settings: Settings) -> Any:
    """A DynamoDB client with credentials as they are now.

    Raises:
        CloudError: boto3 is not installed, or there are no credentials or no region.
    """
    try:
        import boto3
        import botocore.session
        from botocore.config import Config
    except ImportError:
        raise CloudError(Kind.CREDENTIALS, "boto3 is not installed, so that there is no sync",
                         "install it: pip install 'voice-agent[cloud]'") from None
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    config = Config(connect_timeout=settings.connect_timeout_s,
                    read_timeout=settings.read_timeout_s, retries={"total_max_attempts": 1},
                    max_pool_connections=CONNECTIONS, tcp_keepalive=True)
    try:
        core = botocore.session.Session(profile=_profile(settings))
        core.register_component("data_loader", _loader())
        given = _from_file(settings.credentials, settings.profile) if settings.credentials else {}
        client = boto3.Session(botocore_session=core).client(
            "dynamodb", region_name=settings.region or None,
            endpoint_url=settings.endpoint or None, config=config, **given)
    except CloudError:
        raise
    except Exception as error:
        raise named(error) from None
    return client


@cache
def _loader() -> Any:
    """The service descriptions, parsed once: parsing them stops every other thread for a moment."""
    from botocore.loaders import create_loader
    return create_loader()


def _profile(settings: Settings) -> str | None:
    # With a file of its own, the profile is one of that file.
    return None if settings.credentials else settings.profile or None


def _from_file(path: Path, profile: str) -> dict[str, Any]:
    from botocore.credentials import SharedCredentialProvider
    name = profile or "default"
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise CloudError(Kind.CREDENTIALS, f"cannot read the credentials {path}: {error.strerror}",
                         "put them there, or set sync.credentials") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO) and os.name == "posix":
        raise CloudError(Kind.CREDENTIALS, f"others can read the credentials {path}",
                         f"chmod 600 {path}")
    found = SharedCredentialProvider(creds_filename=str(path), profile_name=name).load()
    if found is None:
        raise CloudError(Kind.CREDENTIALS, f"{path} has no credentials of profile {name}",
                         "it needs aws_access_key_id and aws_secret_access_key")
    frozen = found.get_frozen_credentials()
    return {"aws_access_key_id": frozen.access_key, "aws_secret_access_key": frozen.secret_key,
            "aws_session_token": frozen.token}
