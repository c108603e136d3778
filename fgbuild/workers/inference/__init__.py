"""What verify, eval and call share: a GGUF in llama.cpp, its prompts, and the calls it makes."""
