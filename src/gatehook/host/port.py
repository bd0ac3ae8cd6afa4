"""Where handles find the provider of one entry and kind, whichever generation runs, and the guard around each call.

A port lives as long as its entry. A provider is put in when it has started, and taken out before it stops.
"""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any
from typing import Final
from typing import ParamSpec
from typing import Protocol
from typing import TypeVar

import anyio

from gatehook.host.breaker import Breaker
from gatehook.host.calls import describe
from gatehook.host.calls import is_ours
from gatehook.host.rates import RateBudget
from gatehook.kinds.errors import Category
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.kind import Kind
from gatehook.kinds.streams import Items
from gatehook.orders.access import CallKind

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")

#: What shows that the provider works, whatever it says.
_ANSWERS: Final = frozenset(Category) - {Category.CONNECTION, Category.AMBIGUOUS}


class Owner(Protocol):
    """The entry behind a port, as far as the port must know it."""

    entry_id: str
    plugin_id: str

    def why_down(self) -> str:
        """Say what the entry is doing instead of serving."""

    def redact(self, text: str) -> str:
        """Take secrets out of a text of the plugin's."""

    def provider_raised(self, what: str, error: BaseException) -> None:
        """Take note of an exception that is none of Gatehook's errors."""

    def rate_limited(self, error: RateLimited) -> None:
        """Take note that the venue refused for too many requests."""


class Port:
    """One entry's provider of one kind, guarded."""

    def __init__(self, owner: Owner, kind: Kind, *, timeout: float, now: Callable[[], float]) -> None:
        self.owner = owner
        self.kind = kind
        self.timeout = timeout
        self.breaker = Breaker(now)
        #: Every breaker of the entry's calls of this kind, by what they are for.
        self.breakers: Mapping[str, Breaker] = {"calls": self.breaker}
        #: The budget of the entry's credential.
        self.rates = RateBudget(now)
        self.provider: Any = None
        self.capabilities: Any = None
        self.streams: set[Items[Any]] = set()
        #: How many calls have ended: while it stays, nobody uses the provider.
        self.ended = 0
        self._in_flight = 0
        self._idle: anyio.Event | None = None

    def serve(self, provider: object, capabilities: object) -> None:
        """Let calls through to this provider from now on."""
        self.provider, self.capabilities = provider, capabilities
        for breaker in self.breakers.values():
            breaker.succeeded()

    def withdraw(self) -> None:
        """Refuse calls from now on, and end the streams; calls in flight go on."""
        if self.provider is not None:
            self.provider = None
            self.rates.expel(self)
            error = NotConnected(f"{self.owner.entry_id} stops")
            for items in tuple(self.streams):
                items.end(error)

    async def drained(self) -> None:
        """Wait until no call is in flight."""
        while self._in_flight:
            if self._idle is None:
                self._idle = anyio.Event()
            await self._idle.wait()

    def require(self) -> Any:
        """Return the provider.

        Raises:
            NotConnected: while the entry does not serve.
        """
        if self.provider is None:
            raise NotConnected(f"{self.owner.entry_id} ({self.kind}) is {self.owner.why_down()}")
        return self.provider

    async def call(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Await a provider's method under the entry's deadline and breaker.

        Raises:
            NotConnected: when the breaker is open (nothing was called), or no answer came in time.
            Throttled: when the credential's budget has no room in time; nothing was called.
            ProviderError: what the method raised; any other exception is wrapped in one that names the plugin.
        """
        if not self.breaker.admits():
            raise self.refusal(self.breaker)
        if self.rates.gated:
            await self.admitted()
        self._in_flight += 1
        try:
            with anyio.CancelScope(deadline=anyio.current_time() + self.timeout) as scope:
                result = await function(*args, **kwargs)
                if self.breaker.failures:
                    self.breaker.succeeded()
                if self.rates.refusals:
                    self.rates.passed()
                return result
        except BaseException as error:  # noqa: BLE001  sorted, and always raised again
            self._raise(error, name_of(function))
        finally:
            self.leave()
        assert scope.cancelled_caught, "the block returns, raises, or was cut off at its deadline"
        self.breaker.failed()
        raise NotConnected(f"{self.owner.entry_id}: {name_of(function)} gave no answer within {self.timeout:g} s")

    async def admitted(self, kind: CallKind = CallKind.READ) -> None:
        """Wait for the credential's budget, before something that is no guarded call.

        Raises:
            Throttled: when it has no room in time.
            NotConnected: when the entry stops meanwhile.
        """
        if self.rates.gated:
            await self.rates.acquire(kind, self.timeout, self)

    @contextmanager
    def followed(self, items: Items[Any]) -> Iterator[None]:
        """Take note of how a stream ends."""
        try:
            yield
        finally:
            if isinstance(items.failure, RateLimited):
                self.owner.rate_limited(items.failure)

    def one(self, kind: type[A], what: str, answer: object) -> A:
        """Return what a method answered.

        Raises:
            ProviderError: when it is not of its kind, which counts as an exception of the plugin's own.
        """
        if isinstance(answer, kind):
            return answer
        raise self._mistaken(what, answer, kind.__name__)

    def many(self, kind: type[A], what: str, answer: object) -> Sequence[A]:
        """Return what a method answered, all of one kind.

        Raises:
            ProviderError: see ``one``.
        """
        if isinstance(answer, Sequence) and not isinstance(answer, (str, bytes)):
            found: Sequence[A] = answer
            if all(isinstance(one, kind) for one in found):
                return found
        raise self._mistaken(what, answer, f"a sequence of {kind.__name__}")

    def _mistaken(self, what: str, answer: object, expected: str) -> ProviderError:
        error = TypeError(f"it answered {type(answer).__name__}, not {expected}")
        self.judge(error, what, self.breaker)
        return self.wrapped(error, what)

    def enter(self) -> None:
        """Count a call in; ``leave`` counts it out."""
        self._in_flight += 1

    def leave(self) -> None:
        """Count a call out."""
        self._in_flight -= 1
        self.ended += 1
        if self._idle is not None and not self._in_flight:
            self._idle.set()
            self._idle = None

    def judge(self, error: BaseException, what: str, breaker: Breaker) -> bool:
        """Count a failure where it is one; ``False`` for an exception that is none of Gatehook's errors."""
        if isinstance(error, ProviderError):
            error.message = self.owner.redact(error.message)
            error.args = (error.message, *error.args[1:])
            if isinstance(error, RateLimited):
                self.owner.rate_limited(error)
            if error.category in _ANSWERS:
                breaker.succeeded()
            else:
                breaker.failed()
            return True
        breaker.failed()
        if not isinstance(error, TimeoutError):
            self.owner.provider_raised(what, error)
        return False

    def refusal(self, breaker: Breaker) -> NotConnected:
        """Return the error of a call that an open breaker refuses."""
        return NotConnected(
            f"{self.owner.entry_id} ({self.kind}) failed {breaker.failures} times in a row; "
            f"the next try is in {breaker.rest:.1f} s"
        )

    def _raise(self, error: BaseException, what: str) -> None:
        if is_ours(error) or self.judge(error, what, self.breaker):
            raise error
        if isinstance(error, TimeoutError):
            raise NotConnected(
                f"{self.owner.entry_id}: {what} timed out: {self.owner.redact(describe(error))}"
            ) from error
        raise self.wrapped(error, what) from error

    def wrapped(self, error: BaseException, what: str) -> ProviderError:
        """Return the error that stands for an exception of a plugin's own."""
        owner = self.owner
        said = owner.redact(describe(error))
        return ProviderError(f"{what} of {owner.entry_id} (plugin {owner.plugin_id}) raised {said}")


def name_of(function: Callable[..., object]) -> str:
    """Return a method's name."""
    return getattr(function, "__name__", type(function).__name__)
