"""Examples and documents into training data, and its checks."""
