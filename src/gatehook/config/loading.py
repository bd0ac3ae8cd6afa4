"""Loading the configuration: from gatehook.toml and the layers over it, or from a program's own mapping."""

from __future__ import annotations

import os
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from typing import Final

from gatehook.config.layers import merge
from gatehook.config.layers import parse_file
from gatehook.config.layers import read_file
from gatehook.config.model import Config
from gatehook.config.model import user_config_file
from gatehook.config.sources import Layer
from gatehook.config.sources import Source
from gatehook.config.structure import structure
from gatehook.config.trees import DEEPEST
from gatehook.config.trees import plain
from gatehook.config.trees import too_deep
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import config as codes

FILE_NAME: Final = "gatehook.toml"


def find_config(cwd: Path | None = None) -> Path | None:
    """Return the configuration file that applies: ``./gatehook.toml``, else the user's, else none."""
    here = (cwd or Path.cwd()) / FILE_NAME
    return next((path for path in (here, user_config_file()) if os.path.lexists(path)), None)


def load_config(
    path: Path | None = None,
    *,
    sets: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Config:
    """Load the configuration: defaults, then the file, then ``GATEHOOK__…`` variables, then ``sets`` (``KEY=VALUE``).

    Args:
        path: the file, instead of the one that ``find_config`` finds.
        sets: ``KEY=VALUE``, each key dotted and each value TOML, else a string.
        environ: the environment, instead of the process's.
        cwd: where relative paths outside the file start, instead of the working directory.

    Raises:
        GatehookError: with everything that is wrong.
    """
    here = (cwd or Path.cwd()).absolute()
    found = here / path if path is not None else find_config(here)
    tree, text = ({}, "") if found is None else parse_file(read_file(found), found)
    base = None if found is None else Source(layer=Layer.FILE, path=found)
    return structure(merge(tree, base, text=text, environ=environ, sets=sets), here)


def parse_config(data: bytes, path: Path | None = None) -> Config:
    """Check the bytes of a configuration file by themselves, without environment and ``--set``.

    Raises:
        GatehookError: with everything that is wrong.
    """
    tree, text = parse_file(data, path)
    return structure(merge(tree, Source(layer=Layer.FILE, path=path), text=text, environ={}), Path.cwd())


def config_from(
    mapping: Mapping[str, Any],
    *,
    sets: Sequence[str] = (),
    environ: Mapping[str, str] = MappingProxyType({}),
    cwd: Path | None = None,
) -> Config:
    """Make a configuration of a program's own mapping, which has the shape of gatehook.toml.

    The environment is not read unless it is given; values may be paths, enums and ``Secret`` objects.

    Raises:
        GatehookError: with everything that is wrong.
    """
    if too_deep(mapping):
        raise GatehookError(codes.TOO_LARGE(limit=f"it is nested deeper than {DEEPEST} levels"))
    base = Source(layer=Layer.PROGRAM)
    return structure(merge(plain(mapping), base, environ=environ, sets=sets), (cwd or Path.cwd()).absolute())
