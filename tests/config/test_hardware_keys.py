"""A server's hardware by hand: what is read, and what is refused with file, key and reason."""

from collections.abc import Callable
from pathlib import Path

import pytest

from modeltui.config.reader import load
from modeltui.config.settings import Config, HardwareConfig
from modeltui.errors import ConfigError
from modeltui.paths import paths_under

GIB = 1 << 30
Read = Callable[..., Config]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    paths = paths_under(tmp_path)
    paths.config.mkdir()

    def read(hardware: str, above: str = "", environ: dict[str, str] | None = None) -> Config:
        table = f"[servers.gpubox.hardware]\n{hardware}" if hardware else ""
        paths.config_file.write_text(f"[servers.gpubox]\nurl = 'gpubox'\n{above}\n{table}\n")
        return load(paths, environ or {})

    return read


def written(config: Config) -> HardwareConfig:
    hardware = config.active.hardware
    assert hardware is not None
    assert (config.problems, config.unknown) == ((), ())
    return hardware


def test_everything_by_hand(read: Read) -> None:
    hardware = written(
        read(
            """
            gpus = ["2x24GB", "rtx 3060"]
            ram = "64GB"
            ram_bandwidth = 51.2
            cores = 16
            unified = false
            """
        )
    )
    assert hardware.gpus is not None
    assert [card.total for card in hardware.gpus.cards] == [24 * GIB, 24 * GIB, 12 * GIB]
    assert (hardware.ram, hardware.ram_bandwidth, hardware.cores) == (64 * GIB, 51.2e9, 16)
    assert hardware.unified is False


def test_no_hardware_is_none(read: Read) -> None:
    config = read("")
    assert config.active.hardware is None
    assert not [setting for setting in config.settings if ".hardware." in setting.key]


def test_an_empty_list_is_no_gpu(read: Read) -> None:
    hardware = written(read("gpus = []"))
    assert hardware.gpus is not None
    assert hardware.gpus.cards == ()
    assert hardware.ram is None


def test_a_part_alone(read: Read) -> None:
    assert written(read("ram_bandwidth = '80GB/s'")) == HardwareConfig(ram_bandwidth=80e9)


def test_a_variable_counts_before_the_file(read: Read) -> None:
    variables = {"MODELTUI_SERVERS__GPUBOX__HARDWARE__RAM": "32GB"}
    assert written(read("ram = '64GB'", environ=variables)).ram == 32 * GIB


def test_settings_show_what_was_written(read: Read) -> None:
    config = read("gpus = ['2x24GB']\nram = 64")
    shown = {setting.key: setting.value for setting in config.settings}
    assert shown["servers.gpubox.hardware.gpus"] == ("2x24GB",)
    assert shown["servers.gpubox.hardware.ram"] == "64"


@pytest.mark.parametrize(
    ("line", "key", "why"),
    [
        ("gpus = ['0GB']", "gpus", "no GPU is written none"),
        ("gpus = ['1000000000GB']", "gpus", "at most 1024 GB"),
        ("gpus = ['-8GB']", "gpus", "cannot read the hardware"),
        ("gpus = ['rxt 4090']", "gpus", "no card"),
        ("gpus = ['100x24GB']", "gpus", "64 cards"),
        ("gpus = ['24GB@0']", "gpus", "between 1 and 100000 GB/s"),
        ("gpus = 24", "gpus", "a list such as"),
        ("gpus = [24]", "gpus", "a list such as"),
        ("gpus = ['']", "gpus", "cannot read the hardware"),
        ("ram = 0", "ram", "RAM has at least 64 MB"),
        ("ram = 1e9", "ram", "a size such as 64GB"),
        ("ram = nan", "ram", "a size such as 64GB"),
        ("ram = -64", "ram", "a size such as 64GB"),
        ("ram = '65537GB'", "ram", "at most 65536 GB"),
        ("ram = true", "ram", "a size such as 64GB"),
        ("ram_bandwidth = 0", "ram_bandwidth", "between 1 and 100000 GB/s"),
        ("ram_bandwidth = 'fast'", "ram_bandwidth", "cannot read the bandwidth"),
        ("cores = 0", "cores", "from 1 to 4096"),
        ("unified = 1", "unified", "true or false"),
        ("unified = true", "unified", "needs gpus and ram"),
        ("unified = true\ngpus = ['24GB']\nram = 8", "unified", "no more than ram"),
        ("unified = true\ngpus = ['2x24GB']\nram = 128", "unified", "one GPU"),
        ("unified = true\ngpus = []\nram = 128", "unified", "one GPU"),
    ],
)
def test_what_is_refused_says_file_key_and_why(
    read: Read, tmp_path: Path, line: str, key: str, why: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(line)
    assert caught.value.message.startswith(
        f"{tmp_path / 'config/config.toml'}: servers.gpubox.hardware.{key}"
    )
    assert why in caught.value.message


def test_hardware_that_is_no_table(read: Read) -> None:
    with pytest.raises(ConfigError, match=r"servers\.gpubox\.hardware must be a table"):
        read("", above="hardware = '24GB'")


def test_unknown_keys_are_named(read: Read) -> None:
    assert [key.partition(" ")[0] for key in read("vram = '24GB'").unknown] == [
        "servers.gpubox.hardware.vram"
    ]
