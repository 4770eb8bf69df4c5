"""Alone responsible for looking at another machine's hardware: one command through `ssh`, and its answer.

It asks no question and takes no input (BatchMode): who uses it has a key that needs none. Nothing is written
there; what comes back is bounded, and foreign text like any other.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

from modeltui.domain.machines.cards import known_card, shared_bandwidth
from modeltui.domain.machines.hardware import Cpu, Disk, Gpu, Gpus, GpuUser, Host, Memory
from modeltui.hardware.amd import read_amd
from modeltui.hardware.apple import KEYS, gpu_of, sysctl_lines
from modeltui.hardware.files import Sent
from modeltui.hardware.processes import environment_of_unit
from modeltui.hardware.vendors import AMD, DISPLAY_ONLY, VENDORS
from modeltui.text import clean_line

LONGEST_S = 20.0
CONNECT_S = 8
LARGEST = 256 * 1024

_QUERY = (
    "index,uuid,name,memory.total,memory.free,memory.used,utilization.gpu,temperature.gpu,power.draw,"
    "enforced.power.limit,driver_version,mig.mode.current"
)
_FORMAT = "--format=csv,noheader,nounits"
_CARD = "/sys/class/drm/card*/device"
_NODE = "/sys/class/kfd/kfd/topology/nodes/*"
_FILES = (
    *(f"{_CARD}/{name}" for name in ("vendor", "device", "revision", "product_name", "unique_id")),
    *(f"{_CARD}/{name}" for name in ("mem_info_*", "gpu_busy_percent", "drm/*/dev")),
    *(f"{_CARD}/hwmon/*/{name}" for name in ("power1_*", "temp1_input")),
    *(f"{_NODE}/{name}" for name in ("gpu_id", "properties", "mem_banks/0/properties")),
    "/sys/class/kfd/kfd/proc/*/vram_*",
)
# Each part is announced by a line that begins with @@. `compute_cap` is asked apart: older tools refuse the
# whole question for one field that they do not know.
_SCRIPT = f"""export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin:/usr/local/bin"
echo "@@ system"; uname -s
echo "@@ nvidia"; nvidia-smi --query-gpu={_QUERY} {_FORMAT} 2>&1
echo "@@ compute"; nvidia-smi --query-gpu=index,compute_cap {_FORMAT} 2>/dev/null
echo "@@ users"; nvidia-smi --query-compute-apps=gpu_uuid,pid,used_memory,process_name {_FORMAT} 2>/dev/null
echo "@@ memory"; head -n 5 /proc/meminfo 2>/dev/null
echo "@@ cpu"; grep -m1 "^model name" /proc/cpuinfo 2>/dev/null; uname -m
echo "@@ cores"; lscpu -p=CORE,SOCKET 2>/dev/null | grep -v "^#" | sort -u | wc -l
echo "@@ disk"; for d in /usr/share/ollama/.ollama/models "$HOME/.ollama/models"; do
[ -d "$d" ] && df -Pk "$d" 2>/dev/null | tail -n 1 && break; done
echo "@@ unit"; systemctl show ollama -p ActiveState -p Environment 2>/dev/null
echo "@@ sysctl"; [ "$(uname -s)" = Darwin ] && {{ sysctl {" ".join(KEYS)} 2>/dev/null; vm_stat; }}
echo "@@ devices"; ls -d /sys/class /dev/kfd /dev/dxg 2>/dev/null
for f in {" ".join(_FILES)}; do
[ -r "$f" ] && echo "@@ file $f" && head -c 4096 "$f" && echo; done
for p in /sys/class/kfd/kfd/proc/[0-9]*; do p="/proc/${{p##*/}}/comm"
[ -r "$p" ] && echo "@@ file $p" && cat "$p"; done
echo "@@ file /usr/share/libdrm/amdgpu.ids"; for d in {_CARD}/device; do
[ -r "$d" ] && grep -i "^$(sed s/0x// "$d")," /usr/share/libdrm/amdgpu.ids 2>/dev/null; done
echo "@@ end"
"""


@dataclass(frozen=True, slots=True)
class Remote:
    """Another machine, or why it can't be seen. `unit` are the OLLAMA_ variables of its systemd unit."""

    host: Host | None
    why: str = ""
    unit: Mapping[str, str] | None = None


def read_remote(target: str, *, timeout_s: float = LONGEST_S) -> Remote:
    """Look at the machine to which `ssh target` leads. Never raises; blocks for `timeout_s` at most."""
    settings = ("BatchMode=yes", f"ConnectTimeout={CONNECT_S}", "ClearAllForwardings=yes", "ControlMaster=no")
    options = ["-T", *(word for setting in settings for word in ("-o", setting))]
    try:
        output, errors, code = _run(["ssh", *options, "--", target, "sh -c " + _quoted(_SCRIPT)], timeout_s)
    except FileNotFoundError:
        return Remote(None, "ssh is not installed here")
    except TimeoutError:
        return Remote(None, f"ssh {clean_line(target, 80)} did not answer in {timeout_s:.0f} s")
    except OSError as error:
        return Remote(None, f"ssh cannot be run: {error.strerror}")
    parts = _parts(output)
    if "end" not in parts:
        lines = [line for line in errors.strip().splitlines() if line.strip()]
        said = clean_line(lines[-1], 160) if lines else f"exit code {code}"
        return Remote(None, f"ssh {clean_line(target, 80)}: {said}")
    return Remote(host_of(parts), unit=environment_of_unit(parts.get("unit", "")))


def _run(command: list[str], timeout_s: float) -> tuple[str, str, int]:
    """Both outputs, each cut at LARGEST, and the exit code; raises OSError and TimeoutError.

    Who sends more, or does not end in time, is ended. What ssh says of errors goes into a file: a pipe may
    stay open in a helper of ssh's own that lives on.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        late = threading.Event()

        def end() -> None:
            late.set()
            _kill(process)

        timer = threading.Timer(timeout_s, end)
        timer.start()
        pipe = process.stdout
        assert pipe is not None  # for the type: it was asked for above
        try:
            output = pipe.read(LARGEST)
            if len(output) == LARGEST:
                _kill(process)
            code = process.wait()
        finally:
            timer.cancel()
            timer.join()
            _kill(process)
            pipe.close()
        if late.is_set():
            raise TimeoutError
        errors.seek(0)
        said = errors.read(LARGEST)
    return output.decode("utf-8", "replace"), said.decode("utf-8", "replace"), code


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End ssh with what it started (a ProxyCommand); harmless once it has ended."""
    if process.poll() is not None:
        return
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:  # Windows
            process.kill()
    process.wait()


def _quoted(script: str) -> str:
    """One word for the shell there, whichever it is."""
    return "'" + script.replace("'", "'\\''") + "'"


def _parts(output: str) -> dict[str, str]:
    """The text below each announcing line."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in output.splitlines():
        if line.startswith("@@ "):
            name = line[3:].strip()
            found.setdefault(name, [])
        elif name:
            found[name].append(line)
    return {key: "\n".join(lines) for key, lines in found.items()}


def host_of(parts: Mapping[str, str]) -> Host:
    """The machine that the parts of an answer describe; what is missing there is None."""
    memory, cpu, gpus = _memory(parts), _cpu(parts), _gpus(parts)
    if parts.get("system", "").strip() == "Darwin":
        facts = sysctl_lines(parts.get("sysctl", ""))
        cards, notes = gpu_of(facts)
        gpus = Gpus(cards, "; ".join(notes) or None, complete=not notes)
        memory = _of_mac(parts.get("sysctl", ""))
        cores = _number(facts.get("hw.physicalcpu"))
        cpu = Cpu(clean_line(facts.get("machdep.cpu.brand_string", ""), 80) or None, cores, None)
    return Host(gpus, cpu, memory, _disks(parts.get("disk", "")))


def _gpus(parts: Mapping[str, str]) -> Gpus:
    rows = [[field.strip() for field in line.split(",")] for line in parts.get("nvidia", "").splitlines()]
    rows = [row for row in rows if len(row) == len(_QUERY.split(",")) and _number(row[0]) is not None]
    nvidia = [_nvidia(row, parts) for row in rows]
    amd, notes = read_amd(Sent({key[5:]: text for key, text in parts.items() if key.startswith("file ")}))
    said = list(notes)
    if any(row[11] == "Enabled" for row in rows):
        nvidia = [replace(card, total=None, free=None) for card in nvidia]
        said.append(
            "a card there is split into MIG instances, which ssh does not read: write its hardware by hand"
        )
    devices = parts.get("devices", "").split()
    if "/sys/class" not in devices:
        said.append("whether there are other GPUs can't be seen (no /sys)")
    if not nvidia and ("/dev/dxg" in devices or ("/dev/kfd" in devices and not amd)):
        said.append("a GPU there can't be read")
    vendors = {text.strip().casefold() for key, text in parts.items() if key.endswith("/device/vendor")}
    read = {"0x10de" if nvidia else "", AMD if amd or notes else "", *DISPLAY_ONLY}
    said += [
        f"{VENDORS.get(vendor, 'a GPU of another maker')} is not read" for vendor in sorted(vendors - read)
    ]
    said += _failures(parts.get("nvidia", "")) if not nvidia else []
    driver = clean_line(rows[0][10], 40) if rows else None
    return Gpus((*nvidia, *amd), "; ".join(said) or None, complete=not said, driver=driver)


def _failures(text: str) -> list[str]:
    """What nvidia-smi says where it is there and does not work."""
    lines = [clean_line(line, 160) for line in text.splitlines() if "fail" in line.casefold()]
    return lines[:1]


def _nvidia(row: list[str], parts: Mapping[str, str]) -> Gpu:
    """A row of nvidia-smi. It tells no width of memory: the bandwidth is that of the card's whole name."""
    index, name = int(row[0]), clean_line(row[2], 80)
    total, free, used = (_mib(field) for field in row[3:6])
    known = known_card(name, total)
    capability = dict(line.split(", ", 1) for line in parts.get("compute", "").splitlines() if ", " in line)
    words = capability.get(row[0], "").strip().partition(".")
    major, minor = _number(words[0]), _number(words[2])
    compute = None if major is None or minor is None else (major, minor)
    is_unified = total is None and row[3] != "[Insufficient Permissions]"
    return Gpu(
        index=index,
        uuid=clean_line(row[1], 80),
        name=name,
        total=total,
        free=free,
        used=used,
        utilisation=_number(row[6]),
        temperature=_number(row[7]),
        power_mw=_milliwatts(row[8]),
        power_limit_mw=_milliwatts(row[9]),
        bandwidth=shared_bandwidth(name) if is_unified else known.bandwidth if known else None,
        compute=compute or (known.compute if known else None),
        is_unified=is_unified,
        users=_users(row[1], parts.get("users", "")),
    )


def _users(uuid: str, text: str) -> tuple[GpuUser, ...]:
    rows = [[field.strip() for field in line.split(",", 3)] for line in text.splitlines()]
    rows = [row for row in rows if len(row) == 4 and row[0] == uuid and _number(row[1]) is not None]
    return tuple(GpuUser(int(row[1]), clean_line(row[3], 200) or None, _mib(row[2])) for row in rows)


def _memory(parts: Mapping[str, str]) -> Memory | None:
    facts = sysctl_lines(parts.get("memory", ""))
    total, available = (_number(facts.get(key, "").split(" ")[0]) for key in ("MemTotal", "MemAvailable"))
    return None if not total or available is None else Memory(total * 1024, min(available, total) * 1024)


def _of_mac(text: str) -> Memory | None:
    """RAM of a Mac: vm_stat counts pages; free, inactive and speculative ones can be had."""
    facts = sysctl_lines(text)
    total = _number(facts.get("hw.memsize"))
    page = next(
        (_number(w) for line in text.splitlines() if "page size of" in line for w in line.split()[-2:-1]), 0
    )
    words = ("Pages free", "Pages inactive", "Pages speculative")
    pages = [_number(facts.get(word, "").rstrip(".")) for word in words]
    if not total or not page or None in pages:
        return None if not total else Memory(total, total * 3 // 4)
    return Memory(total, min(total, page * sum(count or 0 for count in pages)))


def _cpu(parts: Mapping[str, str]) -> Cpu:
    lines = [line for line in parts.get("cpu", "").splitlines() if line.strip()]
    named = next((line.partition(":")[2] for line in lines if line.startswith("model name")), "")
    model = clean_line(" ".join((named or (lines[-1] if lines else "")).split()), 120)
    return Cpu(model or None, _number(parts.get("cores", "").strip()) or None, None)


def _disks(text: str) -> tuple[Disk, ...]:
    """A line of df: device, blocks of 1024 bytes, used, available, share, place."""
    fields = text.split()
    if len(fields) < 6 or _number(fields[1]) is None:
        return ()
    sizes = [None if count is None else count * 1024 for count in (_number(fields[1]), _number(fields[3]))]
    return (Disk(clean_line(fields[5]), sizes[0], sizes[1]),)


def _mib(text: str) -> int | None:
    value = _number(text)
    return None if value is None else value << 20


def _milliwatts(text: str) -> int | None:
    whole, _, part = text.partition(".")
    watts = _number(whole)
    return None if watts is None else watts * 1000 + (_number((part + "000")[:3]) or 0)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None
