"""Films that take their time: Seedance and Kling tasks, from the create call to the link."""
