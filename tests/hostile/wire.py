"""The venue's trading port by hand: what no honest plugin would send."""

from __future__ import annotations

import json
import socket
import time

ORDER = {"type": "limit", "side": "buy", "quantity": "2000", "price": "1.05000", "trigger": None, "tif": "gtc"}
ORDER |= {"post_only": False, "reduce_only": False, "position": None}


def ask(process, do, **request):
    """Ask once; return the answer, ``None`` where there was none."""
    with socket.create_connection(("127.0.0.1", process.port), timeout=10) as wire, wire.makefile("rw") as file:
        file.write(json.dumps({"do": do, "time": time.time_ns() // 1_000_000, **request}) + "\n")
        file.flush()
        try:
            line = file.readline()
        except ConnectionError:
            return None
        return json.loads(line) if line else None


def submit(process, client, **changes):
    """Submit an order to the main account."""
    return ask(process, "submit", account="main", order=ORDER | {"client": client} | changes)
