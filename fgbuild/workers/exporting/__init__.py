"""What a trained adapter becomes: the tuned GGUF, and the documents shipped beside it."""
