"""Sends of a line only the cells that changed: Textual sends it from the left edge of its widget on."""

from typing import Any

from rich.console import Console
from textual._compositor import ChopsUpdate
from textual.geometry import clamp
from textual.strip import Strip


class NarrowUpdate(ChopsUpdate):
    """An update whose parts begin where the changed cells do. Over SSH each meter would be a whole line."""

    @classmethod
    def of(cls, update: Any) -> Any:
        """The same update, narrow; whatever else is to be displayed as it is."""
        return cls(update.chops, update.spans, update.chop_ends) if type(update) is ChopsUpdate else update

    def render_segments(self, console: Console) -> str:
        """The terminal sequences. Each part is placed by itself: no line ends are needed between them."""
        sequences = []
        for y, first, last in self.spans:
            for end, (start, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or start >= last or end <= first:
                    continue
                x1, x2 = clamp(first, start, end), clamp(last, start, end)
                part: Strip = strip.crop(x1 - start, x2 - start)
                sequences.append(f"\x1b[{y + 1};{x1 + 1}H{part.render(console)}")
        return "".join(sequences)
