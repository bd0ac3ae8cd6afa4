"""A scripted MCP server that wants a token, with a small authorization server on the same port."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from tests.runtimes.mcp.http_server import TOOLS
from tests.runtimes.mcp.http_server import Scripted

PRICE = {"type": "object", "properties": {"symbol": {"type": "string"}}}


class Guarded(Scripted):
    """``tokens`` are those it takes; ``tells`` answers a request for one: a status and a JSON value."""

    def __init__(self):
        super().__init__()
        self.port = 0
        self.tokens = set()
        self.forms = []
        self.tells = self.refuses
        self.has_metadata = True

    @property
    def issuer(self):
        return f"http://127.0.0.1:{self.port}"

    def refuses(self, form):
        return 400, {"error": "invalid_client", "error_description": "not you"}

    def gives(self, form, **more):
        """Answer with a token of a name of its own."""
        token = f"token-{len(self.forms):04}-abcdef"
        self.tokens.add(token)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600, **more}

    async def handle(self, request):
        path = request.path.partition("?")[0]
        if path.startswith("/.well-known/"):
            self.requests.append(request)
            await self._described(request, path)
        elif path == "/token":
            form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
            self.forms.append({**form, "authorization": request.headers.get("authorization", "")})
            status, value = self.tells(form)
            await said(request, status, value)
        elif request.headers.get("authorization", "").removeprefix("Bearer ") in self.tokens:
            await self._trusted(request)
        else:
            self.requests.append(request)
            where = f'Bearer resource_metadata="{self.issuer}/.well-known/oauth-protected-resource/mcp"'
            await request.respond(401, www_authenticate=where)

    async def _trusted(self, request):
        """Serve, with one tool more: a price."""
        message = request.message if request.method == "POST" else {}
        if message.get("method") == "tools/list":
            self.requests.append(request)
            await request.answer({"tools": [*TOOLS, {**TOOLS[0], "name": "price", "inputSchema": PRICE}]})
        elif message.get("method") == "tools/call" and message["params"]["name"] == "price":
            self.requests.append(request)
            await request.answer({"content": [{"type": "text", "text": '{"bid": 1.1, "ask": 1.25}'}]})
        else:
            await super().handle(request)

    async def _described(self, request, path):
        if not self.has_metadata:
            await request.respond(404)
        elif "protected-resource" in path:
            await said(request, 200, {"resource": f"{self.issuer}/mcp", "authorization_servers": [self.issuer]})
        else:
            places = {
                f"{name}_endpoint": f"{self.issuer}/{name}" for name in ("authorization", "token", "registration")
            }
            methods = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
            supported = {
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": methods,
            }
            await said(request, 200, {"issuer": self.issuer, **places, **supported})


async def said(request, status, value):
    await request.respond(status, json.dumps(value).encode(), content_type="application/json")
