"""The client that the official conformance suite runs: ``conformance_client.py URL`` connects with our session.

It lists the tools and calls each with arguments made from its schema, as the suite's scenarios of tools want it. It is
the adapter and, where a server wants somebody to agree, the person at the browser.
"""

import json
import logging
import os
import sys
from pathlib import Path
from urllib.parse import parse_qsl
from urllib.parse import urlsplit

import anyio
import httpx2

from gatehook.catalog.manifest import Transport
from gatehook.config.auth import AuthConfig
from gatehook.config.auth import Grant
from gatehook.config.auth import Signing
from gatehook.kinds.errors import ProviderError
from gatehook.runtimes.mcp import InputPolicy
from gatehook.runtimes.mcp import McpAuth
from gatehook.runtimes.mcp import McpLimits
from gatehook.runtimes.mcp import McpSession
from gatehook.runtimes.mcp import McpSpec
from gatehook.secrets import Secret
from gatehook.secrets import SecretReference

MADE = {"string": "text", "number": 5, "integer": 3, "boolean": True, "array": [], "object": {}, "null": None}
SCENARIO = os.environ.get("MCP_CONFORMANCE_SCENARIO", "")
CONTEXT = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
#: The suite's own name for a client that describes itself.
DESCRIBED = "https://conformance-test.local/client-metadata.json"


def calls_for(tools):
    """Return what is to be called: what the scenario says, or each tool once."""
    stated = CONTEXT.get("toolCalls")
    if stated:
        return [(one["name"], given(one.get("arguments") or {})) for one in stated]
    if "json_schema_echo" in tools:
        focal = next(tool for name, tool in tools.items() if name != "json_schema_echo")
        return [("json_schema_echo", {"schema": dict(focal.input_schema)})]
    if "test_mrtr_echo_state" in tools:  # another tool between two that ask for input
        return [(name, {}) for name in ("test_mrtr_echo_state", "test_mrtr_unrelated", *tools)]
    return [(name, made_for(tool.input_schema)) for name, tool in tools.items()]


def given(arguments):
    """Leave out what is null: to the suite a null and an absent argument are the same, to a schema they are not."""
    return {name: one for name, one in arguments.items() if one is not None}


def made_for(schema):
    properties = schema.get("properties") or {}
    return {name: one.get("default", MADE.get(one.get("type"), "text")) for name, one in properties.items()}


async def agree(address):
    """Be the person: go where the server sends them, and come back with what the browser would bring."""
    async with httpx2.AsyncClient() as browser:
        response = await browser.get(address, follow_redirects=False)
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


def auth_of(url):
    """Return the authorization as an entry would configure it; the issuer is the suite's, on a port of its own."""
    if not SCENARIO.startswith("auth/"):
        return None
    client = {"client_id": CONTEXT["client_id"]} if "client_id" in CONTEXT else {}
    secret, key = CONTEXT.get("client_secret"), CONTEXT.get("private_key_pem")
    if SCENARIO.startswith("auth/client-credentials"):
        client |= {"grant": Grant.CLIENT_CREDENTIALS, "signing": Signing(CONTEXT.get("signing_algorithm", "RS256"))}
    if "idp_id_token" in CONTEXT:
        client |= {"grant": Grant.IDENTITY_ASSERTION, "assertion": reference("given")}
    if secret or key:
        client |= {"issuer": issuer_of(url)}
    client |= {"client_secret": reference(secret), "private_key": reference(key)}
    return McpAuth(
        config=AuthConfig(**client, client_metadata_url=DESCRIBED, redirect_port=3000),
        client_secret=secret and Secret(secret),
        private_key=key and Secret(key),
        assertion=assertion,
        ask=agree,
    )


async def assertion(issuer, server):
    """Be what keeps an enterprise's assertions fresh: exchange a person's sign-on for one."""
    kind = "urn:ietf:params:oauth:token-type"
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "requested_token_type": f"{kind}:id-jag",
        "subject_token": CONTEXT["idp_id_token"],
        "subject_token_type": f"{kind}:id_token",
        "client_id": CONTEXT["idp_client_id"],
        "audience": issuer,
        "resource": server,
    }
    async with httpx2.AsyncClient() as provider:
        return (await provider.post(CONTEXT["idp_token_endpoint"], data=form)).json()["access_token"]


def reference(value):
    return value and SecretReference("env", "MCP_CONFORMANCE_CONTEXT")


def issuer_of(url):
    """Ask the suite's server where its authorization server is, as a person who configures an entry has been told."""
    server = urlsplit(url)
    with httpx2.Client() as client:
        found = client.get(f"{server.scheme}://{server.netloc}/.well-known/oauth-protected-resource{server.path}")
    return found.json()["authorization_servers"][0]


async def main():
    url = sys.argv[-1]
    spec = McpSpec(
        transport=Transport.STREAMABLE_HTTP,
        url=url,
        root=Path.cwd(),
        shown="conformance",
        inputs=InputPolicy.DEFAULTS,
        auth=auth_of(url),
        limits=McpLimits(),
    )
    session = McpSession(spec, entry_id="conformance", logger=logging.getLogger("conformance"))
    async with anyio.create_task_group() as tasks:
        await tasks.start(lambda task_status: session.run(task_status=task_status))
        try:
            await session.wait_connected(20)
            for name, arguments in calls_for(session.tools):
                try:
                    print(name, await session.call(name, arguments, timeout=15), file=sys.stderr)
                except ProviderError as error:
                    print(name, repr(error), file=sys.stderr)
        except ProviderError as error:  # what the scenario wants to see is at its server
            print(repr(error), file=sys.stderr)
        await anyio.sleep(float(os.environ.get("GATEHOOK_CONFORMANCE_LINGER", "0.5")))
        tasks.cancel_scope.cancel()


logging.basicConfig(stream=sys.stderr)
anyio.run(main)
