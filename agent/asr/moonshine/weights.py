"""Signed weights for processors that multiply unsigned by signed bytes in one instruction.

The published networks hold their quantised weights as unsigned bytes. x86-64 processors with
VNNI multiply unsigned activations by *signed* weights; for unsigned ones onnxruntime falls back
to kernels that take about twice as long. Shifting weights and their zero points by 128 changes
no result: ``(w - 128) - (z - 128) = w - z`` in integers. Without VNNI the signed kernels are
inexact, so there, and on other architectures, the weights stay as they are.
"""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_INT8 = 3
_UINT8 = 2
"""ONNX's codes of the two types."""
_WEIGHT_INPUTS = {"DynamicQuantizeMatMul": (1, 3), "MatMulIntegerToFloat": (1, 5)}
"""For each operator: which of its inputs are the weights and their zero point."""
_SHIFT = np.uint8(128)


@contextmanager
def suited(path: Path) -> Iterator[Path]:
    """The file to load a network from: ``path``, or a passing copy with signed weights."""
    if not prefers_signed():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="moonshine-") as folder:
        copy = Path(folder) / path.name
        yield copy if _write_signed(path, copy) else path


def prefers_signed() -> bool:
    """Whether this processor has VNNI."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    try:
        return "vnni" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False


def _write_signed(path: Path, copy: Path) -> bool:
    """Write ``path`` with signed weights to ``copy``; False where that cannot be done."""
    try:
        data = bytearray(path.read_bytes())
        make_signed(data)
        copy.write_bytes(data)
    except Exception:
        # Whatever is wrong with the file, onnxruntime says it better; and where only the copy
        # failed (disk full, another version of the format), the original still works.
        return False
    return True


def make_signed(data: bytearray) -> int:
    """Turn unsigned matrix weights of an ORT-format network into signed ones, in place.

    Args:
        data: The file, a flatbuffer as in onnxruntime's ``core/flatbuffers/schema/ort.fbs``.

    Returns:
        How many tensors were changed.

    Raises:
        ValueError: The network does not have the form that this knows; ``data`` is spoilt.
    """
    graphs = list(_graphs(_root_graph(data)))
    tensors = {entry.Name(): entry for graph in graphs
               for entry in map(graph.Initializers, range(graph.InitializersLength()))}
    wanted, other = _consumers(graphs)
    changed = {name for name in wanted - other if tensors[name].DataType() == _UINT8}
    for name in changed:
        tensor = tensors[name]
        raw: npt.NDArray[np.uint8] = tensor.RawDataAsNumpy()
        start = tensor._tab.Vector(tensor._tab.Offset(12))
        np.frombuffer(data, np.uint8)[start:start + len(raw)] ^= _SHIFT
        _set_int32(data, tensor, 10, _INT8)
    for graph in graphs:
        for argument in map(graph.NodeArgs, range(graph.NodeArgsLength())):
            if argument.Name() in changed:
                _set_int32(data, _tensor_type(argument), 4, _INT8)
    return len(changed)


def _root_graph(data: bytearray) -> Any:
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs import InferenceSession

    session = InferenceSession.InferenceSession
    if not session.InferenceSessionBufferHasIdentifier(data, 0):
        raise ValueError("not an ORT-format network")
    return session.GetRootAs(data, 0).Model().Graph()


def _graphs(graph: Any) -> Iterator[Any]:
    """A graph and all graphs inside it."""
    yield graph
    for node in map(graph.Nodes, range(graph.NodesLength())):
        for attribute in map(node.Attributes, range(node.AttributesLength())):
            inner = attribute.G()
            if inner is not None:
                yield from _graphs(inner)


def _consumers(graphs: list[Any]) -> tuple[set[bytes], set[bytes]]:
    """Names used as weights of a matrix product, and names used in any other way."""
    weights: set[bytes] = set()
    other: set[bytes] = set()
    for graph in graphs:
        for node in map(graph.Nodes, range(graph.NodesLength())):
            places = _WEIGHT_INPUTS.get(node.OpType().decode(), ())
            for place, name in enumerate(map(node.Inputs, range(node.InputsLength()))):
                (weights if place in places and name else other).add(name)
    return weights, other


def _tensor_type(argument: Any) -> Any:
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs import TensorTypeAndShape

    union = argument.Type().Value()
    described = TensorTypeAndShape.TensorTypeAndShape()
    described.Init(union.Bytes, union.Pos)
    return described


def _set_int32(data: bytearray, table: Any, slot: int, value: int) -> None:
    """Overwrite a field of a flatbuffer table."""
    offset = table._tab.Offset(slot)
    if offset == 0:
        raise ValueError("a field to change is left at its default")
    at = table._tab.Pos + offset
    data[at:at + 4] = value.to_bytes(4, "little")
