"""Real sets of pictures on disk: found, listed, prepared, kept."""
