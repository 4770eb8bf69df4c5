"""Keeps what published scores say of the whole catalog: made once, off the event loop, for all who ask."""

import asyncio
from typing import TYPE_CHECKING

from modeltui.domain.advice.suitability import Suitability, suitabilities
from modeltui.services.suiting import quality_of

if TYPE_CHECKING:
    from modeltui.domain.advice.quality import Quality
    from modeltui.domain.catalog.series import Catalog, Tag
    from modeltui.tui.stateful import StatefulApp


async def quality_for(app: "StatefulApp", catalog: "Catalog") -> "Quality":
    """The levels of a catalog's models; those of the one that the app has are kept for whoever comes next."""
    if catalog is app.catalog and app.quality is not None:
        return app.quality
    made = await asyncio.to_thread(quality_of, catalog)
    if catalog is app.catalog:
        app.quality = app.quality or made  # another screen may have been quicker
        return app.quality
    return made


async def suits_of(app: "StatefulApp", tag: "Tag") -> tuple[Suitability, ...]:
    """How suitable a tag of the app's catalog is for every task; none while there is no catalog.

    Some 100 ms the first time, in a thread.
    """
    if (catalog := app.catalog) is None:
        return ()
    quality = await quality_for(app, catalog)
    series = catalog.series.get(tag.series.casefold())
    return await asyncio.to_thread(suitabilities, quality, series, tag)
