"""A cache with made-up results, and a study of one's own."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from analysis.vocabulary.external import EXTERNAL
from report.delivery.made_up import make_up, make_up_results
from report.engine.recipe import Surroundings
from report.engine.store import Record, Store, digest_files, digest_json, input_files
from report.engine.system.files import digest_file
from report.pipeline.stages import PROGRAM
from report.workspace.plan import Plan, make_plan
from report.workspace.request import Request
from tests.specimen import TWO_NETWORKS
from tests.tiny_build import having
from tests.writing.conftest import evaluated

__all__ = ["evaluated"]
SHORT = having("limits", "attention")[0].removeprefix("report.")


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory, evaluated) -> Path:
    """Return a cache with results of the assignment's sample: the real evaluation of made-up predictions.

    Previews write there too: a test that waits for something to be made needs words of its own.
    """
    root, cache = tmp_path_factory.mktemp("artifacts"), tmp_path_factory.mktemp("cache")
    shutil.copytree(evaluated({})[0], root, dirs_exist_ok=True)
    plant(make_plan(Request(str(TWO_NETWORKS), sample=True, cache=cache)), root)
    return cache


def make_up_what_is_missing(plan: Plan, root: Path) -> None:
    """Write what the document reads of the images from elsewhere, of which nothing is evaluated."""
    missing = [stage for stage in plan.select_upstream(["source"])[:-1] if not (root / stage.name).exists()]
    make_up(missing, plan.study, "", root)
    path = root / "results" / "results.json"
    found, made = json.loads(path.read_text()), make_up_results(plan.study, "")["results"]
    found["results"] |= {name: made[name] for name in made if EXTERNAL in name.split(".")[:2]}
    path.write_text(json.dumps(found))


def plant(plan: Plan, root: Path) -> None:
    """Store the folders in ``root`` as the results of the stages before the document."""
    make_up_what_is_missing(plan, root)
    store, records = Store(plan.cache), {}
    moment = Surroundings(PROGRAM, store.index)
    for stage in plan.select_upstream(["source"])[:-1]:
        inputs = {name: digest_files(files) for name, files in input_files(stage, records).items()}
        recipe, out = moment.recipe(stage, inputs), root / stage.name
        (out / ("model.keras" if stage.name.startswith("train") else "made-up")).write_text(stage.name)
        outputs = {
            path.name: {"sha256": digest_file(path), "size": path.stat().st_size} for path in out.iterdir()
        }
        key = digest_json(recipe)
        records[stage.name] = Record(key, stage.name, recipe, outputs, digest_files(outputs), 0.0, {}, "")
        store.keep(records[stage.name], out)
    store.point(plan.cache_name, {name: record.key for name, record in records.items()})


def copy_short(folder: Path) -> Path:
    """Copy the study of two networks into ``folder``, its report of a few sections: most of the time is that of its pages."""
    study = Path(shutil.copytree(TWO_NETWORKS, folder)) / "study.toml"
    text, found = re.subn(
        r"^requirements = \[\n(?s:.*?)^\]$", SHORT, study.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert found == 1
    study.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return copy_short(tmp_path / "own")
