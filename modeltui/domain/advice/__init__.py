"""What a machine makes of a model: speed, fit, quality, recommendation, each with its reasons."""
