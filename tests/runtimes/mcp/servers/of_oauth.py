"""The SDK's server with the SDK's authorization server in front of it: ``of_oauth.py streamable|sse PORT LIFETIME``.

Whoever comes to the address for a person agrees. Refresh tokens are used once.
"""

import secrets
import sys
import time

import uvicorn
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.provider import AuthorizationCode
from mcp.server.auth.provider import RefreshToken
from mcp.server.auth.provider import TokenError
from mcp.server.auth.provider import construct_redirect_uri
from mcp.server.auth.settings import AuthSettings
from mcp.server.auth.settings import ClientRegistrationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthToken

KIND, PORT, LIFETIME = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
HERE = f"http://127.0.0.1:{PORT}"


class Tokens:
    """Everything is in memory; a restart of the process forgets it."""

    def __init__(self):
        self.clients, self.codes, self.refreshes, self.accesses = {}, {}, {}, {}

    async def get_client(self, client_id):
        return self.clients.get(client_id)

    async def register_client(self, client_info):
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client, params):
        code = AuthorizationCode(
            code=secrets.token_urlsafe(24),
            scopes=params.scopes or [],
            expires_at=time.time() + 60,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
        )
        self.codes[code.code] = code
        return construct_redirect_uri(str(params.redirect_uri), code=code.code, state=params.state)

    async def load_authorization_code(self, client, authorization_code):
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(self, client, authorization_code):
        del self.codes[authorization_code.code]
        return self._issued(client, authorization_code.scopes, authorization_code.resource)

    async def load_refresh_token(self, client, refresh_token):
        return self.refreshes.get(refresh_token)

    async def exchange_refresh_token(self, client, refresh_token, scopes):
        if self.refreshes.pop(refresh_token.token, None) is None:
            raise TokenError("invalid_grant")
        return self._issued(client, scopes, refresh_token.resource)

    async def load_access_token(self, token):
        return self.accesses.get(token)

    async def revoke_token(self, token):
        self.accesses.pop(token.token, None)

    def _issued(self, client, scopes, resource):
        access, refresh = f"access-{secrets.token_hex(12)}", f"refresh-{secrets.token_hex(12)}"
        who = {"client_id": client.client_id, "scopes": scopes, "resource": resource}
        self.accesses[access] = AccessToken(token=access, expires_at=int(time.time()) + LIFETIME, **who)
        self.refreshes[refresh] = RefreshToken(token=refresh, **who)
        return OAuthToken(access_token=access, expires_in=LIFETIME, refresh_token=refresh, scope=" ".join(scopes))


server = MCPServer(
    "guarded",
    log_level="ERROR",
    auth_server_provider=Tokens(),
    auth=AuthSettings(
        issuer_url=HERE,
        resource_server_url=f"{HERE}/{'sse' if KIND == 'sse' else 'mcp'}",
        validate_token_resource=True,
        required_scopes=["trade"],
        client_registration_options=ClientRegistrationOptions(
            enabled=True, valid_scopes=["trade"], default_scopes=["trade"]
        ),
    ),
)


@server.tool(structured_output=False)
def price(symbol: str) -> str:
    return '{"bid": 1.1, "ask": 1.25}'


app = server.sse_app() if KIND == "sse" else server.streamable_http_app()
uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="error")
