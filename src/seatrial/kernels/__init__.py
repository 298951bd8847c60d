"""What is known about kernels, from the journal alone. Pure."""
