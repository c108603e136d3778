"""The styles that all views share, by names of theme colours: light, dark and monochrome terminals have their own."""

MUTED = "$foreground-muted"
HEADING = "bold $foreground-muted"
BAD = "bold $text-error"
GOOD = "$text-success"
WARNING = "$text-warning"
ACTIVE = "bold $text-primary"

LIGHT = {
    "footer-key-foreground": "#004C8A",
    "foreground-muted": "#1F1F1FB4",
    "text-success": "#1F6235",
    "text-warning": "#7D4A00",
}
"""In place of Textual's own on light ground, with which text has a contrast of 2.9 to 4; these have 4.5 (WCAG 2.2,
1.4.3)."""
