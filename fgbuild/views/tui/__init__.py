"""The dashboard: a viewer of a run's event log. Closing it stops nothing."""
