"""Memory: how much a computation may take, and whether an error says that there was none left."""

from __future__ import annotations

GIB = 2**30
MOST_MEMORY = 8 * GIB  # bytes that one row space may take where the caller names no limit


def in_words(size: float) -> str:
    """A number of bytes, such as `1.2 GiB`."""
    return f"{size / GIB:.3g} GiB" if size >= GIB / 2 else f"{size / 2**20:.3g} MiB"


def in_bytes(gib: float | None) -> int:
    """A limit in GiB as bytes; the default where there is none."""
    return MOST_MEMORY if gib is None else int(gib * GIB)


def ran_out(error: BaseException) -> bool:
    """Whether an error means that the memory of this process or machine was used up."""
    return isinstance(error, MemoryError) or (
        type(error).__name__ in ("XlaRuntimeError", "JaxRuntimeError")
        and "RESOURCE_EXHAUSTED" in str(error)
    )
