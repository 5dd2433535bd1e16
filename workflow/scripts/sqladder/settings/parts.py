"""Some of a model's settings, where the others stand elsewhere."""

from copy import copy
from typing import Any, Optional

from pydantic import GetCoreSchemaHandler, create_model
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from sqladder.settings.base import Settings


class PartOf:
    """Some of a model's settings, the others being those of the experiment; for `Annotated[dict[str, Any], ...]`."""

    def __init__(self, model: type[Settings]) -> None:
        fields: dict[str, Any] = {
            name: (Optional[info.annotation], _optional(info))  # noqa: UP045
            for name, info in model.model_fields.items()
        }
        self.model: type[Settings] = create_model(
            f"{model.__name__}Part", __base__=Settings, __doc__=model.__doc__, **fields
        )

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check values by the model and keep them as they were given."""
        return core_schema.no_info_after_validator_function(
            lambda part: part.model_dump(exclude_unset=True), handler.generate_schema(self.model)
        )


def _optional(info: FieldInfo) -> FieldInfo:
    optional = copy(info)
    optional.default = None
    return optional
