"""What a command changes is in the audit before it is changed; without the audit it is not changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import audit as codes

if TYPE_CHECKING:
    from gatehook.audit import AuditLog
    from gatehook.config import Config
    from gatehook.config import Edit


@contextmanager
def recording(config: Config, kind: str, **subject: Any) -> Iterator[None]:
    """Record what the block is about to do, in the audit of the data directory; a block that fails is recorded too.

    ``kind`` is one of ``gatehook.audit.kinds``; no value of ``subject`` may be a secret.

    Raises:
        GatehookError: when the audit cannot be written; the block is not begun then.
    """
    from gatehook.audit import Record

    actor = person()
    with _opened(config) as log:
        append(log, Record(kind, actor, subject))
        try:
            yield
        except BaseException as error:
            append(log, Record(kind, actor, {**subject, "failed": type(error).__name__}))
            raise


@contextmanager
def changing(config: Config, edit: Edit, key: str, schemas: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Record what a key of the configuration says before and after a checked edit, which the block writes.

    Secrets are recorded as ``config show`` shows them. ``config`` is the one that applies before.

    Raises:
        GatehookError: when the audit cannot be written; the block is not begun then.
    """
    from gatehook.audit import kinds

    before, after = (_shown(text, edit.path, key, schemas) for text in (edit.before or b"", edit.after))
    with recording(config, kinds.CONFIG_CHANGED, path=str(edit.path), key=key, before=before, after=after):
        yield


def _shown(text: bytes, path: Path, key: str, schemas: Mapping[str, Mapping[str, Any]]) -> Any:
    """Return what a key says in a configuration file of this text, or by default; ``None`` where it says nothing."""
    from gatehook.config import parse_config

    try:
        value = parse_config(text, path).explain(key, schemas).value
    except GatehookError:  # the file did not have the key, or was broken before: the change mends it
        return None
    return _written(value)


def _written(value: Any) -> Any:
    """Return a value of the configuration in words that the audit can hold: it has no floats."""
    if isinstance(value, Mapping):
        return {str(name): _written(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_written(one) for one in value]
    return value if value is None or isinstance(value, (bool, int)) else str(value)


def append(log: AuditLog, *records: Any) -> None:
    """Append records durably.

    Raises:
        GatehookError: when they cannot be written.
    """
    from gatehook.kinds.errors import StorageUnavailable

    try:
        log.append(records)
    except StorageUnavailable as error:
        raise GatehookError(codes.UNAVAILABLE(path=log.path, problem=error.message)) from error


def person() -> str:
    """Return who runs the command, as the audit names them: ``cli:NAME``."""
    from gatehook.gateway.person import person_of

    return person_of(os.getuid())


@contextmanager
def _opened(config: Config) -> Iterator[AuditLog]:
    import time

    from gatehook.audit import AuditLog
    from gatehook.secrets import Redactor

    data_dir, audit = config.gateway.data_dir, config.audit
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise GatehookError(codes.UNAVAILABLE(path=data_dir, problem=error.strerror)) from error
    log = AuditLog.open(
        data_dir,
        key_file=audit.key_file,
        anchors=audit.anchors,
        anchor_every=audit.anchor_every,
        wall=time.time_ns,
        redact=Redactor().redact,
    )
    try:
        yield log
    finally:
        log.close()
