"""What is wrong with the files of plugins, and with where they are looked for."""

from __future__ import annotations

import os

from tests.bad_input.table import Table
from tests.catalog.test_discovery import install

TABLE = Table()


@TABLE.row("plugins.writable-by-others", "a directory that everybody can write", "plugin path")
async def writable(world):
    root = world.bad()
    root.chmod(0o777)
    return await world.hosted(root)


@TABLE.row("plugins.wrong-owner", "a directory of somebody else", "plugin path")
async def owner(world):
    if os.geteuid() != 0:
        from gatehook.catalog import safe_files

        world.monkeypatch.setattr(safe_files.os, "geteuid", lambda: 4242)
        return await world.planned(places={"workspace": world.bad().parent})
    root = world.bad()
    os.chown(root, 4242, -1)
    return await world.hosted(root)


@TABLE.row("plugins.hard-link", "a module with a second name", "plugin path")
async def hard_link(world):
    root = world.bad()
    os.link(root / "plugin.py", world.folder / "second")
    return await world.hosted(root)


@TABLE.row("plugins.escapes", "a manifest that is a link outside", "plugin path")
async def manifest_outside(world):
    root = world.bad()
    (root / "plugin.json").rename(world.folder / "outside.json")
    (root / "plugin.json").symlink_to(world.folder / "outside.json")
    return await world.hosted(root)


@TABLE.row("plugins.not-a-file", "a manifest that is a pipe", "plugin path")
async def pipe(world):
    root = world.bad()
    (root / "plugin.json").unlink()
    os.mkfifo(root / "plugin.json")
    return await world.hosted(root)


@TABLE.row("plugins.unreadable", "a directory that may not be opened", "path")
async def unreadable(world):
    root = world.bad()
    refusing(world, "open", root)
    return await world.hosted(root)


@TABLE.row("plugins.unreadable", "a place that may not be listed", "path")
async def unlisted(world):
    place = world.folder / "place"
    place.mkdir()
    refusing(world, "scandir", place)
    return await world.hosted(places={"workspace": place})


def refusing(world, name, path):
    """Let one call of the operating system refuse one path: root may read everything, tests often run as root."""
    honest = getattr(os, name)

    def call(target, *arguments, **options):
        if str(target) in (str(path), path.name):
            raise PermissionError(13, "Permission denied")
        return honest(target, *arguments, **options)

    world.monkeypatch.setattr(os, name, call)


@TABLE.row("plugins.path-without-plugin", "an empty directory", "path")
async def empty(world):
    place = world.folder / "empty"
    place.mkdir()
    return await world.hosted(places={"config": (place,)})


@TABLE.row("plugins.distribution-broken", "a distribution whose package is gone", "")
async def distribution(world):
    import sys

    site = world.folder / "site"
    site.mkdir()
    install(site, "broken-dist", "gone_package")
    world.monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    return await world.hosted(places={"installed": True})


@TABLE.row("consent.file-changed", "a module swapped after it was agreed to", "plugin path")
async def swapped(world):
    from gatehook.catalog import ConsentStore
    from gatehook.catalog import Places
    from gatehook.catalog import discover

    place = world.folder / "workspace"
    from gatehook.testing.writing import write_plugin
    from tests.host.plugin_kit import QUOTES

    root = write_plugin(place / "bad", "bad", QUOTES)
    [candidate] = discover(Places(workspace=place))
    ConsentStore(world.data_dir / "consent.json").grant(candidate)
    from gatehook.host import PluginHost

    made = PluginHost.__aenter__

    async def swap(host):
        (root / "plugin.py").write_text("raise SystemExit('never')\n")
        return await made(host)

    world.monkeypatch.setattr(PluginHost, "__aenter__", swap)
    return await world.hosted(places={"workspace": place})
