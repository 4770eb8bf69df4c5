"""What models are wanted for: tasks, priorities and purposes, and their words."""

from enum import StrEnum


class Task(StrEnum):
    """What is asked of a model."""

    GENERAL = "general"
    CODING = "coding"
    REASONING = "reasoning"
    ANALYSIS = "analysis"
    VISION = "vision"
    EMBEDDING = "embedding"
    CREATIVE = "creative"


class Priority(StrEnum):
    """What counts most among models that could do it."""

    SPEED = "speed"
    BALANCED = "balanced"
    QUALITY = "quality"


class Purpose(StrEnum):
    """What a model is best taken for."""

    SPEED = "speed"
    BALANCED = "balanced"
    QUALITY = "quality"
    SPECIALIZED = "specialized"
