"""Asks a server for the facts of one model, and remembers them by its manifest, or what is damaged."""

from collections.abc import Iterable

from modeltui.domain.models import LoadedModel, ModelDetails
from modeltui.domain.names import ModelName
from modeltui.errors import NotFound, ServerError
from modeltui.services.servers import Link
from modeltui.services.tree import Services


class Opening:
    """Opens the models of one server."""

    def __init__(self, services: Services, link: Link) -> None:
        self._services = services
        self._link = link

    async def details(self, name: ModelName, digest: str | None) -> ModelDetails:
        """The facts of a model that is listed, as `_shown`; notes when it cannot be opened at all."""
        try:
            return await self._shown(name, digest)
        except NotFound as error:
            self.mark_damaged(digest, error.words)
            raise

    async def _shown(self, name: ModelName, digest: str | None) -> ModelDetails:
        """Ask for a model's facts and remember the short ones, and that it can be opened."""
        facts, server_id = self._services.store.facts, self._link.id
        now = self._services.clock()
        shown = await self._link.api.show(name)
        if digest:
            short = {
                "weights": shown.weights,
                "capabilities": sorted(shown.capabilities) if shown.capabilities is not None else None,
                "parameter_count": shown.parameter_count,
                "context": shown.context,
            }
            self._services.remember(lambda: facts.set_whole(server_id, digest))
            if short != facts.details(digest):
                self._services.remember(lambda: facts.set_details(digest, short, now))
            self._remember_shape(digest, shown, now)
        return shown

    def _remember_shape(self, digest: str, shown: ModelDetails, now: int) -> None:
        """Keep what estimates of memory and speed ask for, so that no model need be asked again for it."""
        from modeltui.store.measurements import shape_of

        measurements, shape = self._services.store.measurements, shape_of(shown)
        if shape and shape != self._services.recall(lambda: measurements.shape(digest), None):
            self._services.remember(lambda: measurements.set_shape(digest, shape, now))

    def mark_damaged(self, digest: str | None, words: str, *, layers: bool = False) -> None:
        """Remember that a manifest is listed here and cannot be opened, or lacks `layers`."""
        if digest:
            facts, server_id, now = self._services.store.facts, self._link.id, self._services.clock()
            self._services.remember(lambda: facts.set_damaged(server_id, digest, words, now, layers=layers))

    def mark_whole(self, digest: str | None) -> None:
        """Remember that a manifest can be opened here and lacks no layer."""
        if digest:
            facts, server_id = self._services.store.facts, self._link.id
            self._services.remember(lambda: facts.set_whole(server_id, digest, layers=True))

    async def weights(self, name: ModelName, digest: str | None) -> str | None:
        """The weights blob of a model, remembered by manifest digest; None where the server cannot say."""
        facts = self._services.store.facts
        known = self._services.recall(lambda: facts.details(digest), None) if digest else None
        if known and isinstance(known.get("weights"), str):
            return str(known["weights"])
        try:
            return (await self._shown(name, digest)).weights
        except ServerError:
            return None  # a loaded model that was deleted, or a damaged one: its weights stay unknown

    async def weights_of_loaded(self, loaded: Iterable[LoadedModel]) -> dict[str, str]:
        """Manifest digest -> weights blob of what is loaded, looked up once a manifest."""
        found: dict[str, str] = {}
        for row in loaded:
            if row.digest and row.name:
                weights = await self.weights(row.name, row.digest)
                if weights:
                    found[row.digest] = weights
        return found
