"""Progress: a bar on stderr for what takes long."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click


@contextmanager
def telling(label: str) -> Iterator[Callable[[int, int], None]]:
    """Give what is to be told how much is done, of how much; the first call shows the bar."""
    with ExitStack() as stack:
        bars: list[Any] = []

        def tell(done: int, total: int) -> None:
            if not bars:
                bar = click.progressbar(
                    length=total,
                    label=label,
                    file=sys.stderr,
                    show_pos=True,
                    update_min_steps=max(1, total // 200),
                )
                bars.append(stack.enter_context(bar))
            bars[0].update(done - bars[0].pos)

        yield tell
