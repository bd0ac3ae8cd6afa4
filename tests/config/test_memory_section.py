"""The section that says what is remembered, and for how long."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from gatehook import GatehookError
from gatehook.config import config_from
from gatehook.config import config_json_schema
from gatehook.config import load_config
from gatehook.config.explaining import shown


def problems(tree):
    with pytest.raises(GatehookError) as caught:
        config_from({"memory": tree})
    return [(one.code, one.message) for one in caught.value.diagnostics]


def test_a_folder_is_relative_to_its_file_and_has_a_namespace_of_its_own(tmp_path):
    path = tmp_path / "gatehook.toml"
    path.write_text(
        '[[memory.folders]]\npath = "notes"\n[[memory.folders]]\npath = "/srv/x"\nnamespace = "team/desk"\n'
    )
    one, other = load_config(path, environ={}).memory.folders
    assert (one.path, one.parts) == (tmp_path / "notes", ("documents", "notes"))
    assert other.parts == ("team", "desk")
    assert one.include == ("**/*.md", "**/*.markdown", "**/*.txt")


def test_how_long_something_is_kept_has_a_unit():
    rules = [{"namespace": "news", "keep": keep} for keep in ("90s", "5m", "12h", "90d", "52w")]
    kept = [rule.keep_ns for rule in config_from({"memory": {"retention": rules}}).memory.retention]
    assert kept == [int(n * 1e9) for n in (90, 300, 43_200, 90 * 86_400, 52 * 604_800)]


def test_a_rule_for_everything_is_said():
    (rule,) = config_from({"memory": {"retention": [{"namespace": "*", "max_documents": 5}]}}).memory.retention
    assert rule.parts == ()


@pytest.mark.parametrize(
    ("tree", "code", "says"),
    [
        ({"folder": []}, "config.unknown-key", 'did you mean "folders"'),
        ({"folders": {}}, "config.wrong-type", "a list of tables"),
        ({"folders": [3]}, "config.wrong-type", "a table"),
        ({"folders": [{}]}, "config.bad-value", "a table with path"),
        ({"folders": [{"pth": "x"}]}, "config.unknown-key", 'did you mean "path"'),
        ({"folders": [{"path": "x", "namespace": "a//b"}]}, "config.bad-value", "none of them empty"),
        ({"folders": [{"path": "x", "namespace": "a/*"}]}, "config.bad-value", "without *"),
        ({"folders": [{"path": "x", "namespace": "trading/x"}]}, "config.bad-value", "where the gateway itself writes"),
        ({"folders": [{"path": "x"}, {"path": "y/x"}]}, "config.bad-value", "no other folder"),
        ({"folders": [{"path": "x", "include": ["/etc/*"]}]}, "config.bad-value", "relative"),
        ({"folders": [{"path": "x", "tags": "a"}]}, "config.wrong-type", "a list of strings"),
        ({"news": {}}, "config.wrong-type", "a list of tables"),
        ({"news": [{}]}, "config.bad-value", "a table with feed"),
        ({"news": [{"fed": "x"}]}, "config.unknown-key", 'did you mean "feed"'),
        ({"news": [{"feed": "X!"}]}, "config.bad-value", "an id"),
        ({"news": [{"feed": "x", "every": 0}]}, "config.bad-value", "above zero"),
        ({"news": [{"feed": "x", "kinds": "news"}]}, "config.wrong-type", "a list of the words listed"),
        ({"news": [{"feed": "x", "kinds": ["newz"]}]}, "config.bad-value", "news, social, filing, calendar"),
        ({"news": [{"feed": "x"}, {"feed": "x"}]}, "config.bad-value", "no other table"),
        ({"retention": [{"keep": "90d"}]}, "config.bad-value", "a table with namespace"),
        ({"retention": [{"namespace": "news"}]}, "config.bad-value", "keep, max_documents or max_bytes"),
        ({"retention": [{"namespace": "news", "keep": "90"}]}, "config.bad-value", "90d"),
        ({"retention": [{"namespace": "news", "keep": 90}]}, "config.wrong-type", "90d"),
        ({"retention": [{"namespace": "news", "max_bytes": 0}]}, "config.bad-value", "at least 1"),
        ({"max_files": 0}, "config.bad-value", "at least 1"),
    ],
)
def test_what_is_wrong_is_said(tree, code, says):
    found = problems(tree)
    assert [one for one, message in found if one == code and says in message], found
    schema = Draft202012Validator(config_json_schema())
    if "no other" not in says and "gateway itself" not in says and "keep, max" not in says:
        assert not schema.is_valid({"memory": tree})


def test_what_is_shown_loads_again():
    tree = {
        "folders": [{"path": "/x", "tags": ["a"]}],
        "news": [{"feed": "x", "kinds": ["filing", "news"]}, {"feed": "y", "every": 5, "text": "rates"}],
        "retention": [{"namespace": "*", "keep": "1d"}],
    }
    config = config_from({"memory": tree})
    document = shown(config)["memory"]
    for name in ("news", "retention"):
        document[name] = [{k: v for k, v in one.items() if v is not None} for one in document[name]]
    assert config_from({"memory": document}).memory == config.memory
    assert Draft202012Validator(config_json_schema()).is_valid({"memory": document})


def test_a_change_needs_a_restart():
    config = config_from({"memory": {"folders": [{"path": Path("/x")}]}})
    for key in ("memory", "memory.folders", "memory.folders.0.path", "memory.max_files"):
        assert config.explain(key).restart_needed
