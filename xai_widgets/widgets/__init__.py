"""Widgets: traits and wiring. What they compute is in `methods`, how it looks is in `js`."""
