"""The parts of the soak: one module per thing that is worn, and what they share."""
