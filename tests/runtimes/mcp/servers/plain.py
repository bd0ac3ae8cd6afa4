"""A small MCP server on stdio without the SDK. Behaves as its arguments say: ``--hang-on-start`` and so on."""

import json
import os
import signal
import sys
import time

FAULTS = set(sys.argv[1:])
OUT = sys.stdout.buffer


def send(message):
    OUT.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    OUT.flush()


def tool(name, properties=None, **more):
    schema = {"type": "object", "properties": properties or {}}
    return {"name": name, "description": f"does {name}", "inputSchema": schema, **more}


TEXT, NUMBER = {"type": "string"}, {"type": "number"}
TOOLS = [
    tool("echo", {"text": TEXT}),
    tool("sleep", {"seconds": NUMBER}),
    tool("die"),
    tool("hang"),
    tool("big", {"size": {"type": "integer"}}),
    tool("garbage"),
    tool("flood", {"count": {"type": "integer"}}),
    tool("fails"),
    tool("refuses"),
    tool("price", {"value": NUMBER, "text": TEXT}),
    tool("change"),
    tool("mangled"),
    tool("environment"),
    tool("progress"),
    tool("ask"),
    tool("structured", outputSchema={"type": "object", "properties": {"bid": NUMBER}, "required": ["bid"]}),
    tool("liar", outputSchema={"type": "object", "properties": {"bid": NUMBER}, "required": ["bid"]}),
    tool("pid"),
    tool("order", {"symbol": TEXT, "volume": NUMBER, "side": {"enum": ["buy", "sell"]}}),
]
TOOLS[-1]["inputSchema"]["required"] = ["symbol", "volume", "side"]


def texts(*found, **more):
    return {"content": [{"type": "text", "text": one} for one in found], **more}


def call(name, arguments, request):  # noqa: C901, PLR0911, PLR0912  a list of what it can do
    if name == "echo":
        return texts(arguments.get("text", ""))
    if name == "sleep":
        time.sleep(arguments["seconds"])
        return texts("slept")
    if name == "die":
        print("about to die", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "hang":
        while True:
            time.sleep(60)
    if name == "big":
        return texts("x" * arguments["size"])
    if name == "garbage":
        OUT.write(b'no json\n\xff\xfe\n[1]\n{"jsonrpc":"2.0","id":99999,"result":{}}\n\n')
        return texts("after garbage")
    if name == "flood":
        for number in range(arguments["count"]):
            send({"method": "notifications/message", "params": {"level": "info", "data": number}})
        return texts("flooded")
    if name == "fails":
        return texts('{"error": "no"}', isError=True)
    if name == "price":
        return texts('{"bid": 1.10, "got": %s}' % json.dumps(arguments))
    if name == "change":
        TOOLS[0]["description"] = "now does something else"
        send({"method": "notifications/tools/list_changed"})
        return texts("changed")
    if name == "environment":
        return texts(json.dumps({"names": sorted(os.environ), "cwd": os.path.realpath(".")}))
    if name == "structured":
        return texts("{}", structuredContent={"bid": 1.1})
    if name == "liar":
        return texts("{}", structuredContent={"bid": "none"})
    if name == "pid":
        return texts(str(os.getpid()))
    if name == "progress":
        token = request["params"]["_meta"]["progressToken"]
        for number in range(3):
            params = {"progressToken": token, "progress": number, "total": 3, "message": "on it"}
            send({"method": "notifications/progress", "params": params})
        return texts("done")
    if name == "ask":
        send({"id": "mine", "method": "ping"})
        return texts(sys.stdin.readline())
    return texts("ok")


def listed(params):
    if "--same-cursor" in FAULTS:
        return {"tools": TOOLS[:1], "nextCursor": "again"}
    if "--twice" in FAULTS:
        return {"tools": [*TOOLS, {**TOOLS[0], "name": "ECHO"}]}
    if "--many" in FAULTS:
        return {"tools": [tool(f"t{number}") for number in range(600)]}
    if "--no-tools" in FAULTS:
        return {"tools": "none"}
    half = len(TOOLS) // 2
    cursor = (params or {}).get("cursor")
    return {"tools": TOOLS[half:]} if cursor == "two" else {"tools": TOOLS[:half], "nextCursor": "two"}


def answer(request):  # noqa: C901, PLR0911  a list of what it is asked
    method, number = request["method"], request["id"]
    if method == "initialize":
        if "--hang-on-start" in FAULTS:
            time.sleep(60)
        if "--slow-start" in FAULTS:
            time.sleep(0.4)
        version = request["params"]["protocolVersion"]
        info = {"name": "plain", "version": "1"}
        return {"protocolVersion": version, "capabilities": {"tools": {"listChanged": True}}, "serverInfo": info}
    if method == "tools/list":
        return listed(request.get("params"))
    if method == "ping":
        return {}
    if method == "tools/call":
        name = request["params"]["name"]
        if name == "refuses":
            send({"id": number, "error": {"code": -32602, "message": "no \x1b[31m" + "y" * 5000}})
            return None
        if name == "mangled":
            OUT.write(b'{"jsonrpc":"2.0","id":%d,"result":{"content":[],"structuredContent":{"bid":NaN}}}\n' % number)
            OUT.flush()
            return None
        return call(name, request["params"].get("arguments") or {}, request)
    send({"id": number, "error": {"code": -32601, "message": "unknown"}})
    return None


def main():
    if "--ignore-eof" in FAULTS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "--exit" in FAULTS:
        print("the key is wrong: sk-123456789", file=sys.stderr)
        sys.exit(3)
    if "--change-once" in FAULTS:
        TOOLS[0]["description"] = "another"
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request or "method" not in request:
            continue
        result = answer(request)
        if result is not None:
            send({"id": request["id"], "result": result})
    if "--ignore-eof" in FAULTS:
        time.sleep(60)


main()
