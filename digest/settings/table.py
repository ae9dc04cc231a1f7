"""What every table of config.toml has in common."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """One table of config.toml: no unknown key, no value in an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)
