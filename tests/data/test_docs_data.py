"""The config entries that docs/data.md shows are accepted as they stand there."""

import copy
import re

import pytest
import yaml

from conftest import ROOT
from sqladder.data.decontamination import RULES
from sqladder.data.formats import FORMATS
from sqladder.experiment.config import check
from sqladder.experiment.reading import read_yaml

TEXT = (ROOT / "docs/data.md").read_text()
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]
DEFAULT = read_yaml(ROOT / "config/config.yaml")


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block["train_on"])
def test_a_shown_config_entry_passes_the_checks(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("shop.csv", "shop.sqlite"):
        (tmp_path / name).touch()
    config = copy.deepcopy(DEFAULT)
    config["datasets"] |= block.pop("datasets")
    check({**config, **block})


def test_every_format_and_every_rule_is_described():
    assert len(BLOCKS) == 2
    assert [name for name in (*FORMATS, *RULES) if f"`{name}`" not in TEXT] == []


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)", TEXT))))
def test_a_link_leads_somewhere(path):
    assert (ROOT / "docs" / path).exists()
