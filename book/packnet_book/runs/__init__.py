"""Whole experiments: presets, methods, their runs, costs and results."""
