"""The statements about faults are sharp: brokers that take a fault the wrong way break the statement about it."""

from __future__ import annotations

import pytest

from gatehook.testing import BrokerSuite
from tests.hostile.rig import Variant
from tests.hostile.rig import hostile
from tests.mutation import Mutant
from tests.testing.broken import breach
from tests.testing.broken import copy_of

pytestmark = pytest.mark.anyio

CANCEL = '        return self._words.order(await self._command("cancel", ref.account, **_named(ref)))\n'
NETTING, PROOFLESS = Variant(), Variant("none")


def defect(name: str, number: int, before: str, after: str, file: str = "broker.py", variant: Variant = NETTING):
    return pytest.param(number, variant, Mutant(file, before, after), id=name)


DEFECTS = [
    defect(
        "no-connection-is-doubt",
        14,
        'raise NotConnected("the venue does not answer")',
        'raise Ambiguous("the venue does not answer")',
        "wire.py",
    ),
    defect("a-lost-reply-is-no-connection", 14, "async with self.sending():", "if stream:"),
    defect(
        "sends-again-after-a-lost-reply",
        14,
        "                answer = await self._wire.exchange(stream, request)\n",
        "                try:\n"
        "                    answer = await self._wire.exchange(stream, request)\n"
        "                except Exception:\n"
        "                    answer = await self._wire.exchange(await self._wire.connect(), request)\n",
    ),
    defect("every-code-is-a-refusal", 16, "PROVEN.get(code)", "PROVEN.get(code, Rejected)", "wire.py"),
    defect(
        "all-is-as-it-was-asked",
        21,
        'filled, canceled = Decimal(wire["filled"]), Decimal(wire["canceled"])',
        "filled, canceled = request.quantity, Decimal(0)",
        "words.py",
    ),
    defect("absent-without-a-proof", 25, "proven = complete and proof is not", "proven = proof is", variant=PROOFLESS),
    defect(
        "a-lost-cancel-is-a-cancel",
        26,
        CANCEL,
        "        try:\n    "
        + CANCEL
        + "        except Exception:\n            return (await self.get_order(ref)).order\n",
    ),
    defect(
        "cancels-until-it-is-so",
        26,
        CANCEL,
        "        for _ in range(3):\n"
        "            try:\n        "
        + CANCEL
        + "            except Exception as error:\n                last = error\n        raise last\n",
    ),
    defect(
        "too-late-is-canceled",
        29,
        CANCEL,
        "        try:\n    "
        + CANCEL
        + "        except Exception:\n            return (await self.get_order(ref)).order\n",
    ),
    defect(
        "merges-positions",
        33,
        'position_id=wire["id"]',
        'position_id="one"',
        "words.py",
        Variant("scan", "hedging"),
    ),
    defect("always-complete", 34, 'complete=not wire["synchronizing"]', "complete=True", "words.py"),
    defect("positions-always-complete", 34, "positions=found, complete=complete", "positions=found, complete=True"),
    defect("keeps-its-wrong-clock", 43, 'self._wire.skew += answer["now"]', 'self._wire.skew -= answer["now"]'),
    defect("gives-up-over-the-clock", 43, "in (True, False):", "in (False,):"),
    defect(
        "shows-its-token",
        45,
        "    async def __aenter__(self)",
        '    def __repr__(self) -> str:\n        return self._context.config["token"].reveal()\n\n'
        "    async def __aenter__(self)",
    ),
]


@pytest.fixture
def token(secret_canaries):
    return secret_canaries.make("HOSTILE_TOKEN")


def needed(number, secret_canaries):
    """Return what a statement takes besides the rig."""
    return {"secret_canaries": secret_canaries} if number == 45 else {}


@pytest.mark.parametrize(("number", "variant", "mutant"), DEFECTS)
async def test_a_defect_breaks_its_statement(
    plugin_host, venue_process, tmp_path, secret_canaries, token, number, variant, mutant
):
    plugin = copy_of(variant.plugin(tmp_path / "whole"), tmp_path / "plugin", mutant)
    async with hostile(plugin_host, venue_process, plugin, variant, token) as rig:
        assert await breach(BrokerSuite, number, rig, **needed(number, secret_canaries)) is not None


@pytest.mark.parametrize(
    ("number", "variant"), sorted({(one.values[0], one.values[1]) for one in DEFECTS}, key=str), ids=str
)
async def test_without_a_defect_the_statement_holds(
    plugin_host, venue_process, tmp_path, secret_canaries, token, number, variant
):
    async with hostile(plugin_host, venue_process, variant.plugin(tmp_path / "plugin"), variant, token) as rig:
        assert await breach(BrokerSuite, number, rig, **needed(number, secret_canaries)) is None
