"""What each plugin of this repository skips, and why, equals the list below: nothing is skipped by accident."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NO_WIRE = {
    14: "the rig's venue cannot refuse the connection",
    16: "the rig's venue cannot answer with a code that proves nothing",
    26: "the rig's venue cannot drop the reply after accepting",
    29: "the rig's venue cannot fill an order while its cancel is on the way",
    34: "the rig's venue cannot report while synchronizing",
    43: "the rig's venue cannot refuse for clock skew",
}
NO_WIRE_AT_THE_DESK = {
    14: NO_WIRE[14],
    15: NO_WIRE[26],
    17: NO_WIRE[16],
    31: "the rig's venue cannot cut the stream of events",
    32: "the rig's venue cannot lose the event of a fill",
    35: "the rig's venue cannot let somebody else place an order that rests",
    42: "the rig's venue cannot refuse one command for too many requests",
    46: "the rig's venue cannot lose a command before accepting it",
    53: "the rig's venue cannot lose a command before accepting it",
    55: NO_WIRE[34],
}
NO_CONNECTION = dict.fromkeys((38, 39, 41), "the rig's source has no connection to cut")
NO_SERVER = "PostgreSQL does not run here"
NO_VECTORS = dict.fromkeys((28, 29, 30), "the plugin does not declare supportsVectors")

SKIPPED = {
    "tests/paper/test_suites.py": {"paper as broker": NO_WIRE, "paper as desk": NO_WIRE_AT_THE_DESK},
    "plugins/dealer/tests/test_dealer.py": {
        "dealer as broker": NO_WIRE
        | {
            20: "the plugin does not declare supportsReduceOnly",
            21: "the plugin does not declare timesInForce ioc",
            27: "the plugin does not declare supportsCancelAll",
            28: "the plugin does not declare supportsAmend",
            33: "the plugin does not declare a hedging account",
        },
        "dealer as desk": NO_WIRE_AT_THE_DESK
        | {
            48: "the plugin does not declare supportsClosePosition",
            52: "the rig has no caller whose orders need an approval",
        },
    },
    "tests/market/test_statements.py": {
        "Replay as market data": NO_CONNECTION,
        "Simulated as market data": NO_CONNECTION,
    },
    "tests/memory/test_sqlite_fts_statements.py": {
        "SqliteFts as memory": NO_VECTORS,
    },
    "tests/memory/hybrid/test_hybrid_statements.py": {"HybridEmbeddings as memory": {}},
    "tests/memory/test_tantivy_statements.py": {
        "Tantivy as memory": NO_VECTORS,
    },
    "tests/memory/postgres/test_postgres_statements.py": {
        "Postgres as memory": {35: "the plugin does not declare supportsForget"},
        "PostgresByWords as memory": NO_VECTORS,
    },
}

HELD = re.compile(r"(\w+ as [\w ]+): \d+ held")
OTHER = re.compile(r" +(\d+) (\w+): .* \[(.+)\]")


@pytest.mark.parametrize("file", SKIPPED)
def test_what_is_skipped_is_what_is_listed(file):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.testing.hurried"]
    done = subprocess.run(
        [*command, "-k", "not trio", ROOT / file], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    if NO_SERVER in done.stdout:
        pytest.skip(NO_SERVER)
    assert done.returncode == 0, done.stdout + done.stderr
    assert skipped_in(done.stdout) == SKIPPED[file]


def skipped_in(output):
    """Read the table at the end of a run."""
    found = {}
    for line in output.splitlines():
        if match := HELD.match(line):
            found[match[1]] = rows = {}
        elif match := OTHER.match(line):
            number, outcome, reason = match.groups()
            assert outcome == "skipped"
            rows[int(number)] = reason
    return found
