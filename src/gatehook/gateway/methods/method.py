"""One method of the control socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Awaitable
from collections.abc import Callable
from typing import Any

import attrs

from gatehook.gateway.params import Params


@attrs.frozen
class Method:
    """Answers a request with one JSON value, within ``timeout`` seconds."""

    call: Callable[[Params], Awaitable[Any]]
    timeout: float = 10.0


@attrs.frozen
class Stream:
    """Answers a request with JSON values, until it ends or the client goes."""

    items: Callable[[Params], AsyncIterator[Any]]


Methods = dict[str, Method | Stream]
