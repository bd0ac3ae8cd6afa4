"""The venue's two ports."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path

from tests.hostile.venue.book import COMMANDS
from tests.hostile.venue.book import Book
from tests.hostile.venue.log import Log
from tests.hostile.venue.moods import Moods
from tests.hostile.venue.settings import accounts_of

PAGE = 200
LONGEST = 1 << 22
CALM = {"skew": 0, "synchronizing": False, "banned_until": 0, "deaf": False, "mute": False}


class Server:
    """One book behind a trading port that can be shut, and a control port that cannot."""

    def __init__(self, directory: Path, settings: dict) -> None:
        self._log = Log(directory / "venue.log")
        self.moods = Moods()
        self._state = dict(CALM)
        self._wires: set[asyncio.Task] = set()
        self._streams: dict[asyncio.StreamWriter, int] = {}
        self._more = asyncio.Event()
        self._told = asyncio.Event()
        self._door: asyncio.Server | None = None
        self._turn = asyncio.Lock()
        self._moving = asyncio.Lock()
        self.port = 0
        self._given = settings
        self._book = self._read()

    def _read(self) -> Book:
        """Make the book out of the log; an empty log begins with the settings."""
        events = self._log.read()
        if not events:
            events = [{"settings": self._given}]
            self._log.append(events[0])
        book = Book(events[0]["settings"])
        for event in events[1:]:
            book.apply(event)
        return book

    async def run(self, port: int, control: int) -> None:
        """Serve until killed."""
        self.port = port
        controls = await asyncio.start_server(self._controlled, "127.0.0.1", control, limit=LONGEST)
        await self.open()
        print(self.port, controls.sockets[0].getsockname()[1], flush=True)
        await controls.serve_forever()

    async def open(self) -> None:
        """Take connections."""
        async with self._moving:
            await self._open()

    async def _open(self) -> None:
        if self._door is None:
            self._door = await asyncio.start_server(self._traded, "127.0.0.1", self.port, limit=LONGEST)
            self.port = self._door.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections, and end those that are there."""
        async with self._moving:
            await self._close()

    async def _close(self) -> None:
        if self._door is not None:
            self._door.close()
            self._door = None
        for wire in self._wires:
            wire.cancel()
        await asyncio.gather(*self._wires, return_exceptions=True)

    async def restart(self, pause: float = 0.05) -> None:
        """Go away, and come back knowing what the log says."""
        async with self._moving:
            await self._close()
            self._book = self._read()
            await asyncio.sleep(pause)
            await self._open()

    def _now(self) -> int:
        return time.time_ns() // 1_000_000 + self._state["skew"]

    def _happen(self, event: dict) -> dict:
        event["at"] = self._now()
        self._log.append(event)
        answer = self._book.apply(event)
        self._more.set()
        self._more = asyncio.Event()
        return answer

    # --- the trading port

    async def _traded(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._wires.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while line := await reader.readline():
                    request = json.loads(line)
                    if request["do"] == "follow":
                        if not self._state["mute"]:
                            await self._tell(writer, request["after"])
                        return
                    if not await self._answer(writer, request):
                        writer.transport.abort()
                        return
        finally:
            self._wires.discard(task)
            writer.transport.abort() if task.cancelling() else writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, request: dict) -> bool:
        """Answer a request; say whether the connection goes on."""
        if self._state["deaf"]:
            await asyncio.sleep(3600)
        if request["do"] not in COMMANDS:
            async with self._turn:
                pass
            return await self._send(writer, self._banned() or self._look(request))
        twist, reply = self.moods.next(request["do"])
        if "hold" in reply:
            async with self._turn:  # whoever looks meanwhile waits: what is held was received before
                await asyncio.sleep(reply["hold"])
        refusal = self._banned() or self._off(request)
        if refusal is not None:
            twist, reply = {"refuse": refusal["error"]}, {}
        answer = (refusal or {}) | self._happen({**request, "twist": twist})
        return await self._reply(writer, answer, reply)

    async def _reply(self, writer: asyncio.StreamWriter, answer: dict, reply: dict) -> bool:
        if "told_first" in reply:
            await self._all_told()
        await asyncio.sleep(reply.get("delay", 0))
        if "restart" in reply:
            self._restarting = asyncio.create_task(self.restart())
        if "lost" in reply:
            return False
        if "garbage" in reply:
            writer.write(b'{"id": "1", "sta\n')
            return True
        answer = reply.get("answer", answer)
        return await self._send(
            writer, answer | {name: reply[name] for name in ("status", "retry_after") if name in reply}
        )

    async def _send(self, writer: asyncio.StreamWriter, answer: dict) -> bool:
        writer.write(json.dumps({**answer, "now": self._now(), "news": len(self._book.news)}).encode() + b"\n")
        await writer.drain()
        return True

    def _banned(self) -> dict | None:
        if self._now() < self._state["banned_until"]:
            return {"status": 418, "error": "banned", "until": self._state["banned_until"]}
        return None

    def _off(self, request: dict) -> dict | None:
        if abs(request["time"] - self._now()) > self._book.settings["skew"] * 1000:
            return {"status": 400, "error": "clock-skew"}
        return None

    def _look(self, request: dict) -> dict:
        book, settings = self._book, self._book.settings
        do, partly = request["do"], self._state["synchronizing"]
        if do in ("orders", "fills", "positions"):
            rows = [] if partly else book.listing(do, request)
            start = int(request.get("from") or 0)
            more = start + PAGE if len(rows) > start + PAGE else None
            return {"rows": rows[start : start + PAGE], "more": more, "synchronizing": partly}
        if do == "lookup":
            return {"order": None if partly else book.lookup(request, self._now()), "synchronizing": partly}
        if do == "account":
            bid, ask, _ = book.market
            return {**book.accounts[request["account"]].state(bid, ask), "synchronizing": partly}
        return {
            "hello": {name: settings[name] for name in ("proof", "lag", "window")},
            "accounts": {"accounts": [{"id": name, "mode": settings["mode"]} for name in accounts_of(settings)]},
            "instruments": {"instruments": [book.instrument]},
            "quote": {"bid": str(book.market[0]), "ask": str(book.market[1])},
        }[do]

    # --- the stream

    async def _tell(self, writer: asyncio.StreamWriter, after: int) -> None:
        if not self._book.forgotten <= after <= len(self._book.news):
            await self._send(writer, {"error": "cursor-expired"})
            return
        self._streams[writer] = after
        try:
            while writer in self._streams:
                more, news = self._more, self._book.news
                for number in range(self._streams[writer], len(news)):
                    writer.write(json.dumps({"number": number + 1, **news[number]}).encode() + b"\n")
                self._streams[writer] = len(news)
                await writer.drain()
                self._told.set()
                await more.wait()
        finally:
            self._streams.pop(writer, None)
            self._told.set()

    async def _all_told(self) -> None:
        while any(at < len(self._book.news) for at in self._streams.values()):
            self._told.clear()
            await self._told.wait()

    # --- the control port

    async def _controlled(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while line := await reader.readline():
                request = json.loads(line)
                try:
                    answer = await self._control(request.pop("do"), request)
                except (KeyError, TypeError, ValueError) as error:
                    answer = {"error": repr(error)}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _control(self, do: str, request: dict) -> dict:
        match do:
            case "reset":
                await self._reset(request)
            case "requests":
                return {"requests": len(self._book.requests)}
            case "ledger":
                return self._book.ledger()
            case "mood":
                self.moods.add(**request)
            case "chaos":
                self.moods.chaos(**request)
            case "calm":
                self.moods.calm()
            case "state":
                self._set(request)
            case _:
                return await self._act(do, request)
        return {}

    async def _act(self, do: str, request: dict) -> dict:
        match do:
            case "cut":
                self._cut()
            case "close":
                await self.close()
            case "open":
                await self.open()
            case "restart":
                await self.restart()
            case "told":
                await self._all_told()
            case "quote" | "external" | "stop_out" | "deposit" | "gift" | "forget" | "fill":
                twist, _ = self.moods.next(do)
                return self._happen({"do": "fill_order" if do == "fill" else do, "twist": twist, **request})
            case _:
                raise KeyError(do)
        return {}

    def _set(self, request: dict) -> None:
        if "banned" in request:
            request["banned_until"] = self._now() + int(request.pop("banned") * 1000)
        for name in request:
            if name not in self._state:
                raise KeyError(name)
        self._state |= request
        if self._state["mute"]:
            self._cut()

    def _cut(self) -> None:
        for wire in list(self._streams):
            wire.transport.abort()
            self._streams.pop(wire)

    async def _reset(self, settings: dict) -> None:
        book = Book(settings)
        async with self._moving:
            await self._close()
            self._forget_all(book, settings)
            await self._open()

    def _forget_all(self, book: Book, settings: dict) -> None:
        self.moods.calm()
        self._state = dict(CALM)
        self._log.clear()
        self._log.append({"settings": settings})
        self._book = book
