"""A stream that takes or gives no more data until somebody reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Jam:
    """How the streams stand at which a task is held up.

    Attributes:
        does: ``drain``, ``send`` (a bare socket) or ``wait`` (for a child process to end).
        local: Address of this end of the connection; "" for pipes.
        peer: Address of the other end; "" for pipes.
        same: True when the kernel says that this process made the other end, too: of a Unix
            socket, which has no address of its own.
        pid: Of the child process at the other end of the pipe; None for a connection.
        unsent: Bytes that could not be sent yet.
        paused: Streams of the same connection or child that are not read, for their buffers
            are full: ``reading``, or ``stdout`` and ``stderr``.
        buffered: Bytes that lie in these buffers.
        stands: The kernel's function in which the child's main thread stands
            (``pipe_write``); "" where that can't be read.
    """

    does: str
    local: str = ""
    peer: str = ""
    same: bool = False
    pid: int | None = None
    unsent: int = 0
    paused: tuple[str, ...] = ()
    buffered: int = 0
    stands: str = ""
