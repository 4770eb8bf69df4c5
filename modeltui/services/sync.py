"""Reconciles what is remembered with what the server has: what changed outside is said, and taken over."""

import contextlib
from dataclasses import dataclass
from functools import partial

from modeltui.domain.models import ModelState, find
from modeltui.domain.names import from_listed, from_typed, same
from modeltui.errors import NotFound
from modeltui.services.library import Library, Listing
from modeltui.services.opening import Opening
from modeltui.services.servers import Link
from modeltui.services.switching import Switching
from modeltui.services.tree import Services


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was: `kind` is a stable word, `words` a sentence."""

    kind: str
    subject: str
    words: str
    remedy: str | None = None


class Sync:
    """Sync of one server."""

    def __init__(self, services: Services, link: Link) -> None:
        self._services = services
        self._link = link
        self._library = Library(services, link)
        self._opening = Opening(services, link)

    async def run(self, listing: Listing | None = None) -> tuple[Finding, ...]:
        """Look at everything once, or at a list just had; raises ServerError when it cannot be had."""
        listing = listing or await self._library.listing()
        found = [*self._outside(listing), *self._current(listing), *self._alias(listing)]
        found += await self._damaged(listing)
        found += self._deleted_but_loaded(listing)
        if found:
            self._services.log(self._link, "sync", f"{len(found)} findings")
        return tuple(found)

    def _outside(self, listing: Listing) -> list[Finding]:
        """What someone else removed or replaced; the current model and the alias have words of their own."""
        apart = [listing.current.name] if listing.current else []
        if self._services.config.alias is not None:
            apart.append(from_typed(self._services.config.alias))
        keys = {name.key for name in apart}
        changed = [("removed", name) for name in listing.removed]
        changed += [("replaced", name) for name in listing.replaced]
        return [
            Finding(kind, name, f"{name} was {kind} outside")
            for kind, name in changed
            if (known := from_listed(name)) is None or known.key not in keys
        ]

    def _current(self, listing: Listing) -> list[Finding]:
        current = listing.current
        if current is None:
            return []
        short = current.name.short
        if listing.missing is not None:
            return [
                Finding(
                    "current_missing",
                    short,
                    f"the current model {short} is no longer installed",
                    f"modeltui pull {short}, or modeltui switch to another",
                )
            ]
        found = []
        model = find(listing.models, current.name)
        switching = Switching(self._services, self._link)
        if model is not None and model.digest != current.digest:
            if current.digest is not None:
                found.append(
                    Finding("current_replaced", short, f"the current model {short} was replaced outside")
                )
            self._services.remember(lambda: switching.replaced(model))
        note = switching.write_state_file(current.name)
        return [*found, Finding("state_file", short, note)] if note else found

    def _alias(self, listing: Listing) -> list[Finding]:
        configured = self._services.config.alias
        if configured is None or listing.current is None:
            return []
        alias = from_typed(configured)
        there = find(listing.models, alias)
        target = find(listing.models, listing.current.name)
        remedy = f"modeltui switch --record-only {listing.current.name.short}"
        if there is None:
            return [Finding("alias_missing", alias.short, f"the alias {alias.short} does not exist", remedy)]
        if target is not None and there.digest != target.digest:
            written = self._services.store.facts.alias(self._link.id, alias)
            if written is None or written.digest != there.digest:
                remedy = f"modeltui cp --yes {target.shown} {alias.short}"
            words = f"the alias {alias.short} does not point to {target.shown}"
            return [Finding("alias_elsewhere", alias.short, words, remedy)]
        return []

    async def _damaged(self, listing: Listing) -> list[Finding]:
        """Models noted as damaged are tried again; what is gone from the list is forgotten."""
        facts = self._services.store.facts
        listed = {model.digest for model in listing.models}
        for digest in set(facts.damaged(self._link.id)) - listed:
            self._services.remember(partial(facts.set_whole, self._link.id, digest, layers=True))
        found = []
        for entry in listing.entries:
            if entry.state is not ModelState.DAMAGED or entry.model.name is None:
                continue
            with contextlib.suppress(NotFound):  # which is noted, and so read again below
                await self._opening.details(entry.model.name, entry.model.digest)
            trouble = facts.damaged(self._link.id).get(entry.model.digest or "")
            if trouble is not None:
                words = f"{entry.model.shown} is damaged: {trouble}"
                found.append(
                    Finding("damaged", entry.model.shown, words, f"modeltui pull {entry.model.shown}")
                )
        return found

    def _deleted_but_loaded(self, listing: Listing) -> list[Finding]:
        """A deleted model stays in memory, and can no longer be unloaded by its name."""
        gone = [
            row
            for row in listing.loaded or ()
            if not any(same(model.name, row.name) or model.sent == row.sent for model in listing.models)
            and not any(entry.loaded is row for entry in listing.entries)
        ]
        remedy = "it leaves memory when its keep-alive ends, or when the server is restarted"
        return [
            Finding("deleted_but_loaded", row.shown, f"{row.shown} was deleted while it was loaded", remedy)
            for row in gone
        ]
