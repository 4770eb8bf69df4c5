"""What registries tell about models that are not installed."""
