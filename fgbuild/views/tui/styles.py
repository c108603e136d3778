"""The styles that all views share, by names of theme colours: light, dark and monochrome terminals have their own."""

MUTED = "$foreground-muted"
HEADING = "bold $foreground-muted"
BAD = "bold $text-error"
GOOD = "$text-success"
WARNING = "$text-warning"
ACTIVE = "bold $text-primary"
