"""The accounts behind the server, and which of them answer in the present session.

The server keeps a connection to each account per session: the first call after a new session deploys the account and
waits until its terminal is synchronized, which may take minutes. That call is made here, in the background; until it
has answered nothing else is sent to the account.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

import anyio
import attrs

from gatehook import AccountKey
from gatehook import AccountRef
from gatehook import Mode
from gatehook import NotConnected
from gatehook import PluginContext
from gatehook import PositionMode
from gatehook import ProviderError
from gatehook.kinds.errors import AccountNotAllowed

from .reading import Node
from .reading import text_of
from .session import Session
from .settings import Settings

#: Seconds between two looks at how the accounts are.
LOOK: Final = 20.0
#: Seconds before an account that could not be connected is tried again.
PAUSE: Final = 5.0
#: What the account's own trade server says it is; every other word proves nothing, and is live.
MODES: Final[Mapping[str, Mode]] = {"ACCOUNT_TRADE_MODE_DEMO": Mode.DEMO}
MARGIN_MODES: Final = {
    "ACCOUNT_MARGIN_MODE_RETAIL_HEDGING": PositionMode.HEDGING,
    "ACCOUNT_MARGIN_MODE_RETAIL_NETTING": PositionMode.NETTING,
    "ACCOUNT_MARGIN_MODE_EXCHANGE": PositionMode.NETTING,
}
_DEPLOYED: Final = frozenset({"DEPLOYED", "DEPLOYING"})


@attrs.define
class Link:
    """One account: what the list says of it, and what it said itself when it was connected.

    Attributes:
        generation: the session in which it answered; 0: in none.
        trouble: why it does not answer.
    """

    account_id: str
    name: str = ""
    login: str = ""
    server: str = ""
    state: str = ""
    status: str = ""
    mode: Mode = Mode.LIVE
    position_mode: PositionMode = PositionMode.NONE
    currency: str = ""
    generation: int = 0
    trouble: str = "synchronizing"
    connecting: bool = False
    answered: anyio.Event = attrs.field(factory=anyio.Event)


class Links:
    """The accounts of one entry.

    Attributes:
        patience: seconds that a call waits for an account that is not connected yet, before it says so.
    """

    def __init__(self, context: PluginContext, session: Session, settings: Settings) -> None:
        self._context = context
        self._session = session
        self._settings = settings
        self._links: dict[str, Link] = {}
        self._listed = False
        self._problem = ""
        self.patience = 3.0

    def key(self, account_id: str) -> AccountKey:
        """Name an account of this entry."""
        return AccountKey(self._context.entry_id, account_id)

    def check(self, account: AccountKey) -> str:
        """Return the server's id of an account that may be used; nothing is asked.

        Raises:
            AccountNotAllowed: naming the account.
        """
        if account.entry_id != self._context.entry_id:
            raise AccountNotAllowed(f"account {account} is not one of entry {self._context.entry_id}")
        allowed = self._settings.allowed
        if allowed is not None and account.account_id not in allowed:
            raise AccountNotAllowed(f"account {account} is not in allowedAccounts of entry {self._context.entry_id}")
        return account.account_id

    async def watch(self) -> None:
        """Keep the accounts that were named connected, and know how they are, until cancelled."""
        while True:
            try:
                await self.look()
                self._problem = ""
            except ProviderError as error:
                self._problem = error.message
            for link in self._links.values():
                if not self.is_connected(link) and self._settings.allowed is not None:
                    self._begin(link)
            await anyio.sleep(LOOK if self._listed and not self._problem else PAUSE)

    async def look(self) -> None:
        """Ask for the list of accounts.

        Raises:
            ToolAnswerInvalid: for an answer of another shape, and one with an account that was not asked for.
        """
        answer = await self._session.ask("list_accounts")
        for row in answer.items():
            account_id = row["id"].identity()
            if self._settings.allowed is not None and account_id not in self._settings.allowed:
                row["id"].wrong("an account that was asked for")
            link = self._links.setdefault(account_id, Link(account_id))
            link.name, link.state = text_of(row.get("name")) or account_id, text_of(row.get("state")) or ""
            link.login, link.server = _identity(row.get("login")), text_of(row.get("server")) or ""
            link.status = text_of(row.get("connectionStatus")) or ""
        self._listed = True

    async def refs(self) -> Sequence[AccountRef]:
        """Return the accounts, each with the mode that it proved."""
        await self.look()
        if self._settings.allowed is not None:
            for link in self._links.values():
                self._begin(link)
            with anyio.move_on_after(self.patience):
                for link in self._links.values():
                    await link.answered.wait()
        return [
            AccountRef(
                account=self.key(link.account_id),
                name=link.name,
                mode=link.mode if self.is_connected(link) else Mode.LIVE,
                venue=self._context.venue,
                server=link.server,
                login=link.login,
            )
            for link in self._links.values()
        ]

    async def ready(self, account_id: str) -> Link:
        """Return an account that answers; wait for it a moment where it does not.

        Raises:
            NotConnected: when it does not come to answer; nothing was sent.
        """
        if account_id not in self._links:
            await self.look()
        link = self._links.get(account_id)
        if link is None:
            raise NotConnected(f"the server does not list account {account_id}; nothing was sent")
        if self.is_connected(link):
            return link
        if self._settings.allowed is None and link.state not in _DEPLOYED:
            raise NotConnected(
                f"account {account_id} is {link.state or 'in no known state'}, and a call would deploy it:"
                " name it in allowedAccounts if that is meant; nothing was sent"
            )
        self._begin(link)
        with anyio.move_on_after(self.patience):
            await link.answered.wait()
        if not self.is_connected(link):
            raise NotConnected(f"account {account_id} does not answer yet: {link.trouble}; nothing was sent")
        return link

    async def prices_account(self) -> str:
        """Return the account whose prices and instruments are used.

        Raises:
            NotConnected: when the server lists none that may be used.
        """
        named = self._settings.prices_account
        if named is not None:
            return self.check(self.key(named))
        if not self._links:
            await self.look()
        if not self._links:
            raise NotConnected("the server lists no account that may be used; nothing was sent")
        ready = [one.account_id for one in self._links.values() if self.is_connected(one)]
        return ready[0] if ready and self._settings.allowed is None else next(iter(self._links))

    def known(self, account_id: str) -> Link:
        """Return what is known of an account."""
        return self._links.get(account_id) or Link(account_id)

    def is_connected(self, link: Link) -> bool:
        """Say whether an account answered in the present session."""
        return link.generation > 0 and link.generation == self._session.generation

    def problems(self) -> list[str]:
        """Say what is not well, account by account."""
        found = [f"the accounts cannot be listed: {self._problem}"] if self._problem else []
        if not self._listed:
            return found or ["synchronizing: the accounts are not listed yet"]
        missing = (self._settings.allowed or frozenset()) - self._links.keys()
        found += [f"the server does not list account {account_id}" for account_id in sorted(missing)]
        for link in self._links.values():
            if self._settings.allowed is None and link.generation == 0:
                continue
            if not self.is_connected(link):
                found.append(f"account {link.account_id}: {link.trouble}")
            elif link.state and link.state not in _DEPLOYED:
                found.append(f"account {link.account_id} is {link.state}")
            elif link.status and link.status != "CONNECTED":
                found.append(f"account {link.account_id}: its terminal is {link.status}")
        return found

    def _begin(self, link: Link) -> None:
        if link.connecting or self.is_connected(link):
            return
        link.connecting, link.answered = True, anyio.Event()
        self._context.task_group.start_soon(self._connect, link, name=f"connecting {link.account_id}")

    async def _connect(self, link: Link) -> None:
        generation = self._session.generation
        link.trouble = "synchronizing (the server deploys and connects it; this can take minutes)"
        try:
            limit = self._settings.connect_timeout
            answer = await self._session.ask("get_account_information", link.account_id, timeout=limit)
            self._learn(link, answer)
            link.generation = generation
        except ProviderError as error:
            link.trouble = error.message
        finally:
            link.connecting = False
            link.answered.set()

    def _learn(self, link: Link, answer: Node) -> None:
        login = _identity(answer.get("login"))
        if link.login and login and login != link.login:
            answer["login"].wrong("the login of the account that was asked for")
        link.position_mode = answer["marginMode"].word(MARGIN_MODES)
        link.currency = answer["currency"].text()
        word = text_of(answer.get("type"))
        link.mode = MODES.get(word or "", Mode.LIVE)


def _identity(node: Node | None) -> str:
    return "" if node is None or node.value == "" else node.identity()
