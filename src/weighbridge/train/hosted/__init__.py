"""Fine-tuning jobs of an endpoint."""
