"""Small ONNX models, written byte by byte: a table of int8 vectors, one for each token, as quantised models have it."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

WORDS = ("[UNK]", "stop", "loss", "gold", "silver", "rally", "raised", "probe", "query", "note")
_INT64, _FLOAT, _INT8 = 7, 1, 3


def write_model(directory: Path, dims: int = 16, *, inputs: tuple[str, ...] = ("input_ids", "attention_mask")) -> Path:
    """Write ``model.onnx`` and ``tokenizer.json``: a token's vector comes out of a table."""
    directory.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    table = rng.integers(-100, 100, size=(len(WORDS), dims), dtype=np.int8)
    (directory / "model.onnx").write_bytes(_model(table, inputs))
    tokenizer = Tokenizer(WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(directory / "tokenizer.json"))
    return directory


def _model(table, inputs: tuple[str, ...]) -> bytes:
    graph = b"".join(
        [
            _bytes(1, _node("DequantizeLinear", ["table", "scale"], "rows")),
            _bytes(1, _node("Gather", ["rows", inputs[0]], "tokens")),
            _bytes(2, b"table"),
            _bytes(5, _tensor("table", _INT8, table.shape, table.tobytes())),
            _bytes(5, _tensor("scale", _FLOAT, (), struct.pack("<f", 0.01))),
            *(_bytes(11, _value(name, _INT64, ("batch", "tokens"))) for name in inputs),
            _bytes(12, _value("tokens", _FLOAT, ("batch", "tokens", table.shape[1]))),
        ]
    )
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, b"") + _number(2, 13))


def _node(operator: str, inputs: list[str], output: str) -> bytes:
    return (
        b"".join(_bytes(1, name.encode()) for name in inputs)
        + _bytes(2, output.encode())
        + _bytes(4, operator.encode())
    )


def _tensor(name: str, kind: int, shape: tuple[int, ...], raw: bytes) -> bytes:
    dims = b"".join(_number(1, one) for one in shape)
    return dims + _number(2, kind) + _bytes(8, name.encode()) + _bytes(9, raw)


def _value(name: str, kind: int, shape: tuple[str | int, ...]) -> bytes:
    axes = b"".join(_bytes(1, _number(1, one) if isinstance(one, int) else _bytes(2, one.encode())) for one in shape)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, axes)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
