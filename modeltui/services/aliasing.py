"""The alias of the current model: a name on the server that points at it, for programs that send one name."""

from modeltui.domain.models import Model, find
from modeltui.domain.names import ModelName, from_typed, same
from modeltui.errors import ModeltuiError
from modeltui.services.library import Library
from modeltui.services.servers import Link
from modeltui.services.tree import Services


class Alias:
    """The configured alias on one server; nothing is done where none is configured."""

    def __init__(self, services: Services, link: Link, library: Library) -> None:
        self._services = services
        self._link = link
        self._library = library
        self._facts = services.store.facts

    async def stranger(self, model: Model) -> str | None:
        """Its name, if it exists, points elsewhere, and was last written by someone else."""
        if self._services.config.alias is None:
            return None
        alias = from_typed(self._services.config.alias)
        there = find(await self._link.api.models(), alias)
        if there is None or there.digest == model.digest:
            return None
        written = self._facts.alias(self._link.id, alias)
        return None if written is not None and written.digest == there.digest else alias.short

    async def point(self, model: Model, *, overwrite: bool) -> str | None:
        """Re-point it, if it is absent or last written by us, or `overwrite` is said."""
        if self._services.config.alias is None or model.name is None:
            return None
        try:
            alias = from_typed(self._services.config.alias)
            if not overwrite and await self.stranger(model):
                return (
                    f"the alias {alias.short} was not written by modeltui and is left as it is; "
                    f"point it: modeltui cp --yes {model.shown} {alias.short}"
                )
            models = await self._link.api.models()
            there = find(models, alias)
            if there is not None and there.digest == model.digest:
                self._remember(alias, model)
                return None
            await self._link.api.copy(model.name, alias)
            await self._library.relist()
            self._remember(alias, model)
            self._services.log(self._link, "alias", f"{alias.short} -> {model.shown}")
            if there and all(m.digest != there.digest or same(m.name, alias) for m in models):
                return (
                    f"the model that {alias.short} named had no other name: its layers stay until a restart"
                )
        except ModeltuiError as error:
            self._services.log(self._link, "alias", model.shown, error.message)
            return f"the alias could not be pointed: {error.message}"
        return None

    def _remember(self, alias: ModelName, model: Model) -> None:
        target, digest, now = model.name, model.digest, self._services.clock()
        if target is not None and digest is not None:
            self._services.remember(lambda: self._facts.set_alias(self._link.id, alias, target, digest, now))
