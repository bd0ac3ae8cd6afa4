"""What the code defines stands in the pages as the code defines it, and the pages build without a warning."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from gatehook.catalog.activation import ActivationStatus
from gatehook.catalog.admission import AdmissionStatus
from gatehook.context import RunState
from gatehook.diagnostics.catalogue import catalogue
from tests.docs.stories import DOCS
from tests.docs.stories import GATEHOOK
from tests.docs.stories import PAGES
from tests.docs.stories import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": GATEHOOK}


def run(*command: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_the_generated_sections_are_up_to_date():
    done = run(DOCS / "generate.py", "--check")
    assert done.returncode == 0, f"run: python docs/generate.py\n{done.stdout}{done.stderr}"


def test_a_stale_section_is_shown_and_mended(tmp_path):
    docs = shutil.copytree(DOCS, tmp_path / "docs", ignore=shutil.ignore_patterns("_build", "__pycache__"))
    page = docs / "capabilities.md"
    right = page.read_text("utf-8")
    page.write_text(right.replace("| 38, 40 |", "| 39 |"), "utf-8")
    found = run(docs / "generate.py", "--check")
    assert found.returncode == 1
    assert "+| `supportsTrades` | true or false | unsupported | trade streams | 38, 40 |" in found.stdout
    assert run(docs / "generate.py").returncode == 0
    assert page.read_text("utf-8") == right


def test_the_pages_build_without_a_warning(tmp_path):
    done = run(
        "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-d", tmp_path / "trees", DOCS, tmp_path / "html"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "html" / "index.html").exists()
    assert (tmp_path / "html" / "manifest.schema.json").exists()


def test_every_code_has_its_heading():
    page = (DOCS / "diagnostics.md").read_text("utf-8")
    assert re.findall(r"^### `(.+)`$", page, re.MULTILINE) == list(catalogue())


def test_every_word_for_a_state_is_explained():
    operating, admission = ((DOCS / name).read_text("utf-8") for name in ("operating.md", "admission.md"))
    explained = operating.partition("<!-- end run states -->")[2]
    assert [state for state in RunState if f"`{state}`" not in explained] == [RunState.STOPPED]
    assert [one for one in (*AdmissionStatus, *ActivationStatus) if f"`{one}`" not in admission] == []


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.stem)
def test_links_lead_to_files(page):
    targets = re.findall(r"\]\((?!https?://)([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_no_page_speaks_of_a_command_that_there_is_not():
    import click

    from gatehook.cli.app import app

    context = click.Context(app)
    command_line = re.compile(r"(?:^|[`$/]) ?gatehook ((?:[a-z]+(?:-[a-z]+)* ?)+)", re.MULTILINE)
    for page in [*PAGES, ROOT / "README.md"]:
        for words in command_line.findall(page.read_text("utf-8")):
            group = app
            for word in words.split():
                if not isinstance(group, click.Group):
                    break
                command = group.get_command(context, word)
                assert command is not None, f"{page.name}: gatehook {words}"
                group = command
