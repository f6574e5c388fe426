"""Finding an address that the site can listen on."""

from __future__ import annotations

import errno
import socket
from typing import Final

from shutong.cli.outcome import RefusedError

_PORTS_TRIED: Final = 50
_LAST_PORT: Final = 65_535


def free_port(host: str, wanted: int) -> int:
    """``wanted`` where nobody listens on it, else the next free one; 0 takes any.

    Raises:
        RefusedError: ``host`` is no address of this machine, or may not be listened on.
    """
    for port in [*range(wanted, min(wanted + _PORTS_TRIED, _LAST_PORT + 1)), 0] if wanted else [0]:
        try:
            return _bound(host, port)
        except OSError as error:
            if port == 0 or error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise RefusedError(
                    f"不能在 {host} 上监听：{error.strerror}。请把 --host 设为本机的地址，如 127.0.0.1 或 0.0.0.0\n"
                    f"cannot listen on {host}: {error.strerror}. Set --host to an address of this machine, such as "
                    "127.0.0.1 or 0.0.0.0"
                ) from error
    raise AssertionError("the last port asked for is any")


def _bound(host: str, port: int) -> int:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        return int(probe.getsockname()[1])


def site_address(host: str, port: int) -> str:
    """Host and port as addresses write them; a version 6 address stands in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
