"""How much memory a model takes: its shape, the rules of each server version, by part and by place."""
