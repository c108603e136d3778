"""A GGUF's answers to held-out trajectories, and their scores."""
