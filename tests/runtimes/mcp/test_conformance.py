"""The official suite's scenarios for clients, all of them, where it is installed: ``GATEHOOK_CONFORMANCE`` names a

directory whose ``node_modules`` hold ``node`` (22) and ``@modelcontextprotocol/conformance`` (0.2.0-alpha.12).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtimes.mcp.conftest import SERVERS

PLACE = os.environ.get("GATEHOOK_CONFORMANCE")
pytestmark = pytest.mark.skipif(not PLACE, reason="GATEHOOK_CONFORMANCE names no directory with the official suite")

EXPECTED = re.findall(
    r"^  - (\S+)$", (Path(__file__).parent / "conformance_expected_failures.yml").read_text(), re.MULTILINE
)
#: Scenarios of an extension have no version.
EXTENSION = "extension"


def suite(*words):
    modules = Path(PLACE) / "node_modules"
    program = modules / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    command = [modules / "node" / "bin" / "node", program, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def scenarios():
    """Return every scenario for clients, in each version of the protocol that it is for."""
    if not PLACE:
        return [("none", EXTENSION)]
    listed = suite("list").stdout.partition("Client scenarios")[2].partition("\n\n")[0]
    found = re.findall(r"^  - (\S+) \[(\S+)\]$", listed, re.MULTILINE)
    assert found, "the suite lists no scenarios for clients"
    return [(name, version) for name, versions in found for version in versions.split(",")]


@pytest.mark.parametrize(("scenario", "version"), scenarios())
def test_a_scenario_passes_unless_the_sdk_fails_it(scenario, version):
    client = f"{sys.executable} {SERVERS / 'conformance_client.py'}"
    words = ["client", "--command", client, "--scenario", scenario, "--timeout", "60000"]
    done = suite(*words, *(() if version == EXTENSION else ("--spec-version", version)))
    assert (done.returncode != 0) == (scenario in EXPECTED), done.stdout[-3000:] + done.stderr[-2000:]
