"""A microWakeWord network run without its package's bookkeeping.

The package computes a score with a dozen small arrays and an exact mean of fractions, which is
most of what listening costs; here the tensors are filled in place. The scores are the same.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np

_CHUNK = 320
"""Bytes of the 10 ms that the feature frontend takes at a time."""


class Frontend:
    """Features of a stream: 40 values every 10 ms."""

    def __init__(self) -> None:
        from pymicro_features import MicroFrontend

        self._frontend: Any = MicroFrontend()
        self._rest = b""

    def accept(self, pcm: bytes) -> Iterator[list[float]]:
        """Take more 16-bit audio at 16 kHz; the features it completes."""
        audio = self._rest + pcm if self._rest else pcm
        place = 0
        while len(audio) - place >= _CHUNK:
            result = self._frontend.process_samples(audio[place:place + _CHUNK])
            place += 2 * result.samples_read
            if result.features:
                yield result.features
        self._rest = audio[place:]

    def reset(self) -> None:
        """Forget everything heard."""
        self._frontend.reset()
        self._rest = b""


class Network:
    """Scores of features.

    Args:
        package: The package's ``MicroWakeWord``, whose interpreter is used.
    """

    def __init__(self, package: Any) -> None:
        self._package = package
        self.stride: int = package.stride
        """Features a score."""
        self._bind()

    def score(self, features: list[float]) -> float:
        """Score, 0 to 1, of the values of ``stride`` successive features."""
        values = np.array(features)
        values /= self._scale
        values += self._zero
        np.rint(values, values)
        self._input[:] = values
        library = self._library
        library.TfLiteTensorCopyFromBuffer(self._input_tensor, self._input_at, self._input.nbytes)
        library.TfLiteInterpreterInvoke(self._interpreter)
        library.TfLiteTensorCopyToBuffer(self._output_tensor, self._output_at,
                                         self._output.nbytes)
        return float((self._output.astype(np.float32) - self._out_zero)[0] * self._out_scale)

    def reset(self) -> None:
        """Forget everything heard."""
        self._package.reset()
        self._bind()

    def _bind(self) -> None:
        """The interpreter's tensors, which are new after a reset."""
        package = self._package
        self._library, self._interpreter = package.lib, package.interpreter
        self._input_tensor, self._output_tensor = package.input_tensor, package.output_tensor
        self._scale, self._zero = package.input_scale, package.input_zero_point
        self._out_scale = np.float32(package.output_scale)
        self._out_zero = package.output_zero_point
        size = self._library.TfLiteTensorByteSize(self._input_tensor)
        self._input = np.zeros(size // np.dtype(package.input_dtype).itemsize,
                               package.input_dtype)
        self._output = np.zeros(1, package.output_dtype)
        self._input_at = self._input.ctypes.data_as(ctypes.c_void_p)
        self._output_at = self._output.ctypes.data_as(ctypes.c_void_p)
