"""Pure: what models, servers, transfers and hardware are; no I/O, no clock, no third-party import."""
