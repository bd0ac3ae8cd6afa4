"""The official suite's scenarios for clients, where it is installed: ``GATEHOOK_CONFORMANCE`` names a directory whose

``node_modules`` hold ``node`` (22) and ``@modelcontextprotocol/conformance`` (0.2.0-alpha.12). Its scenarios of OAuth
are left out: a session's credentials are configured.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtimes.mcp.conftest import SERVERS

PLACE = os.environ.get("GATEHOOK_CONFORMANCE")
pytestmark = pytest.mark.skipif(not PLACE, reason="GATEHOOK_CONFORMANCE names no directory with the official suite")

OLD = ("initialize", "tools_call", "sse-retry", "json-schema-2020-12-preservation")
NEW = (
    "tools_call",
    "request-metadata",
    "http-standard-headers",
    "http-invalid-tool-headers",
    "json-schema-ref-no-deref",
    "json-schema-2020-12-preservation",
)
#: A tool that asks for more input has nobody to ask here; a null that the schema does not allow does not leave.
BY_DESIGN = ("sep-2322-client-request-state", "http-custom-headers")


def passes(scenario, version):
    modules = Path(PLACE) / "node_modules"
    suite = modules / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    client = f"{sys.executable} {SERVERS / 'conformance_client.py'}"
    command = [modules / "node" / "bin" / "node", suite, "client", "--command", client]
    command += ["--scenario", scenario, "--spec-version", version, "--timeout", "60000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    return done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.parametrize(
    ("scenario", "version"), [*((one, "2025-11-25") for one in OLD), *((one, "2026-07-28") for one in NEW)]
)
def test_a_scenario_passes(scenario, version):
    passed, said = passes(scenario, version)
    assert passed, said


@pytest.mark.parametrize("scenario", BY_DESIGN)
def test_what_is_refused_by_design_is_still_refused(scenario):
    assert not passes(scenario, "2026-07-28")[0]
