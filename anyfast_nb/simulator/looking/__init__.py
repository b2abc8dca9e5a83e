"""What the pictures and clips of a request really hold. Nothing is ever fetched."""
