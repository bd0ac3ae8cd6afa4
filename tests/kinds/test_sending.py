"""The span in which bytes leave for the venue, and what an error in it proves."""

from __future__ import annotations

import httpx2
import pytest

from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import InsufficientFunds
from gatehook.kinds.errors import NotConnected
from tests.orders.venue import Venue
from tests.orders.venue import VenueBroker

pytestmark = pytest.mark.anyio

UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


async def end_of(error, **options):
    """Return what leaves the block when ``error`` is raised in it."""
    with pytest.raises(Exception) as caught:
        async with VenueBroker(Venue()).sending(**options):
            raise error
    return caught.value


@pytest.mark.parametrize("error", [kind("no") for kind in UNSENT])
async def test_statement_14_an_error_that_is_named_as_unsent_proves_that_nothing_was_sent(error):
    found = await end_of(error, unsent=UNSENT)
    assert type(found) is NotConnected
    assert found.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [httpx2.ReadTimeout("no"), httpx2.WriteTimeout("no"), httpx2.ReadError("no"), TimeoutError(), KeyError("x")],
)
@pytest.mark.parametrize("options", [{}, {"unsent": UNSENT}])
async def test_every_other_error_in_the_block_proves_nothing(error, options):
    assert type(await end_of(error, **options)) is Ambiguous


@pytest.mark.parametrize("error", [httpx2.ConnectError("no"), NotConnected("no"), Denied("no")])
async def test_without_a_name_none_does(error):
    assert type(await end_of(error)) is Ambiguous


async def test_a_proven_refusal_stays_one_whatever_is_named():
    error = InsufficientFunds("no")
    assert await end_of(error, unsent=(Exception,)) is error


async def test_a_connection_that_is_refused_is_no_connection():
    with pytest.raises(NotConnected):
        async with httpx2.AsyncClient() as http, VenueBroker(Venue()).sending(unsent=UNSENT):
            await http.post("http://127.0.0.1:1/orders", json={})
