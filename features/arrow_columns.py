"""Arrow columns from strings and numpy arrays, and back: by their bytes.

`pyarrow.array`, `to_numpy` and `to_pandas_dtype` import pandas wherever it is installed, to see whether they were
handed a Series. Scoring, which hands them none, would wait for that; bytes do without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Flags = npt.NDArray[np.bool_]
_NAMES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")
NUMPY_TYPES: Mapping[pa.DataType, np.dtype[Any]] = {pa.from_numpy_dtype(name): np.dtype(name) for name in _NAMES}


def strings(values: Iterable[str | None]) -> pa.StringArray:
    """One row a text, NULL for None; up to 2 GB of text in all. Raises UnicodeEncodeError for half a surrogate."""
    encoded = [None if value is None else value.encode() for value in values]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(text or b"") for text in encoded], out=offsets[1:])
    if offsets[-1] > np.iinfo(np.int32).max:
        raise OverflowError(f"{offsets[-1]:,} bytes of text in one column, 2 GB is the end; make several columns")
    unknown = np.array([text is None for text in encoded], dtype=np.bool_)
    text = pa.py_buffer(b"".join(text or b"" for text in encoded))
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets.astype(np.int32)), text, _validity(unknown))


def numbers(values: npt.NDArray[Any], unknown: Flags | None = None) -> pa.Array:
    """One row a number or flag, of the Arrow type of the array's own; NULL where `unknown`."""
    kind = pa.from_numpy_dtype(values.dtype)
    data = _bits(values) if kind == pa.bool_() else pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None if unknown is None else _validity(unknown), data])


def to_array(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """The numbers or flags of a column; NaN for NULL. Raises ValueError for a NULL in what has no NaN."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    kind = NUMPY_TYPES[column.type]
    return np.concatenate([np.empty(0, kind), *(_chunk(chunk, kind) for chunk in chunks)])


def _chunk(chunk: pa.Array, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    validity, data = chunk.buffers()
    place = slice(chunk.offset, chunk.offset + len(chunk))
    if not len(chunk):
        return np.empty(0, kind)
    values = _flags(data)[place] if kind == np.bool_ else np.frombuffer(data, kind)[place]
    if not chunk.null_count:
        return values
    if not np.issubdtype(kind, np.floating):
        raise ValueError(f"{chunk.null_count:,} NULLs in a column of {chunk.type}, which has no NaN for them")
    return np.where(_flags(validity)[place], values, kind.type(np.nan))


def _validity(unknown: Flags) -> pa.Buffer | None:
    return _bits(~unknown) if unknown.any() else None


def _bits(flags: Flags) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


def _flags(bits: pa.Buffer) -> Flags:
    return np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little").astype(np.bool_)
