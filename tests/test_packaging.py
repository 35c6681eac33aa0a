"""What is shipped and what is committed."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "xai_widgets" / "static"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = [Requirement(line) for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()]
GROUPS = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
REQUIREMENTS = sorted({line for group in GROUPS for line in group if not line.startswith("xai_widgets")})

# An address of a package index would tie everyone to the one that happened to be used here.
INDEX = re.compile(r'"resolved": *"https?:|--(extra-)?index-url[ =]+\S*https?:|https?://[^\s"]*/simple\b')
BUNDLE_LIMIT = 60_000  # every widget in a saved notebook carries its bundle along


def tracked(*patterns: str) -> list[Path]:
    answer = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in answer.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("line", REQUIREMENTS)
def test_every_requirement_is_pinned_within_its_bounds(line: str):
    requirement = Requirement(line)
    pins = [pin for pin in PINS if canonicalize_name(pin.name) == canonicalize_name(requirement.name)]
    assert pins, f"constraints.txt has no {requirement.name}: renew it as CONTRIBUTING.md says"
    for pin in pins:
        (pinned,) = pin.specifier
        assert pinned.operator == "=="
        assert Version(pinned.version) in requirement.specifier


@pytest.mark.parametrize("line", REQUIREMENTS)
def test_every_requirement_has_a_lower_bound(line: str):
    assert {bound.operator for bound in Requirement(line).specifier} & {">=", "=="}


def test_constraints_name_versions_only():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|#|--", text)


def test_no_committed_file_names_a_package_index():
    texts = {path: path.read_text(encoding="utf-8", errors="ignore") for path in tracked()}
    found = {str(path): match[0] for path, text in texts.items() if (match := INDEX.search(text))}
    assert found == {}


def test_the_front_ends_lock_has_hashes_and_no_addresses():
    packages = json.loads((ROOT / "js" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    installed = [package for path, package in packages.items() if path]
    assert installed
    assert all("integrity" in package for package in installed)
    assert not any("resolved" in package for package in installed)


def test_every_bundle_is_small():
    sizes = {path.name: path.stat().st_size for path in STATIC.glob("*.js")}
    assert {"saliency.js", "cam.js", "lime.js", "shap.js", "lrp.js", "compare.js"} <= sizes.keys()
    assert max(sizes.values()) < BUNDLE_LIMIT, sizes


def test_what_is_built_is_not_committed():
    assert tracked("xai_widgets/static", "*.pyc", "node_modules") == []


def test_notebooks_are_committed_without_outputs():
    for path in tracked("*.ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert not any(cell["outputs"] or cell.get("execution_count") for cell in code), f"{path.name}: make strip"
        assert "widgets" not in notebook["metadata"], f"{path.name}: make strip"


def test_every_version_is_the_same():
    text = (ROOT / "xai_widgets" / "__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{PROJECT["version"]}"' in text


def test_tests_that_the_readme_names_are_there():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "README.md").read_text(encoding="utf-8")))
    written = {
        name for file in ROOT.glob("tests/**/test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    assert named
    assert named <= written
