"""Runtimes: how an admitted plugin's code is run. Here: ``python.module``, in process."""

from gatehook.runtimes.importer import LoadTimeout
from gatehook.runtimes.loading import LoadedPlugin
from gatehook.runtimes.python import LoadRequest
from gatehook.runtimes.python import PythonRuntime
from gatehook.runtimes.scan import Implementation
from gatehook.runtimes.served import SERVED

__all__ = ["SERVED", "Implementation", "LoadRequest", "LoadTimeout", "LoadedPlugin", "PythonRuntime"]
