"""fgbuild: a declarative, incremental build tool for small function-calling models."""

__version__ = "0.1.0"
