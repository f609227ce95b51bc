"""How settings are declared and read: typed dataclasses filled from one TOML file.

Each package declares its own settings as a frozen dataclass whose fields are made with
``setting(default, "what it is for")``; ``agent.config`` puts them together. An unknown key or a
wrong type is an error that names the key and the line it stands on.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from agent.errors import AgentError

T = TypeVar("T")


def setting(default: T, doc: str, *, minimum: float | None = None,
            maximum: float | None = None) -> T:
    """Declare a field of a settings dataclass.

    Args:
        default: The value where the file says nothing; must be immutable.
        doc: One sentence for the settings page, with the unit.
        minimum: Smallest allowed number.
        maximum: Largest allowed number.
    """
    metadata = {"doc": doc, "minimum": minimum, "maximum": maximum}
    field: T = dataclasses.field(default=default, metadata=metadata)
    return field


@dataclasses.dataclass(frozen=True)
class Documented:
    """One key of the settings page."""

    key: str
    type: str
    default: Any
    doc: str


def read(path: Path, cls: type[T]) -> T:
    """Read a settings file into the dataclass ``cls``.

    Raises:
        AgentError: The file cannot be read, is no TOML, has an unknown key or a wrong value;
            the message names the file, the line and the key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(f"cannot read settings {path}: {error}") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AgentError(f"settings {path}: not valid TOML: {error}") from error
    return build(cls, table, Source(path, text))


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a table came from, so that errors can name the line."""

    path: Path
    text: str

    def line_of(self, key: str) -> int | None:
        """Line, from 1, on which a dotted ``key`` is set or its table opened."""
        *tables, leaf = key.split(".")
        wanted, here = ".".join(tables), ""
        for number, line in enumerate(self.text.splitlines(), 1):
            header = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line)
            if header:
                here = header[1].replace(" ", "").replace('"', "")
                if here == key:
                    return number
            elif re.match(rf"\s*(?:\"|')?{re.escape(leaf)}(?:\"|')?\s*=", line) and here == wanted:
                return number
        return None

    def error(self, key: str, problem: str, mend: str = "") -> AgentError:
        """An error about ``key`` that says where it stands."""
        line = self.line_of(key)
        where = f"{self.path}, line {line}" if line else str(self.path)
        return AgentError(f"{where}: {key}: {problem}", mend)


def build(cls: type[T], table: Mapping[str, Any], source: Source, prefix: str = "") -> T:
    """Make ``cls`` from a parsed TOML table, checking keys and types."""
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in table.items():
        key = f"{prefix}{name}"
        if name not in fields:
            known = ", ".join(sorted(fields))
            raise source.error(key, "unknown setting", f"known here: {known}")
        values[name] = _convert(hints[name], value, key, source)
        _check_range(fields[name], values[name], key, source)
    try:
        return cls(**values)
    except TypeError as error:
        missing = [n for n, f in fields.items() if n not in values and _is_required(f)]
        raise source.error(prefix.rstrip("."), f"missing {', '.join(missing)}") from error


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return (field.default is dataclasses.MISSING
            and field.default_factory is dataclasses.MISSING)


def _check_range(field: dataclasses.Field[Any], value: Any, key: str, source: Source) -> None:
    low, high = field.metadata.get("minimum"), field.metadata.get("maximum")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if low is not None and value < low:
            raise source.error(key, f"{value} is below the smallest allowed value {low}")
        if high is not None and value > high:
            raise source.error(key, f"{value} is above the largest allowed value {high}")


def _convert(hint: Any, value: Any, key: str, source: Source) -> Any:
    origin = typing.get_origin(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise source.error(key, f"must be a table, not {_kind(value)}")
        return build(hint, value, source, f"{key}.")
    if origin in (typing.Union, types.UnionType):
        return _convert_union(hint, value, key, source)
    if origin is typing.Literal:
        if value not in typing.get_args(hint):
            choices = ", ".join(repr(a) for a in typing.get_args(hint))
            raise source.error(key, f"{value!r} is not one of {choices}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise source.error(key, f"must be a list, not {_kind(value)}")
        inner = typing.get_args(hint)[0]
        return tuple(_convert(inner, v, key, source) for v in value)
    if origin in (dict, Mapping) or hint in (dict, Mapping):
        return _convert_mapping(hint, value, key, source)
    return _convert_scalar(hint, value, key, source)


def _convert_union(hint: Any, value: Any, key: str, source: Source) -> Any:
    options = [a for a in typing.get_args(hint) if a is not type(None)]
    if value == "" and len(options) < len(typing.get_args(hint)):
        return None  # TOML has no null: an empty text says that nothing is given
    for option in options[:-1]:
        try:
            return _convert(option, value, key, source)
        except AgentError:
            continue
    return _convert(options[-1], value, key, source)


def _convert_mapping(hint: Any, value: Any, key: str, source: Source) -> Any:
    if not isinstance(value, dict):
        raise source.error(key, f"must be a table, not {_kind(value)}")
    inner = typing.get_args(hint)[1]
    return {k: _convert(inner, v, f"{key}.{k}", source) for k, v in value.items()}


def _convert_scalar(hint: Any, value: Any, key: str, source: Source) -> Any:
    if hint is Any:
        return value
    if hint is Path and isinstance(value, str):
        return Path(value).expanduser()
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is hint:
        return value
    names = {str: "a text", int: "a whole number", float: "a number", bool: "true or false",
             Path: "a path"}
    raise source.error(key, f"must be {names.get(hint, hint)}, not {_kind(value)}")


def _kind(value: Any) -> str:
    kinds = {str: "a text", int: "a whole number", float: "a number", bool: "true or false",
             list: "a list", dict: "a table"}
    return kinds.get(type(value), type(value).__name__)


def documented(cls: type[Any], prefix: str = "") -> Iterator[Documented]:
    """Every key below ``cls`` with its type, default and sentence, in order of declaration."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        hint, key = hints[field.name], f"{prefix}{field.name}"
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            yield from documented(hint, f"{key}.")
            continue
        default = field.default
        if default is dataclasses.MISSING:
            factory = field.default_factory
            default = factory() if factory is not dataclasses.MISSING else None
        yield Documented(key, _type_name(hint), default, field.metadata.get("doc", ""))


def _type_name(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return " | ".join(repr(a) for a in typing.get_args(hint))
    return getattr(hint, "__name__", None) if isinstance(hint, type) else str(hint)  # type: ignore
