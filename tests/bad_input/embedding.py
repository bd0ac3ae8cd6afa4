"""Embedders that cannot be used, models that are none, and labelled queries to tune by."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs

from gatehook import GatehookError
from gatehook import MemoryDoc
from gatehook.kinds.errors import StorageUnavailable
from gatehook.memory.tuning import read_labelled
from gatehook.memory.vectors.store import ATTEMPTS
from gatehook.testing.embedding_server import POISON
from gatehook.testing.embedding_server import EmbeddingServer
from gatehook.testing.embedding_server import Fault
from tests.bad_input.prices import logged
from tests.bad_input.table import Table
from tests.memory.hybrid.onnx_files import write_model

TABLE = Table()


def labels(what: str, at: str, text: str) -> None:
    async def provoke(world):
        path = world.folder / "labels.jsonl"
        path.write_text(text)
        try:
            read_labelled(path)
        except GatehookError as error:
            return error.diagnostics
        return []

    TABLE.add("memory.labels-invalid", what, at, provoke)


labels("a line that is no JSON", "path line", '{"text": "x", "relevant": ["a"]}\nnonsense\n')
labels("a query without what is right", "path line", '{"text": "x"}\n')
labels("a grade below zero", "path line", '{"text": "x", "relevant": {"a": -1}}\n')


MEMORY = {"slots": {"memory": "hybrid_embeddings"}}
DOC = MemoryDoc(id="a", text="gold rally", namespace=("n",), ts=1)


async def hosted(world, embedder):
    return await world.hosted(builtin=True, entries={"hybrid_embeddings": {"config": {"embedder": embedder}}}, **MEMORY)


def settings(what: str, **embedder: Any) -> None:
    async def provoke(world):
        return await hosted(world, embedder)

    TABLE.add("memory.embedder-settings", what, "", provoke)


settings("an endpoint without an address", type="openai", model="m", dims=8)
settings("an address that is none", type="openai", url="nowhere", model="m", dims=8)
settings("a directory for an endpoint", type="openai", url="http://localhost", model="m", dims=8, directory="/tmp/x")
settings("a model directory without its dimension", type="onnx", directory="/tmp/x")


@TABLE.row("memory.embedder-package", "a model directory without the package that runs it", "")
async def package_missing(world):
    world.monkeypatch.setitem(sys.modules, "onnxruntime", None)
    return await hosted(world, {"type": "onnx", "directory": str(write_model(world.folder / "m")), "dims": 16})


def model(code: str, what: str, spoil: Callable[[Path], object]) -> None:
    async def provoke(world):
        path = write_model(world.folder / "model")
        spoil(path)
        return await hosted(world, {"type": "onnx", "directory": str(path), "dims": 16})

    TABLE.add(code, what, "path", provoke)


model("memory.model-unreadable", "a directory without a model", lambda path: (path / "model.onnx").unlink())
model("memory.model-unreadable", "a directory without a tokenizer", lambda path: (path / "tokenizer.json").unlink())
model("memory.model-unreadable", "a model that is none", lambda path: (path / "model.onnx").write_bytes(b"nothing"))
model("memory.model-unreadable", "a tokenizer that is none", lambda path: (path / "tokenizer.json").write_text("{}"))
model("memory.model-dimension", "a model of another dimension", lambda path: write_model(path, dims=24))


def endpoint(code: str, what: str, fault: Fault | None, text: str = "gold rally") -> None:
    async def provoke(world):
        async with EmbeddingServer() as server:
            if fault is not None:
                await server.misbehave(fault)
            embedder = {"type": "openai", "url": server.url, "model": "m", "dims": 64, "timeout": 0.2}
            config = {"embedder": embedder}
            with logged() as lines:
                async with world.host(
                    builtin=True, entries={"hybrid_embeddings": {"config": config}}, **MEMORY
                ) as host:
                    memory = host.memory(caller="test")
                    await memory.upsert([attrs.evolve(DOC, text=text)])
                    for _ in range(ATTEMPTS):
                        with suppress(StorageUnavailable):
                            await memory.flush(vectors=True)
                    assert [one.doc.text for one in await memory.get(("n",), ["a"]) if one] == [text]
        return [line.gatehook_diagnostic for line in lines if hasattr(line, "gatehook_diagnostic")]

    TABLE.add(code, what, "", provoke)


endpoint("memory.embedder-down", "an endpoint that is not there", Fault.DOWN)
endpoint("memory.embedder-down", "an endpoint that answers too late", Fault.SLOW)
endpoint("memory.embedder-down", "an endpoint that fails", Fault.FAILING)
endpoint("memory.embedder-wrong", "an endpoint with vectors of another dimension", Fault.WRONG_DIMS)
endpoint("memory.embedder-wrong", "an endpoint that answers NaN", Fault.NAN)
endpoint("memory.embedder-wrong", "an endpoint that answers no JSON", Fault.NOT_JSON)
endpoint("memory.embedder-wrong", "an endpoint with too few vectors", Fault.WRONG_COUNT)
endpoint("memory.text-refused", "a text that the endpoint refuses", None, f"gold {POISON}")
