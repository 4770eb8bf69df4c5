"""What was predicted of a loaded model beside what the server says of it, like with like."""

from collections.abc import Iterable
from dataclasses import dataclass

from modeltui.domain.advice.fit import FitKind
from modeltui.domain.machines.hardware import Gpus
from modeltui.domain.machines.machine import Card, Machine
from modeltui.domain.memory.architecture import Facts
from modeltui.domain.memory.estimate import needs, place, printed
from modeltui.domain.memory.serving import Serving
from modeltui.domain.models import LoadedModel


@dataclass(frozen=True, slots=True)
class Prediction:
    """In bytes. `printed` is what the server should say of it (`size` of `/api/ps`), `actual` what it says.

    `on_cards` is what its cards should really give for it wholly on the GPU, `really` that and what of it
    lies in RAM all the same.
    """

    printed: int
    actual: int | None
    on_cards: int
    really: int

    @property
    def deviation(self) -> float | None:
        """How far the server's number is above the predicted one, as a share of it (0.02: 2 % more)."""
        if not self.actual or self.printed <= 0:
            return None
        return self.actual / self.printed - 1


@dataclass(frozen=True, slots=True)
class CardUse:
    """Bytes of the cards that Ollama's programs hold, by the driver, and what was predicted for them."""

    predicted: int
    actual: int

    @property
    def deviation(self) -> float:
        return self.actual / self.predicted - 1


def predict(
    facts: Facts, runner: LoadedModel, serving: Serving, machine: Machine | None, kind: FitKind
) -> Prediction | None:
    """The prediction for a runner that lies as `kind` says; None without its context (before 0.10)."""
    if not runner.context or kind not in (FitKind.GPU, FitKind.SPLIT, FitKind.CPU):
        return None
    cards = _used(facts, runner.context, serving, machine)
    if machine is not None and not machine.cards:
        needed = place(facts, runner.context, serving, machine).needs
    else:
        needed = needs(facts, runner.context, serving, cards)
    return Prediction(
        printed=printed(facts, runner.context, serving, kind, cards if kind is not FitKind.CPU else ()),
        actual=runner.size,
        on_cards=needed.total,
        really=needed.total + needed.embedding_in_ram,
    )


def card_use(predictions: Iterable[Prediction | None], gpus: Gpus | None) -> CardUse | None:
    """What the driver says that Ollama holds, beside the sum of what was predicted for models on the GPU.

    None where the driver does not tell who holds what, and where a model has no prediction.
    """
    found = list(predictions)
    users = [user for card in gpus.cards for user in card.users or () if user.is_ollama] if gpus else []
    if not users or not found or any(user.used is None for user in users):
        return None
    predicted = sum(each.on_cards for each in found if each is not None)
    actual = sum(user.used or 0 for user in users)
    return CardUse(predicted, actual) if predicted and actual and None not in found else None


def _used(facts: Facts, context: int, serving: Serving, machine: Machine | None) -> tuple[Card, ...]:
    """The cards that a model would lie on; none where nothing is known of them."""
    if machine is None or not machine.cards:
        return ()
    placed = place(facts, context, serving, machine)
    used = tuple(card for card, taken in zip(machine.cards, placed.by_card, strict=True) if taken)
    return used or machine.cards[:1]
