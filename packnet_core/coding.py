"""The owner map in few bits: several owners a byte, then Huffman's code.

As many owners as fit are packed into each byte, as digits of a number;
zlib's Huffman code then comes within a fraction of a percent of the
map's entropy, and its run lengths shrink layers with one owner to
almost nothing.
"""

import zlib

import numpy
from numpy.typing import NDArray

Bytes = NDArray[numpy.uint8]


def digits(owners: int) -> int:
    """How many numbers below `owners` fit into one byte, at least one."""
    return next(n for n in range(8, 0, -1) if max(owners, 2) ** n <= 256)


def encode(owner: Bytes, tasks: int) -> Bytes:
    """Code a flat owner map (n,) with values up to `tasks`; bytes (m,)."""
    base, size = tasks + 1, digits(tasks + 1)
    padded = numpy.zeros(-(-len(owner) // size) * size, dtype=numpy.uint8)
    padded[: len(owner)] = owner
    packed = numpy.zeros(len(padded) // size, dtype=numpy.uint8)
    for column in padded.reshape(-1, size).T:
        packed = packed * numpy.uint8(base % 256) + column
    coder = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    code = coder.compress(packed.data) + coder.flush()
    return numpy.frombuffer(code, dtype=numpy.uint8)


def decode(code: Bytes, tasks: int, length: int) -> Bytes:
    """The flat owner map (length,) behind a code.

    Never takes more memory than a map of that length needs. Raises
    ValueError if the code is not one of `length` owners up to `tasks`.
    """
    base, size = tasks + 1, digits(tasks + 1)
    expected = -(-length // size)
    decoder = zlib.decompressobj()
    try:
        data = decoder.decompress(code.tobytes(), expected + 1)
    except zlib.error as error:
        raise ValueError(f"owner map: {error}") from error
    if len(data) != expected or not decoder.eof or decoder.unused_data:
        raise ValueError(f"owner map: not a code of {length} owners")
    values = numpy.arange(256)
    powers = base ** numpy.arange(size - 1, -1, -1)
    table = (values[:, None] // powers % base).astype(numpy.uint8)
    packed = numpy.frombuffer(data, dtype=numpy.uint8)
    if len(packed) and packed.max() >= base**size:
        raise ValueError(f"owner map: an owner above {tasks}")
    return table[packed].reshape(-1)[:length]
