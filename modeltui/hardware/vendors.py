"""Who makes GPUs, by PCI vendor: those that run models, and those whose adapters only draw a picture."""

AMD = "0x1002"
# Server management chips and virtual screens.
DISPLAY_ONLY = {
    "0x1013": "Cirrus",
    "0x102b": "Matrox",
    "0x1234": "QEMU",
    "0x1414": "Hyper-V",
    "0x15ad": "VMware",
    "0x1a03": "ASPEED",
    "0x1af4": "virtio",
    "0x1b36": "QXL",
    "0x1d0f": "Amazon",
}
VENDORS = {AMD: "an AMD GPU", "0x8086": "an Intel GPU", "0x10de": "an NVIDIA GPU"}
