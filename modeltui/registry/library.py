"""Fetches the pages of the live library, carefully and politely: few at once, with pauses and few tries.

Pages: /library (all models) and /library/NAME/tags, HTML only; there is no other list of what can be pulled.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from urllib.parse import quote

from modeltui import errors
from modeltui.domain.catalog.merging import Card, ListedTag
from modeltui.registry.manifests import ask
from modeltui.registry.pages import read_cards, read_tags

HOST = "ollama.com"
AT_ONCE = 4
TRIES = 3
PAUSE_S = 0.3
"""So long each of the few rests after a page, and twice as long again before each further try."""

_PAGE_S = 30.0
_LARGEST_PAGE = 16_000_000
_HTML = "text/html"


async def read_library(base_url: str, now_ms: int, *, pause_s: float = PAUSE_S) -> tuple[Card, ...]:
    """All models that the library lists; raises ServerError, Garbled where the page lists none."""
    what, url = "cannot read the library", f"{base_url.rstrip('/')}/library"
    page = await _page(what, url, pause_s)
    cards = await asyncio.to_thread(read_cards, page, now_ms)
    if not cards:
        raise _unread(what, url, "the page links to no model")
    return cards


async def read_tags_of(
    cards: Iterable[Card], base_url: str, *, pause_s: float = PAUSE_S
) -> AsyncGenerator[tuple[Card, tuple[ListedTag, ...] | errors.ServerError], None]:
    """The tags of each of these models as they come, or why they could not be read; the order is any.

    Closing the iterator ends what is under way.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(card: Card) -> tuple[Card, tuple[ListedTag, ...] | errors.ServerError]:
        async with gate:
            try:
                return card, await _tags(card, base_url, pause_s)
            except errors.ServerError as error:
                return card, error
            finally:
                await asyncio.sleep(pause_s)

    tasks = [asyncio.create_task(one(card)) for card in cards]
    try:
        for done in asyncio.as_completed(tasks):
            yield await done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _tags(card: Card, base_url: str, pause_s: float) -> tuple[ListedTag, ...]:
    """A model's tags; raises ServerError, Garbled where they are fewer than the library says."""
    what = f"cannot read the tags of {card.name}"
    url = f"{base_url.rstrip('/')}/library/{quote(card.name, safe='')}/tags"
    tags = await asyncio.to_thread(read_tags, await _page(what, url, pause_s), card.name)
    if not tags:
        raise _unread(what, url, "the page links to no tag")
    if card.tag_count is not None and len(tags) < card.tag_count:
        raise _unread(what, url, f"the page links to {len(tags)} tags of {card.tag_count}")
    if all(tag.digest is None for tag in tags):
        raise _unread(what, url, "the page says no digest of any tag")
    return tags


async def _page(what: str, url: str, pause_s: float) -> str:
    """One page as text; a failure that may pass is tried again."""
    for left in range(TRIES - 1, -1, -1):
        try:
            reply = await ask(what, url, accept=_HTML, limit_s=_PAGE_S, largest=_LARGEST_PAGE)
            return reply.body.decode("utf-8", "replace")
        except errors.ServerError as error:
            if not left or not error.retryable:
                raise
        await asyncio.sleep(pause_s * 2 ** (TRIES - left))
    raise AssertionError("the last try returns or raises")


def _unread(what: str, url: str, words: str) -> errors.Garbled:
    return errors.Garbled(
        what, url=url, words=words, remedy="the site may have changed: the catalog stays as it is"
    )
