"""What every recipe table is made of: ranges with names, and a table that refuses unknown keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Similarity = Annotated[float, Field(ge=-1, le=1)]
Count = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0)]


class Table(BaseModel):
    """One table of a recipe. Unknown keys are refused, so that a misspelt knob never passes as a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
