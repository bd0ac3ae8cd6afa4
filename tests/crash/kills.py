"""Kills gateways and venues at random moments: ``python -m tests.crash.kills --kills N [--seed S] [--log FILE]``.

A run is made of episodes, each with a fresh venue and data directory, a kind of account and a way to prove absence. A
gateway is forked from this process, which has imported everything, so a life costs tens of milliseconds. Prints one
JSON document; ends with 1 when anything was wrong, and keeps that episode's directory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from itertools import product
from pathlib import Path

import anyio

from gatehook.kinds.orders import OrderStatus
from tests.crash.checking import check
from tests.crash.trading import Life
from tests.crash.trading import trade
from tests.hostile.control import VenueProcess
from tests.hostile.rig import ACCOUNTS
from tests.hostile.rig import PROOFS
from tests.hostile.rig import Variant

#: Kills in one episode: the venue reads its whole log at each start.
EPISODE = 40
TARGETS = {"gateway": 70, "venue": 15, "both": 15}
#: Of ten kills, so many come when the gateway has given some more answers; the others at any moment, its start too.
AT_WORK = 7
#: How many answers those wait for at most, and for how many seconds; the seconds after which the others come, at most.
ANSWERS, PATIENCE, LONGEST = 25, 4.0, 0.25
#: How answers end that are an order.
ORDERS = {status.encode() for status in OrderStatus}
VARIANTS = [Variant(proof=proof, account=account) for account, proof in product(ACCOUNTS, PROOFS)]


def forked(work: Callable[[], None], log: Path) -> int:
    """Do something in a child that knows all that we know; return its pid."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, 1)
        os.dup2(file, 2)
        work()
        status = 0
    except BaseException as error:
        print(repr(error), file=sys.stderr, flush=True)
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.stderr.flush()
        os._exit(status)


class Episode:
    """One venue, one gateway's data, and many lives over them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.seed = seed
        self.random = random.Random(seed)
        self.variant = VARIANTS[seed % len(VARIANTS)]
        self.limited = (seed + seed // len(VARIANTS)) % 3 != 0
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._lives = 0
        self._gateway: int | None = None
        self.variant.plugin(folder / "plugin")
        proof, account = self.variant.proof, self.variant.account
        options = ("--proof", proof, "--account", account, "--set", "lag=0.05", "--set", "window=0.2")
        self._venue = VenueProcess(folder / "venue", *options)

    def run(self, kills: int) -> None:
        """Kill so often, and look what is left."""
        self._wake_venue()
        try:
            for _ in range(kills):
                self._kill_one()
            self._kill_gateway()
            self._venue.ask("calm")
            self._check()
        finally:
            self._kill_gateway()
            self._venue.kill()

    def _life(self) -> Life:
        self._lives += 1
        return Life(
            folder=self.folder,
            port=self._venue.port,
            variant=self.variant,
            limited=self.limited,
            number=self._lives,
            seed=self.seed * 10_000 + self._lives,
        )

    def _kill_one(self) -> None:
        if self._gateway is None:
            life = self._life()
            self._gateway = forked(lambda: anyio.run(trade, life), self.folder / "gateway.log")
        if self.random.randrange(10) < AT_WORK:
            self._wait_for_answers(self.random.randrange(1, ANSWERS))
            time.sleep(self.random.uniform(0.0, 0.01))
        else:
            time.sleep(self.random.uniform(0.0, LONGEST))
        self._expect_alive()
        [target] = self.random.choices(list(TARGETS), list(TARGETS.values()))
        self.counts[f"kills of {target}"] += 1
        if target != "venue":
            self._kill_gateway()
        if target != "gateway":
            self._venue.kill()
            self._wake_venue()

    def _wait_for_answers(self, more: int) -> None:
        """Wait until the gateway has told callers of so many more orders, but not for ever: the venue may be away."""
        path, end = self.folder / "answers", time.monotonic() + PATIENCE
        start = path.stat().st_size if path.exists() else 0
        while time.monotonic() < end:
            time.sleep(0.004)
            if path.exists():
                with path.open("rb") as answers:
                    answers.seek(start)
                    if sum(line.rsplit(b" ")[-1] in ORDERS for line in answers.read().split(b"\n")[:-1]) >= more:
                        return

    def _wake_venue(self) -> None:
        self._venue.start()
        self._venue.ask("chaos", seed=self.random.randrange(1 << 30))

    def _expect_alive(self) -> None:
        if self._gateway is not None and os.waitpid(self._gateway, os.WNOHANG)[0]:
            self._gateway = None
            self.wrong.append("the gateway ended by itself: " + self._tail())

    def _tail(self) -> str:
        return (self.folder / "gateway.log").read_text()[-1500:]

    def _kill_gateway(self) -> None:
        if self._gateway is not None:
            with suppress(ProcessLookupError):
                os.kill(self._gateway, signal.SIGKILL)
            os.waitpid(self._gateway, 0)
            self._gateway = None

    def _check(self) -> None:
        """In a child as well, so that this process never has an event loop or a thread when it forks."""
        life, result = self._life(), self.folder / "findings.json"
        pid = forked(lambda: _write_findings(life, result), self.folder / "check.log")
        os.waitpid(pid, 0)
        if not result.exists():
            self.wrong.append("the check failed: " + (self.folder / "check.log").read_text()[-3000:])
            return
        findings = json.loads(result.read_text())
        self.counts.update(findings["counts"])
        self.wrong += findings["wrong"]


def _write_findings(life: Life, result: Path) -> None:
    found = anyio.run(check, life)
    result.write_text(found.to_json())


def main() -> int:
    """Run episodes until there were enough kills."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0, help="of the first episode; the others follow it")
    parser.add_argument("--step", type=int, default=1, help="between the seeds of two episodes")
    parser.add_argument("--episode", type=int, default=EPISODE, help="kills in one episode")
    parser.add_argument("--log", type=Path, help="where progress goes")
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    begun, killed = time.monotonic(), 0
    for seed in count(given.seed, given.step):
        kills = min(given.episode, given.kills - killed)
        if kills <= 0:
            break
        folder = Path(tempfile.mkdtemp(prefix="gatehook-kills-"))
        episode = Episode(folder, seed)
        episode.run(kills)
        killed += kills
        counts.update(episode.counts)
        counts["episodes"] += 1
        where = f"episode {seed} ({episode.variant}, limits {episode.limited}, {folder})"
        wrong += [f"{where}: {one}" for one in episode.wrong]
        if not episode.wrong:
            shutil.rmtree(folder)
        if given.log is not None:
            with given.log.open("a") as log:
                rate = killed / (time.monotonic() - begun) * 60
                log.write(f"{where}: {killed} kills, {rate:.0f} a minute, {len(wrong)} wrong {episode.wrong[:5]}\n")
    print(json.dumps({"kills": killed, "counts": dict(sorted(counts.items())), "wrong": wrong}, indent=1))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
