"""Told by the kernel when links, addresses or routes change: no polling, no packet.

A netlink socket (``man 7 rtnetlink``) costs nothing while nothing changes and needs no rights.
Where there is none, attempts follow the backoff alone.
"""

from __future__ import annotations

import contextlib
import logging
import socket

log = logging.getLogger(__name__)

LINK, IPV4_ADDRESS, IPV4_ROUTE, IPV6_ADDRESS, IPV6_ROUTE = 0x1, 0x10, 0x40, 0x100, 0x400
"""RTMGRP_* of <linux/rtnetlink.h>."""
GROUPS = LINK | IPV4_ADDRESS | IPV4_ROUTE | IPV6_ADDRESS | IPV6_ROUTE


class NetworkWatch:
    """A socket that can be waited on; None of it where the system has no netlink."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        try:
            made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC,
                                 socket.NETLINK_ROUTE)
            made.setblocking(False)
            made.bind((0, GROUPS))
            self.socket = made
        except (AttributeError, OSError) as error:
            log.info("no news of the network: %s", error)

    def clear(self) -> bool:
        """Read away what has been told; whether there was anything."""
        told = False
        if self.socket:
            # An overrun (ENOBUFS) means that there was more than fits: news all the same.
            with contextlib.suppress(BlockingIOError):
                while True:
                    try:
                        self.socket.recv(65536)
                    except BlockingIOError:
                        raise
                    except OSError:
                        return True
                    told = True
        return told

    def close(self) -> None:
        """Close the socket."""
        if self.socket:
            self.socket.close()
            self.socket = None
