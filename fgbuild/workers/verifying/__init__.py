"""The checks of a GGUF, and the process in which llama.cpp may touch a file that is not trusted."""
