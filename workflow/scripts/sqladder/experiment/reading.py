"""An experiment's YAML files, read strictly: a name that occurs twice is lost to a plain reader, in silence."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from sqladder.errors import InputError
from sqladder.files import reading

Config = dict[str, Any]


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML's plain loader keeps the last of two equal keys in silence; this one refuses them."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if key in seen:
                raise InputError(
                    f"{key_node.start_mark.name}: the name {key!r} is used twice, in lines "
                    f"{seen[key]} and {line}; rename or remove one"
                )
            seen[key] = line
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Read a YAML file, refusing a mapping that names a key twice."""
    try:
        with reading(path), path.open(encoding="utf-8") as file:
            return yaml.load(file, Loader=_UniqueKeyLoader)
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {error}") from error
