"""What models cost: the price file, its meaning, and costs of past rows."""
