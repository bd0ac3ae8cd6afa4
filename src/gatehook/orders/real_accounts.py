"""Which entry leads to which real account: one account reached by two entries would be counted and traded twice."""

from __future__ import annotations

from collections.abc import Callable

from gatehook.diagnostics.codes.orders import ACCOUNT_TWICE
from gatehook.diagnostics.records import Diagnostic
from gatehook.kinds.accounts import AccountRef


class RealAccounts:
    """Who came first. An account is real when its broker names its login; it is kept while its entry restarts."""

    def __init__(self, report: Callable[[Diagnostic], None]) -> None:
        """Report an account that two entries lead to, once, to ``report``."""
        self._report = report
        self._holders: dict[tuple[str, str], str] = {}
        self._reported: set[tuple[str, str, str]] = set()

    def other(self, entry_id: str, ref: AccountRef) -> str | None:
        """Return the other entry that leads to the account; where there is none, it is this entry's from now on."""
        if not ref.login:
            return None
        place = ref.server or ref.venue
        holder = self._holders.setdefault((place.casefold(), ref.login), entry_id)
        if holder == entry_id:
            return None
        said = (holder, entry_id, ref.account.account_id)
        if said not in self._reported:
            self._reported.add(said)
            self._report(ACCOUNT_TWICE(entry=entry_id, first=holder, account=ref.account, place=place))
        return holder

    def release(self, entry_id: str) -> None:
        """Forget an entry that has stopped for good: others may have its accounts."""
        self._holders = {key: holder for key, holder in self._holders.items() if holder != entry_id}
        self._reported = {said for said in self._reported if entry_id not in said[:2]}
