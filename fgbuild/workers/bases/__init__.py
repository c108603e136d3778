"""Base models: where each kind comes from, and the artifact that is written of it."""
