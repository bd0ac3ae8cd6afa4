"""A model directory: pooling, prefixes, identity, what is no model."""

from __future__ import annotations

import threading
from pathlib import Path

import anyio
import anyio.to_thread
import numpy as np
import pytest

from gatehook import GatehookError
from gatehook.memory.embedding.onnx import ModelDirectory
from gatehook.memory.embedding.onnx import OnnxEmbedder
from tests.memory.hybrid.onnx_files import write_model

pytestmark = pytest.mark.anyio


async def opened(path: Path, **settings) -> OnnxEmbedder:
    embedder = OnnxEmbedder(ModelDirectory(path=path, **{"dims": 16, **settings}))
    await embedder.open()
    return embedder


async def test_a_text_is_the_mean_of_its_tokens_whatever_it_is_padded_to(tmp_path):
    embedder = await opened(write_model(tmp_path / "model"))
    stop, loss, both, longer = await embedder.embed(["stop", "loss", "stop loss", "gold silver rally raised"])
    mean = (stop * 1.0 + loss) / 2
    assert np.linalg.norm(longer) == pytest.approx(1.0, abs=1e-6)
    raw = (await embedder.embed(["stop loss"]))[0]
    assert raw == pytest.approx(both, abs=1e-6)
    assert float(both @ (mean / np.linalg.norm(mean))) > 0.95


async def test_the_first_token_can_stand_for_the_text(tmp_path):
    embedder = await opened(write_model(tmp_path / "model"), pooling="cls")
    stop, both = await embedder.embed(["stop", "stop loss"])
    assert stop == pytest.approx(both)


async def test_queries_and_documents_have_prefixes_of_their_own(tmp_path):
    embedder = await opened(write_model(tmp_path / "model"), query_prefix="query ", document_prefix="note ")
    (query,) = await embedder.embed(["gold"], "query")
    (document,) = await embedder.embed(["gold"], "document")
    plain = await opened(tmp_path / "model")
    assert query == pytest.approx((await plain.embed(["query gold"]))[0])
    assert document == pytest.approx((await plain.embed(["note gold"]))[0])


class Held(OnnxEmbedder):
    """Takes as long for a text that says so as the test wants."""

    def __init__(self, directory: ModelDirectory) -> None:
        super().__init__(directory)
        self.began, self.go = threading.Event(), threading.Event()

    def _run(self, texts):
        if texts[0] == "held":
            self.began.set()
            assert self.go.wait(30)
        return super()._run(texts)


async def test_a_query_does_not_wait_behind_a_batch_of_documents(tmp_path):
    embedder = Held(ModelDirectory(path=write_model(tmp_path / "model"), dims=16))
    await embedder.open()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(embedder.embed, ["held"])
        assert await anyio.to_thread.run_sync(embedder.began.wait, 30)
        with anyio.fail_after(30):
            assert (await embedder.embed(["gold"], "query")).shape == (1, 16)
        embedder.go.set()


async def test_another_file_is_another_identity(tmp_path):
    first = (await opened(write_model(tmp_path / "model"))).identity
    assert first == (await opened(tmp_path / "model")).identity
    write_model(tmp_path / "model", inputs=("input_ids",))
    second = (await opened(tmp_path / "model")).identity
    assert first.to_json() != second.to_json()
    assert first.tokenizer == second.tokenizer


async def test_the_model_may_lie_in_a_folder_of_its_own(tmp_path):
    path = write_model(tmp_path / "model")
    plain = (await (await opened(path)).embed(["gold"])).tolist()
    (path / "onnx").mkdir()
    (path / "model.onnx").rename(path / "onnx" / "model.onnx")
    assert (await (await opened(path, file="onnx/model.onnx")).embed(["gold"])).tolist() == plain


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("memory.model-unreadable", lambda path: (path / "model.onnx").unlink()),
        ("memory.model-unreadable", lambda path: (path / "tokenizer.json").unlink()),
        ("memory.model-unreadable", lambda path: (path / "model.onnx").write_bytes(b"no model")),
        ("memory.model-unreadable", lambda path: (path / "tokenizer.json").write_text("{}")),
        ("memory.model-unreadable", lambda path: write_model(path, inputs=("input_ids", "pixels"))),
        ("memory.model-dimension", lambda path: write_model(path, dims=24)),
    ],
)
async def test_what_is_no_model_is_refused_with_a_code(tmp_path, code, spoil):
    path = write_model(tmp_path / "model")
    spoil(path)
    with pytest.raises(GatehookError) as caught:
        await opened(path)
    assert caught.value.diagnostics[0].code == code
