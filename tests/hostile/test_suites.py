"""The hostile broker keeps every statement, raw and behind the desk: each absence proof with each kind of account."""

from __future__ import annotations

import pytest

from gatehook.testing import BrokerSuite
from gatehook.testing import DeskSuite
from tests.hostile.rig import ACCOUNTS
from tests.hostile.rig import PROOFS
from tests.hostile.rig import Variant
from tests.hostile.rig import hostile


class OnVariant:
    variant = Variant()

    @pytest.fixture
    async def rig(self, plugin_host, venue_process, tmp_path, secret_canaries):
        folder = self.variant.plugin(tmp_path / "plugin")
        token = secret_canaries.make("HOSTILE_TOKEN")
        async with hostile(plugin_host, venue_process, folder, self.variant, token) as rig:
            yield rig


class TestOnTrio(OnVariant, BrokerSuite):
    plugin = "hostile on trio"

    @pytest.fixture
    def anyio_backend(self):
        return "trio"


class TestOnTrioBehindTheDesk(OnVariant, DeskSuite):
    plugin = "hostile on trio"

    @pytest.fixture
    def anyio_backend(self):
        return "trio"


for proof in PROOFS:
    for account in ACCOUNTS:
        variant = Variant(proof, account)
        name = f"{account} {proof}".title().replace(" ", "").replace("+", "").replace("_", "")
        for base in (BrokerSuite, DeskSuite):
            title = f"Test{name}{base.__name__}"
            globals()[title] = type(title, (OnVariant, base), {"variant": variant, "plugin": f"hostile {variant}"})
