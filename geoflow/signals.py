"""Signals that end a run as Ctrl-C does: what is finished stays, and is told of."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = ("SIGTERM", "SIGHUP")


class Terminated(KeyboardInterrupt):
    """Another program asked this one to end. `number` is that of the signal."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.number = number


def exit_code(error: KeyboardInterrupt) -> int:
    """What a shell says of a program that the signal ended."""
    return 128 + (error.number if isinstance(error, Terminated) else signal.SIGINT)


def ending_word(error: KeyboardInterrupt) -> str:
    """`interrupted` or `terminated`."""
    return "terminated" if isinstance(error, Terminated) else "interrupted"


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Signals that would end the process raise `Terminated` instead, so that files are closed and workers ended.

    A signal that is ignored, as under `nohup`, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    for name in _ENDING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            before[number] = signal.signal(number, _raise)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held() -> Iterator[None]:
    """Signals that end a run wait until this is over. Processes that are started meanwhile never hear Ctrl-C, which a
    terminal sends to all: it is for this process to end them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    numbers = {signal.SIGINT, *(getattr(signal, name) for name in _ENDING if hasattr(signal, name))}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _raise(number: int, frame: FrameType | None) -> None:
    raise Terminated(number)


def end_with_parent() -> None:
    """A worker whose parent is gone ends too: nobody waits for what it does."""
    parent = os.getppid()
    threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    pause = threading.Event()
    while os.getppid() == parent:
        pause.wait(1.0)
    os._exit(1)
