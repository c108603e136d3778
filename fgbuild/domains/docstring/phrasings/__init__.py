"""How people ask for docstring work, one module per group of scenarios."""
