"""What all dialogs look like: a box in the middle of a view that stays visible around it."""

from __future__ import annotations

from textual.screen import ModalScreen, ScreenResultType


class Dialog(ModalScreen[ScreenResultType]):
    """A subclass composes one widget of the class `box`."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > .box {
        width: 64; max-width: 95%; height: auto; max-height: 90%;
        padding: 1 2; border: round $primary; background: $surface;
    }
    """
