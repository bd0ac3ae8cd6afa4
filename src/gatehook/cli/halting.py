"""A halt from the command line: on disk, then in the gateway, then what works at the venues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from gatehook.cli.failures import RemoteFailure
from gatehook.cli.failures import problem_of
from gatehook.cli.failures import problem_text
from gatehook.cli.recording import person
from gatehook.cli.recording import recording
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import cli as codes

if TYPE_CHECKING:
    from gatehook.cli.client import Client
    from gatehook.config import Config
    from gatehook.guard.halt import Halt

#: How many seconds a gateway gets to answer: one that is stuck must not hold up a halt.
_PATIENCE: Final = 3.0
_SWEEP: Final = 130.0
_NOTHING_SWEPT: Final = "nothing was canceled or closed: there is no gateway that could do it"


class Halting:
    """One halt, or the end of one.

    Attributes:
        problems: what went wrong, in words; the halt goes on all the same.
        alone: whether there is no gateway, or none that answers.
    """

    def __init__(self, config: Config, client: Client) -> None:
        self._config = config
        self._client = client
        self.problems: list[str] = []
        self.alone = False

    def halt(self, scopes: tuple[str, ...], reason: str) -> Mapping[str, Any]:
        """Halt; return what is halted and which orders may still open risk."""
        from gatehook.audit.kinds import HALTED

        latch = self._latch()
        for scope in scopes:
            problem = latch.halt(scope, reason=reason, by=person())
            if problem is not None:
                self.problems.append(problem)
        state = self._ask("halt.set", {"scopes": list(scopes), "reason": reason})
        if self.alone:
            self._audit(HALTED, scopes=list(scopes), reason=reason)
        return self._offline(scopes) if state is None else state

    def look(self, scopes: tuple[str, ...]) -> Mapping[str, Any]:
        """Return what is halted, and which orders of some scopes may open risk; nothing is changed."""
        state = self._ask("halt.list", {"scopes": list(scopes)})
        return self._offline(scopes) if state is None else state

    def resume(self, scope: str, reason: str) -> Mapping[str, Any]:
        """Lift a halt, and return what is still halted. A gateway that does not answer is an error.

        Raises:
            GatehookError: when it is not halted, cannot be written, or the gateway does not answer.
            RemoteFailure: when the gateway refuses.
        """
        from gatehook.audit.kinds import RESUMED

        if self._client.is_running():
            answer: Mapping[str, Any] = self._client.call("halt.clear", {"scope": scope, "reason": reason})
            return answer
        self.alone = True
        self._latch().resume(scope, by=person())
        self._audit(RESUMED, scope=scope, reason=reason)
        return self._offline(())

    def sweep(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Cancel and close; return what was done, left and not done."""
        answer = None if self.alone else self._ask("halt.sweep", params, timeout=_SWEEP)
        if answer is None:
            return {"canceled": [], "closed": [], "left": [], "failed": [_NOTHING_SWEPT]}
        return {name: answer[name] for name in ("canceled", "closed", "left", "failed")}

    def _ask(self, method: str, params: Mapping[str, Any], timeout: float = _PATIENCE) -> Mapping[str, Any] | None:
        """Ask the gateway; ``None`` when there is none or it does not do it, which is a problem where it should."""
        try:
            answer: Mapping[str, Any] = self._client.call(method, params, timeout=timeout)
        except RemoteFailure as failure:
            self.problems.append(problem_text(failure.error))
        except GatehookError as error:
            self.alone = True
            if error.diagnostics[0].code != codes.NO_GATEWAY.id:
                self.problems.append(problem_text(problem_of(error.diagnostics[0])))
        else:
            return answer
        return None

    def _latch(self) -> Halt:
        from gatehook.guard.halt import FILE_NAME
        from gatehook.guard.halt import Halt

        return Halt(self._config.gateway.data_dir / FILE_NAME)

    def _audit(self, kind: str, **subject: Any) -> None:
        try:
            with recording(self._config, kind, **subject):
                pass  # it is done already: a halt does not wait for the audit
        except GatehookError as error:
            self.problems.append(f"it is not in the audit: {error}")

    def _offline(self, scopes: tuple[str, ...]) -> Mapping[str, Any]:
        from gatehook.cli.offline import open_orders
        from gatehook.gateway.halting import halt_state

        records = self._latch().records
        try:
            orders = open_orders(self._config.gateway.data_dir)
        except GatehookError as error:
            self.problems.append(f"which orders work is not known: {error}")
            orders = []
        return halt_state(records, orders, scopes or tuple(record.scope for record in records))
