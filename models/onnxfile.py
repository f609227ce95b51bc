"""Writing an ONNX file: just enough of its protocol-buffer format, with numpy alone.

The field numbers are those of ``onnx.proto`` (IR version 8),
https://onnx.ai/onnx/repo-docs/IR.html.
The same graph always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

IR_VERSION = 8
OPSET = 17

_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int64": 7}

Attribute = int | float | Sequence[int]


@dataclass
class Graph:
    """A graph being written; every method that adds a node returns its output's name."""

    name: str
    nodes: list[bytes] = field(default_factory=list)
    constants: list[bytes] = field(default_factory=list)
    _kept: dict[str, str] = field(default_factory=dict)

    def constant(self, name: str, values: npt.NDArray[Any]) -> str:
        """Add a tensor that is stored in the file."""
        data = np.ascontiguousarray(values)
        body = b"".join(_number(1, size) for size in data.shape)
        body += _number(2, _TYPES[data.dtype.name]) + _text(8, name)
        self.constants.append(_bytes(5, body + _bytes(9, data.tobytes())))
        return name

    def integers(self, *values: int) -> str:
        """A small ``int64`` vector, stored once however often it is asked for."""
        name = "i_" + "_".join(str(v).replace("-", "m") for v in values)
        if name not in self._kept:
            self._kept[name] = self.constant(name, np.array(values, np.int64))
        return name

    def add(self, operator: str, inputs: Iterable[str], output: str, *more: str,
            **attributes: Attribute) -> str:
        """Add a node; the name of its (first) output.

        Args:
            operator: Name of the ONNX operator.
            inputs: Names of its inputs; empty ones are left out.
            output: Name of its first output.
            more: Names of its further outputs.
            attributes: Its attributes.
        """
        body = b"".join(_text(1, name) for name in inputs)
        body += b"".join(_text(2, name) for name in (output, *more))
        body += _text(3, f"{operator}:{output}") + _text(4, operator)
        body += b"".join(_bytes(5, _attribute(k, v)) for k, v in sorted(attributes.items()))
        self.nodes.append(_bytes(1, body))
        return output

    def serialise(self, inputs: dict[str, Sequence[str | int]], output: str,
                  shape: Sequence[str | int], producer: str) -> bytes:
        """The bytes of the ONNX file.

        Args:
            inputs: Shape of each input, all ``int64``; texts name free dimensions.
            output: The one output, ``float32``.
            shape: Its shape.
            producer: Written into the file as what made it.
        """
        body = b"".join(self.nodes) + _text(2, self.name) + b"".join(self.constants)
        body += b"".join(_value(11, name, 7, dims) for name, dims in inputs.items())
        body += _value(12, output, 1, shape)
        opset = _text(1, "") + _number(2, OPSET)
        return (_number(1, IR_VERSION) + _text(2, producer) + _bytes(7, body)
                + _bytes(8, opset))


def _value(tag: int, name: str, kind: int, shape: Sequence[str | int]) -> bytes:
    dims = b"".join(_bytes(1, _number(1, d) if isinstance(d, int) else _text(2, d))
                    for d in shape)
    tensor = _number(1, kind) + _bytes(2, dims)
    return _bytes(tag, _text(1, name) + _bytes(2, _bytes(1, tensor)))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, 2)
    if isinstance(value, float):
        single = np.array(value, "<f4").tobytes()
        return _text(1, name) + _varint(2 << 3 | 5) + single + _number(20, 1)
    return _text(1, name) + b"".join(_number(8, v) for v in value) + _number(20, 7)


def _number(tag: int, value: int) -> bytes:
    return _varint(tag << 3) + _varint(value & (1 << 64) - 1)


def _text(tag: int, value: str) -> bytes:
    return _bytes(tag, value.encode())


def _bytes(tag: int, value: bytes) -> bytes:
    return _varint(tag << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
