"""The meters above what runs: which lines at which width, and that small changes paint nothing."""

from dataclasses import replace

import pytest

from modeltui.domain.layout import cells
from modeltui.domain.machines.hardware import Cpu, Disk, Gpu, Gpus, Host, Memory, RunnerUse
from modeltui.tui.render import Line
from modeltui.tui.widgets.lines import differing
from modeltui.tui.widgets.meters import Steady, hardware_lines

GB = 10**9
CARD = Gpu(
    index=0,
    uuid="GPU-0",
    name="NVIDIA GeForce RTX 4090",
    total=25_770_000_000,
    free=5_670_000_000,
    used=20_100_000_000,
    utilisation=72,
    temperature=61,
    power_mw=288_000,
    power_limit_mw=450_000,
)
HOST = Host(
    gpus=Gpus((CARD,), None, True),
    cpu=Cpu("a processor", 16, 12.0),
    memory=Memory(68_700_000_000, 46_700_000_000),
    disks=(Disk("/models", 10**12, 212 * GB),),
)


def with_cards(*cards: Gpu, note: str | None = None) -> Host:
    return replace(HOST, gpus=Gpus(cards, note, True))


def text_of(line: Line) -> str:
    return "".join(text for text, _ in line)


def shown(host: Host, width: int, steady: Steady | None = None, most: int = 8) -> list[str]:
    return [text_of(line).rstrip() for line in hardware_lines(host, width, steady or Steady(), most)]


def test_one_line_a_card_and_one_for_the_machine() -> None:
    assert shown(HOST, 120) == [
        " RTX 4090      VRAM ████████████▌░░░  20.1/25.8 GB  load ███▌░  70 %   60 °C  290/450 W",
        " this machine  RAM  █████▏░░░░░░░░░░  22.0/68.7 GB  CPU  ▌░░░░  10 %  disk 212 GB free",
    ]


@pytest.mark.parametrize(
    ("width", "has"),
    [
        (80, ["RTX 4090", "20.1/25.8 GB", "load ███▌░  70 %", "60 °C", "290/450 W"]),
        (72, ["RTX 4090", "20.1/25.8 GB", "load ███▌░  70 %", "60 °C"]),
        (60, ["RTX 4090", "VRAM ███████▊░░", "20.1/25.8 GB", "load ███▌░  70 %"]),
        (54, ["RTX 4090", "VRAM ███████▊░░", "20.1/25.8 GB", "load  70 %"]),
        (44, ["RTX 4090", "VRAM ███████▊░░", "20.1/25.8 GB"]),
    ],
)
def test_meters_give_way_by_worth(width: int, has: list[str]) -> None:
    lines = shown(HOST, width)
    assert all(part in lines[0] for part in has)
    assert all(cells(line) <= width for line in lines)
    left = ["60 °C", "290/450 W", "███▌░  70", "70 %"]
    assert [part for part in left if part in lines[0]] == [
        part for part in left if any(part in each for each in has)
    ]


def test_several_cards_have_numbers_and_stand_in_columns() -> None:
    other = replace(
        CARD, index=1, uuid="GPU-1", name="NVIDIA RTX A2000 Laptop GPU", total=8_590_000_000, used=0
    )
    lines = shown(with_cards(CARD, other), 120)
    assert lines[0].startswith(" 0 RTX 4090 ")
    assert lines[1].startswith(" 1 RTX A2000 Laptop GPU ")
    assert "0.00/8.59 GB" in lines[1]
    assert len({line.index("GB") for line in lines}) == 1
    narrow = shown(with_cards(CARD, other), 70)
    assert narrow[1].startswith(" 1 RTX A")
    assert "…" in narrow[1]
    assert narrow[2].startswith(" here ")


def test_cards_without_room_are_summed_up() -> None:
    cards = [replace(CARD, index=at, uuid=f"GPU-{at}", utilisation=40 + 20 * at) for at in range(4)]
    lines = shown(with_cards(*cards), 120, most=2)
    assert len(lines) == 3
    assert lines[1].startswith(" 3 more ")
    assert "60.3/77.3 GB" in lines[1]
    assert "80 %" in lines[1]
    unknown = [replace(card, used=None) for card in cards]
    assert "  —/77.3 GB" in shown(with_cards(*unknown), 120, most=2)[1]


def test_without_cards_the_reason_is_said() -> None:
    assert shown(with_cards(note="no NVIDIA driver here"), 80)[0] == " no NVIDIA driver here"
    assert shown(with_cards(), 80)[0] == " no GPU"
    assert shown(with_cards(CARD, note="1 card could not be read"), 80)[1] == " 1 card could not be read"


def test_what_cannot_be_read_is_unknown_not_zero() -> None:
    card = replace(CARD, total=None, used=None, utilisation=None, temperature=None, power_mw=None)
    host = Host(Gpus((card,), None, True), Cpu(None, None, None), None, ())
    card_line, machine = shown(host, 120)
    assert "—/—" in card_line
    assert "load ░░░░░   —" in card_line
    assert "°C" not in card_line
    assert "—/—" in machine
    assert "disk" not in machine


def test_small_changes_show_nothing() -> None:
    steady = Steady()
    before = hardware_lines(HOST, 120, steady, 8)
    for load, heat, power, used in ((74, 60, 292_000, 20_060_000_000), (69, 61, 285_000, 20_140_000_000)):
        card = replace(CARD, utilisation=load, temperature=heat, power_mw=power, used=used)
        host = replace(with_cards(card), memory=Memory(68_700_000_000, 46_600_000_000), cpu=Cpu("", 16, 14.0))
        assert hardware_lines(host, 120, steady, 8) == before
    busy = with_cards(replace(CARD, utilisation=100))
    assert "100 %" in text_of(hardware_lines(busy, 120, steady, 8)[0])


def test_a_step_is_left_for_a_whole_step_only() -> None:
    steady = Steady()
    seen = [steady.value("load", value, 5) for value in (72, 74, 68, 75, 71, 2, 0, None, 98)]
    assert seen == [70, 70, 70, 75, 75, 0, 0, None, 100]


def test_only_the_part_that_differs_is_painted() -> None:
    one: Line = (("load ", "dim"), ("70", ""), (" %", "dim"))
    assert differing(one, one) is None
    assert differing(one, (("load ", "dim"), ("75", ""), (" %", "dim"))) == (6, 7)
    assert differing(one, (("load ", "dim"), ("70", "good"), (" %", "dim"))) == (5, 7)
    assert differing(one, (("load ", "dim"),)) == (0, 9)
    assert differing((("漢 1", ""),), (("漢 2", ""),)) == (3, 4)


def test_what_rests_reads_as_everywhere_else() -> None:
    """The row of a model says 14.4 GB: so does the meter, though it moves in steps of more than a digit."""
    card = replace(CARD, used=14_400_000_000)
    assert "14.4/25.8 GB" in shown(with_cards(card), 120)[0]


def test_the_runners_have_a_line_where_they_are_seen() -> None:
    lines = [text_of(line) for line in hardware_lines(HOST, 120, Steady(), 8, RunnerUse(1, 4 * GB, 30.0))]
    assert len(lines) == 3
    assert lines[2].startswith(" runner ") and " 4.0/68.7 GB" in lines[2] and "CPU" in lines[2]
    assert "30 %" in lines[2]
    two = [text_of(line) for line in hardware_lines(HOST, 60, Steady(), 8, RunnerUse(2, 4 * GB, None))]
    assert two[2].startswith(" 2 runner") and all(cells(line) <= 60 for line in two)
