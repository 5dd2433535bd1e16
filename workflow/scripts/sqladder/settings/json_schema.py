"""The JSON Schema of a model, as editors read it."""

from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

_WIDTH = 110


class _Plain(GenerateJsonSchema):
    """A schema without what pydantic adds for other readers: titles, null for an absent key, discriminators."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Leave null out: a key without value is an error."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave null out as a default."""
        found = super().default_schema(schema)
        return {k: v for k, v in found.items() if not (k == "default" and v is None)}

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Keys need no title."""
        return False


def schema_text(model: type[BaseModel]) -> str:
    """Write the JSON Schema of a model as YAML, in lines of at most 120 characters."""
    found = model.model_json_schema(schema_generator=_Plain)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_shown(found)}
    return yaml.safe_dump(schema, sort_keys=False, allow_unicode=True, width=_WIDTH)


def _shown(node: Any) -> Any:
    """Write units into descriptions, and drop the names of models and what no editor reads."""
    if isinstance(node, list):
        return [_shown(item) for item in node]
    if not isinstance(node, dict):
        return node
    shown = {key: _shown(value) for key, value in node.items() if not _is_dropped(key, value)}
    if isinstance(node.get("unit"), str):
        shown["description"] = f"{node.get('description', '')} Unit: {node['unit']}."
    if "patternProperties" in node:
        shown["additionalProperties"] = False
    return shown


def _is_dropped(key: str, value: Any) -> bool:
    # A property of the config may have these names; its value is a schema.
    if key in ("title", "unit"):
        return isinstance(value, str)
    return key == "discriminator" and "propertyName" in value
