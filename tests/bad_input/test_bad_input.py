"""Each bad input gives its code, with a place and a remedy, without a secret; and everything else runs on."""

from __future__ import annotations

import pytest

from gatehook.diagnostics.catalogue import catalogue
from tests.bad_input import adapters
from tests.bad_input import admission
from tests.bad_input import asking_memory
from tests.bad_input import audit
from tests.bad_input import commands
from tests.bad_input import configuration
from tests.bad_input import documents
from tests.bad_input import embedding
from tests.bad_input import files
from tests.bad_input import halting
from tests.bad_input import importing
from tests.bad_input import loading
from tests.bad_input import manifests
from tests.bad_input import mcp_servers
from tests.bad_input import moving
from tests.bad_input import news
from tests.bad_input import permissions
from tests.bad_input import postgres
from tests.bad_input import prices
from tests.bad_input import reconciling
from tests.bad_input import running
from tests.bad_input import serving
from tests.bad_input import trading
from tests.bad_input.world import World

pytestmark = pytest.mark.anyio

SUBJECTS = (
    manifests,
    adapters,
    documents,
    embedding,
    files,
    admission,
    asking_memory,
    audit,
    configuration,
    halting,
    loading,
    running,
    serving,
    trading,
    reconciling,
    prices,
    commands,
    permissions,
    importing,
    mcp_servers,
    moving,
    news,
    postgres,
)
ROWS = [row for subject in SUBJECTS for row in subject.TABLE.rows]


@pytest.fixture
def world(tmp_path, monkeypatch, plugin_dir, plugin_host, secret_canaries):
    secret = secret_canaries.make("BYSTANDER_TOKEN")
    return World(tmp_path, monkeypatch, plugin_dir, plugin_host, secret, secret_canaries()[0])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_the_input_gives_the_code(row, world):
    found = list(await row.provoke(world))
    mine = [one for one in found if one.code == row.code]
    assert mine, [one.code for one in found]
    for one in mine:
        missing = [name for name in row.place if getattr(one, name) is None]
        assert not missing, one
        assert one.message
        assert one.remedy
    assert not [one.code for one in found if world.canary in str(one) + repr(one.to_json())]
    if not world.ran_on:  # the input stops the whole, or is none of a host's: nothing of it is left behind
        async with world.host(data_dir=world.folder / "afterwards"):
            pass
    assert world.ran_on


def test_every_code_of_the_catalogue_has_an_input():
    assert {row.code for row in ROWS} == set(catalogue())


def test_no_input_is_there_twice():
    ids = [row.id for row in ROWS]
    assert sorted(set(ids)) == sorted(ids)
