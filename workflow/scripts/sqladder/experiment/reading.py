"""An experiment's YAML files, read strictly: a name that occurs twice is lost to a plain reader, in silence."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from sqladder.errors import InputError
from sqladder.files import reading

Config = dict[str, Any]


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML's plain loader keeps the last of two equal keys in silence; this one refuses them.

    Keys that a merge (`<<: *base`) brings are no doubles: the mapping's own come before them. So they are compared as
    written, before the merge.
    """

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue
            is_merge = key_node.tag == "tag:yaml.org,2002:merge"
            key = key_node.value if is_merge else self.construct_object(key_node)
            line = key_node.start_mark.line + 1
            if key in seen:
                raise InputError(
                    f"{key_node.start_mark.name}: the name {key!r} is used twice, in lines "
                    f"{seen[key]} and {line}; "
                    + ("merge both in one: <<: [*a, *b]" if is_merge else "rename or remove one")
                )
            seen[key] = line
        return node


def read_yaml(path: Path) -> Any:
    """Read a YAML file, refusing a mapping that names a key twice."""
    try:
        with reading(path), path.open(encoding="utf-8") as file:
            return yaml.load(file, Loader=_UniqueKeyLoader)
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {error}") from error
