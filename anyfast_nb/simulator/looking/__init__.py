"""What the pictures, clips and documents of a request really hold. Nothing beyond this machine is asked."""
