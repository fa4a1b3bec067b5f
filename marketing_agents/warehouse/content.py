"""What a slice contains, as a hash: the same for the same rows, whatever their order, chunks, encoding, process or machine.

The hash decides whether a restated day is written again, so it must not see buffers' padding, bytes under nulls, or slice offsets.
A table is made canonical once, then any number of its row ranges are hashed by feeding byte ranges: a look-back of 175 days costs one
sort and about 20 microseconds a day.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_DIGEST_BYTES = 16


class ContentHasher:
    """Hashes row ranges of one table whose rows are already in key order (see `in_key_order`)."""

    def __init__(self, table: pa.Table) -> None:
        self._seed = "|".join(f"{field.name}:{field.type}" for field in table.schema).encode()
        self._columns = [_Canonical(table.column(i).combine_chunks()) for i in range(table.num_columns)]

    def digest(self, start: int, stop: int) -> str:
        """Hash of rows `start <= i < stop`, as 32 hex characters."""
        state = hashlib.blake2b(self._seed, digest_size=_DIGEST_BYTES)
        state.update((stop - start).to_bytes(8, "little"))
        for column in self._columns:
            column.feed(state, start, stop)
        return state.hexdigest()


def content_hash(table: pa.Table, key: tuple[str, ...]) -> str:
    """Hash of a whole slice, rows in any order."""
    ordered = in_key_order(table, key)
    return ContentHasher(ordered).digest(0, ordered.num_rows)


def in_key_order(table: pa.Table, key: tuple[str, ...]) -> pa.Table:
    """The rows sorted by `key`, in one chunk."""
    if table.num_rows < 2:
        return table.combine_chunks()
    return table.sort_by([(name, "ascending") for name in key]).combine_chunks()


class _Canonical:
    """One column as flat byte views: validity, then values; offsets and children for text and lists."""

    def __init__(self, array: pa.Array | pa.ChunkedArray) -> None:
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        if isinstance(array, pa.ChunkedArray):
            array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], type=array.type)
        self._validity: np.ndarray | None = None if array.null_count == 0 else np.asarray(pc.is_valid(array).cast(pa.uint8()))
        self._offsets: np.ndarray | None = None
        self._child: _Canonical | None = None
        self._values: memoryview | None = None
        self._width = 1
        kind = array.type
        if pa.types.is_list(kind):
            lengths = pc.fill_null(pc.list_value_length(array), 0)
            self._offsets = _running_offsets(np.asarray(lengths))
            self._child = _Canonical(pc.list_flatten(array))
        elif pa.types.is_string(kind):
            # Re-encoding through take-like kernels gives offsets from 0 and nothing under nulls.
            filled = pc.fill_null(array, "")
            self._offsets = _running_offsets(np.asarray(pc.binary_length(filled)))
            first = int(np.frombuffer(filled.buffers()[1], dtype=np.int32)[filled.offset]) if len(filled) else 0
            data = filled.buffers()[2]
            self._values = memoryview(data)[first:] if data is not None else memoryview(b"")
        else:
            self._values, self._width = _fixed_width(array)

    def feed(self, state: hashlib.blake2b, start: int, stop: int) -> None:
        if self._validity is None:
            state.update(b"\0")
        else:
            valid = self._validity[start:stop]
            # A range without nulls hashes like a column without nulls: neighbours in the table must not show.
            state.update(b"\0" if valid.all() else b"\1" + valid.tobytes())
        if self._offsets is not None:
            offsets = self._offsets[start : stop + 1]
            begin, end = int(offsets[0]), int(offsets[-1])
            state.update((offsets - begin).tobytes())
            if self._child is not None:
                self._child.feed(state, begin, end)
                return
            start, stop = begin, end
        if self._values is not None:
            state.update(self._values[start * self._width : stop * self._width])


def _running_offsets(lengths: np.ndarray) -> np.ndarray:
    import numpy as np

    offsets = np.zeros(len(lengths) + 1, dtype="<i8")
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _fixed_width(array: pa.Array) -> tuple[memoryview, int]:
    """Values as bytes with zeros under nulls, and the width of one value."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_boolean(kind):
        array, kind = array.cast(pa.uint8()), pa.uint8()
    if array.null_count:
        zero = pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(bytes(kind.bit_width // 8))])[0]
        array = pc.fill_null(array, zero)
    if pa.types.is_floating(kind):
        values = np.asarray(array) + 0.0  # -0.0 and 0.0 are the same number
        return memoryview(values.tobytes()), values.dtype.itemsize
    width = kind.bit_width // 8
    data = array.buffers()[1]
    if data is None or len(array) == 0:
        return memoryview(b""), width
    return memoryview(data)[array.offset * width : (array.offset + len(array)) * width], width
