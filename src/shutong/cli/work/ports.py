"""Finding a free port."""

from __future__ import annotations

import socket

_PORTS_TRIED = 50


def free_port(host: str, wanted: int) -> int:
    """``wanted`` where it is free, else the next free one; 0 takes any."""
    for port in [*range(wanted, wanted + _PORTS_TRIED), 0] if wanted else [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return 0
