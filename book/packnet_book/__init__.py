"""What the book needs around `packnet_core`, and the command `packnet`."""
