"""Generations: films as jobs that outlive the kernel, pictures in one exchange, files kept at once."""
