"""A server of the SDK whose tools ask for input, in either era of the protocol: ``asking.py stdio|streamable PORT``."""

import json
import sys

import anyio
import mcp_types as types
import uvicorn
from mcp.server import Server
from mcp.server.stdio import stdio_server

KIND, PORT = sys.argv[1], int(sys.argv[2])
FORM = {"type": "object", "properties": {"size": {"type": "integer", "default": 3}, "note": {"type": "string"}}}
NEEDED = {**FORM, "required": ["note"]}
NOTHING = {"type": "object", "properties": {}}
FORMS = {"filled": FORM, "unfilled": NEEDED}
#: Not JSON, and with what JSON and a careless client would change.
STATE = ' {"é": 1.0, "x": "\\u0000"}\t='
TOOLS = ("filled", "unfilled", "endless", "patient", "sampled", "address")


async def listed(context, params):
    return types.ListToolsResult(tools=[types.Tool(name=name, input_schema=NOTHING) for name in TOOLS])


def form_of(name):
    return types.ElicitRequestFormParams(message="How much?", requested_schema=FORMS.get(name, FORM))


def asked(name):
    if name == "sampled":
        text = types.TextContent(type="text", text="think")
        message = types.SamplingMessage(role="user", content=text)
        return types.CreateMessageRequest(params=types.CreateMessageRequestParams(messages=[message], max_tokens=9))
    if name == "address":
        where = types.ElicitRequestURLParams(message="Go there", url="https://elsewhere.example", elicitation_id="1")
        return types.ElicitRequest(params=where)
    return types.ElicitRequest(params=form_of(name))


async def called(context, params):
    if context.protocol_version < "2026":
        answer = await context.session.elicit_form("How much?", FORMS[params.name])
        return said({"action": answer.action, "content": answer.content})
    state, given = params.request_state, params.input_responses
    if params.name == "patient":
        rounds = int(state or "0")
        return said({"rounds": rounds}) if rounds == 3 else types.InputRequiredResult(request_state=str(rounds + 1))
    if given is None or params.name == "endless":
        return types.InputRequiredResult(input_requests={"size": asked(params.name)}, request_state=STATE)
    answer = given["size"]
    return said({"action": answer.action, "content": answer.content, "echoed": state == STATE})


def said(value):
    return types.CallToolResult(content=[types.TextContent(type="text", text=json.dumps(value))])


async def over_stdio():
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


server = Server("asking", on_list_tools=listed, on_call_tool=called)
if KIND == "stdio":
    anyio.run(over_stdio)
else:
    uvicorn.run(server.streamable_http_app(), host="127.0.0.1", port=PORT, log_level="error")
