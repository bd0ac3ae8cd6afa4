"""`plugins import`: files of other programs become plugins; no value that may be a secret is written anywhere."""

from __future__ import annotations

import json
import tomllib
import zipfile

import pytest

from gatehook.catalog import parse_manifest

VSCODE = """
{
  // comments and trailing commas are allowed here
  "inputs": [
    {"type": "promptString", "id": "metaapi-token", "description": "MetaApi token", "password": true},
    {"type": "promptString", "id": "region", "password": false, "default": "london"},
  ],
  "servers": {
    "MetaAPI": {
      "type": "sse",
      "url": "http://localhost:3000/sse?token=${input:metaapi-token}&region=${input:region}",
    },
    "prices": {
      "command": "npx",
      "args": ["-y", "some-prices@1.2.3", "--region", "${input:region}"],
      "env": {
        "PRICES_API_KEY": "sk-THE-SECRET-1", "LOG_LEVEL": "info", "USER_NAME": "${env:PRICES_USER}", "DEBUG": true
      },
      "envFile": ".env"
    },
    "news": {
      "type": "http", "url": "https://news.example/mcp",
      "headers": {"Authorization": "Bearer sk-THE-SECRET-2", "X-Team": "desk"}
    }
  }
}
"""
CLAUDE = {"mcpServers": {"memory": {"command": "npx", "args": ["-y", "server-memory"], "env": {"KEY": "hush-hush-99"}}}}


@pytest.fixture
def imported(gatehook):
    """Write a file and import it."""

    def run(content, *words, name="mcp.json"):
        path = gatehook.here / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return gatehook("plugins", "import", path, *words)

    return run


def manifest_of(gatehook, folder):
    path = gatehook.here / "plugins" / folder / "plugin.json"
    manifest, diagnostics = parse_manifest(path.read_bytes(), path)
    assert manifest is not None, diagnostics
    return manifest


def configured(gatehook):
    return tomllib.loads(gatehook.config.read_text())["plugins"]["entries"]


def everything_written(gatehook):
    places = [*gatehook.here.rglob("*"), *gatehook.data_dir.rglob("*")]
    return {one: one.read_bytes() for one in places if one.is_file() and one.name != "mcp.json"}


def test_a_vscode_file_becomes_plugins_with_references(gatehook, imported):
    gatehook.config.write_text("# mine\n[gateway]\nmode = 'paper' # stays\n")
    answer = imported(VSCODE, "--yes")
    assert answer.code == 0, answer.err
    text = gatehook.config.read_text()
    assert text.startswith("# mine\n[gateway]\nmode = 'paper' # stays\n")
    assert configured(gatehook) == {
        "metaapi": {"enabled": False, "config": {"metaapiToken": {"env": "METAAPI_TOKEN"}, "region": "london"}},
        "prices": {
            "enabled": False,
            "config": {
                "pricesApiKey": {"env": "PRICES_API_KEY"},
                "logLevel": "info",
                "userName": {"env": "PRICES_USER"},
                "debug": "true",
            },
        },
        "news": {"enabled": False, "config": {"authorization": {"env": "NEWS_AUTHORIZATION"}, "xTeam": "desk"}},
    }
    entry = manifest_of(gatehook, "metaapi").entry
    assert (entry.url, entry.transport, entry.adapter) == ("http://localhost:3000/sse", "sse", "adapter.py")
    assert manifest_of(gatehook, "prices").entry.command == ("npx", "-y", "some-prices@1.2.3", "--region", "london")
    bearer = manifest_of(gatehook, "news").config_schema["properties"]["authorization"]
    assert bearer == {"type": "string", "x-gatehook-header": "Authorization: Bearer {}", "writeOnly": True}


def test_no_secret_of_the_file_is_written_or_shown(gatehook, imported):
    answer = imported(VSCODE, "--yes")
    for content in [answer.out.encode(), answer.err.encode(), *everything_written(gatehook).values()]:
        assert b"THE-SECRET" not in content
    assert "set the environment variable PRICES_API_KEY" in answer.out
    assert "envFile was left out" in answer.out


def test_what_was_imported_is_found_waits_for_consent_and_its_adapter_loads(gatehook, imported):
    imported(CLAUDE, "--yes", "--kind", "connector.broker", "--kind", "connector.marketData")
    [found] = gatehook("plugins", "show", "memory", "--json").json["plugins"]
    assert (found["status"], found["kinds"]) == ("needs-consent", ["connector.broker", "connector.marketData"])
    source = (gatehook.here / "plugins" / "memory" / "adapter.py").read_text()
    namespace: dict[str, object] = {"__name__": "adapter"}
    exec(compile(source, "adapter.py", "exec"), namespace)
    assert {"provide_broker", "provide_market_data"} <= set(namespace)
    assert gatehook("config", "check").code == 0


def test_a_claude_file_and_a_dry_run(gatehook, imported):
    answer = imported(CLAUDE, "--dry-run", "--json")
    [plugin] = answer.json["plugins"]
    assert (plugin["id"], plugin["config"], answer.json["written"]) == ("memory", {"key": {"env": "MEMORY_KEY"}}, False)
    assert everything_written(gatehook) == {}


def test_servers_that_speak_the_wire_need_no_adapter(gatehook, imported):
    imported({"mcpServers": {"ticks": {"command": "node", "args": ["server.mjs"]}}}, "--yes", "--wire")
    manifest = manifest_of(gatehook, "ticks")
    assert manifest.entry.adapter is None
    assert manifest.permissions.processes == ("node",)
    assert not gatehook.config.exists()


@pytest.mark.parametrize(
    ("server", "why"),
    [
        ({"command": "x", "args": ["--api-key=sk-123"]}, "seems to hold a secret"),
        ({"command": "x", "args": ["${input:k}"]}, "is a secret in the server's arguments"),
        ({"command": "x", "args": ["${HOME}"]}, "--value HOME="),
        ({"command": "x", "env": {"A": "${input:gone}"}}, "does not describe"),
        ({"command": "x", "env": {"A B": "c"}}, "no name of an environment variable"),
        ({"command": "x", "env": ["A=b"]}, "its env is no table"),
        ({"command": "", "args": []}, "its command is empty"),
        ({"command": "x", "args": "y"}, "its args is no list"),
        ({"command": "x", "url": "http://x"}, "neither a command nor a url, or both"),
        ({"url": "http://user:pass@host/mcp"}, "it carries a user"),
        ({"url": "http://${env:HOST}/mcp"}, "placeholder outside the query"),
        ({"url": "ws://host/mcp"}, "neither http:// nor https://"),
        ({"url": "http://host", "type": "websocket"}, "none that Gatehook speaks"),
        ({"url": "http://host", "headers": {"Host": "x"}}, "belongs to the transport"),
        ("npx", "it is no table"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_taken_over_is_refused_as_a_whole(gatehook, imported, server, why):
    file = {"inputs": [{"id": "k", "password": True}], "servers": {"bad": server, "good": {"command": "true"}}}
    answer = imported(file, "--yes")
    assert answer.code == 1
    assert "import.server" in answer.err
    assert why in answer.err
    assert everything_written(gatehook) == {}
    assert imported(file, "--yes", "--only", "good").code == 0


def test_a_placeholder_of_a_command_is_filled_by_hand(gatehook, imported):
    file = {"servers": {"files": {"command": "fs", "args": ["${workspaceFolder}/data"]}}}
    assert imported(file, "--yes", "--value", "workspaceFolder=/srv").code == 0
    assert manifest_of(gatehook, "files").entry.command == ("fs", "/srv/data")


def test_an_id_that_there_is_already(gatehook, imported):
    assert imported({"servers": {"paper": {"command": "x"}}}, "--yes").code == 0
    assert manifest_of(gatehook, "paper_mcp").id == "paper-mcp"
    answer = imported({"servers": {"Paper": {"command": "x"}}}, "--yes")
    assert answer.code == 1
    assert "import.exists" in answer.err


@pytest.mark.parametrize("text", ["", "[]", "{", '{"mcp": []}', '{"servers": []}', '"x"', "\x00"])
def test_a_file_that_is_none(imported, text):
    answer = imported(text, "--yes")
    assert answer.code == 1
    assert "import.refused" in answer.err


def test_wrong_usage(gatehook, imported):
    assert gatehook("plugins", "import", "gone.json", "--yes").code == 1
    assert imported(CLAUDE, "--kind", "broker").code == 2
    assert imported(CLAUDE, "--only", "gone").code == 2
    assert imported(CLAUDE, "--value", "x").code == 2
    assert imported(CLAUDE).code == 3


# --- bundles

BUNDLE = {
    "manifest_version": "0.3",
    "name": "fs-bundle",
    "version": "1.2.3",
    "description": "Files",
    "author": {"name": "Somebody"},
    "server": {
        "type": "node",
        "entry_point": "server/index.js",
        "mcp_config": {
            "command": "node",
            "args": ["${__dirname}/server/index.js", "${user_config.folder}"],
            "env": {"API_KEY": "${user_config.api_key}", "MODE": "${user_config.mode}", "OPT": "${user_config.opt}"},
        },
    },
    "user_config": {
        "api_key": {"type": "string", "sensitive": True, "description": "The key"},
        "folder": {"type": "directory", "required": True},
        "mode": {"type": "string", "default": "slow"},
        "opt": {"type": "string"},
    },
}


@pytest.fixture
def bundle(gatehook):
    """Pack a bundle and import it."""

    def run(files, *words, manifest=BUNDLE):
        path = gatehook.here / "some.mcpb"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            if manifest is not None:
                archive.writestr("manifest.json", json.dumps(manifest))
            for name, content in files.items():
                archive.writestr(name, content)
        return gatehook("plugins", "import", path, *words)

    return run


def test_a_bundle_is_unpacked_below_the_plugin(gatehook, bundle):
    gatehook.config.write_text("")
    answer = bundle({"server/index.js": "// code"}, "--yes", "--value", "folder=/data")
    assert answer.code == 0, answer.err
    manifest = manifest_of(gatehook, "fs_bundle")
    assert manifest.entry.command == ("node", "bundle/server/index.js", "/data")
    assert (manifest.version, manifest.description, manifest.authors) == ("1.2.3", "Files", ("Somebody",))
    assert (gatehook.here / "plugins" / "fs_bundle" / "bundle" / "server" / "index.js").read_text() == "// code"
    assert configured(gatehook)["fs-bundle"]["config"] == {"apiKey": {"env": "FS_BUNDLE_API_KEY"}, "mode": "slow"}
    assert gatehook("plugins", "show", "fs-bundle", "--json").json["plugins"][0]["status"] == "needs-consent"


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"../evil": "x"}, "leaves the directory"),
        ({"/etc/evil": "x"}, "leaves the directory"),
        ({"a/../../evil": "x"}, "leaves the directory"),
        ({"a\\..\\evil": "x"}, "leaves the directory"),
        ({"c:evil": "x"}, "leaves the directory"),
        ({"a\nb": "x"}, "leaves the directory"),
        ({"a": "x", "A": "y"}, "the same path"),
        ({link("evil"): "/etc/passwd"}, "a link or a special file"),
        ({"bomb": b"\0" * (8 << 20)}, "made to fill a disk"),
        (dict.fromkeys(map(str, range(4001)), ""), "more than 4000 files"),
    ],
    ids=["up", "absolute", "up inside", "backslash", "drive", "newline", "twice", "link", "bomb", "many"],
)
def test_a_bundle_that_leaves_its_directory_or_fills_the_disk_is_refused(gatehook, bundle, files, why):
    answer = bundle(files, "--yes", "--value", "folder=/data")
    assert answer.code == 1
    assert why in answer.err
    assert not (gatehook.here / "plugins").exists()


@pytest.mark.parametrize(
    "manifest", [None, [], {}, {"name": "x"}, {"name": "x", "server": {"mcp_config": {"command": 1}}}], ids=str
)
def test_a_bundle_without_a_usable_manifest(gatehook, bundle, manifest):
    assert bundle({}, "--yes", manifest=manifest).code == 1
    assert not (gatehook.here / "plugins").exists()


def test_a_cut_off_archive(gatehook, bundle):
    bundle({"a": "b" * 1000}, "--dry-run", "--value", "folder=/data")
    path = gatehook.here / "some.mcpb"
    path.write_bytes(path.read_bytes()[:-40])
    assert "import.refused" in gatehook("plugins", "import", path, "--yes").err
