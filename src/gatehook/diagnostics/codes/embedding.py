"""Embedders, and the vectors of a memory."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

EMBEDDER_SETTINGS: Final = Code(
    "memory.embedder-settings",
    Severity.ERROR,
    "The embedder cannot be made of its settings: {reason}.",
    "Correct the section embedder of the entry's configuration; docs/memory.md has one of each type.",
)
PACKAGE_MISSING: Final = Code(
    "memory.embedder-package",
    Severity.ERROR,
    "An embedder of type {type} needs the package {package}, which is not installed.",
    "Install the extra {extra} of gatehook, or choose another type of embedder.",
)
MODEL_UNREADABLE: Final = Code(
    "memory.model-unreadable",
    Severity.ERROR,
    "{path} is no model that can be used: {reason}.",
    "Name a directory with model.onnx and tokenizer.json of one sentence embedding model.",
)
MODEL_DIMENSION: Final = Code(
    "memory.model-dimension",
    Severity.ERROR,
    "The model in {path} makes vectors of {found} numbers, the configuration says {expected}.",
    "Set embedder.dims to {found}, or name the directory of the model that was meant; no vector was touched.",
)
EMBEDDER_DOWN: Final = Code(
    "memory.embedder-down",
    Severity.WARNING,
    "The embedder does not answer: {reason}.",
    "Nothing is lost: searches go by words, and what waits gets its vectors when the embedder is back.",
)
EMBEDDER_WRONG: Final = Code(
    "memory.embedder-wrong",
    Severity.ERROR,
    "The embedder answers what cannot be used: {reason}.",
    "Correct url, model, dims or key of the embedder; searches go by words and no vector was touched meanwhile.",
)
TEXT_REFUSED: Final = Code(
    "memory.text-refused",
    Severity.WARNING,
    "The embedder refused {count} texts again and again: {reason}.",
    "They are found by words; after a change of the embedder, ask for their vectors with gatehook memory reindex.",
)
LABELS_INVALID: Final = Code(
    "memory.labels-invalid",
    Severity.ERROR,
    "{where} cannot be used to tune by: {reason}.",
    'Write one JSON object a line, with a text and the ids that are right for it: {{"text": "…", "relevant": ["id"]}}.',
)
