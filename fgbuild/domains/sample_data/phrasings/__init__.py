"""How people ask for sample-data work, one module per group of scenarios."""
