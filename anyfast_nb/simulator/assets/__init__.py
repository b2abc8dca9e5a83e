"""The asset store: groups of pictures, clips and sounds that generation can refer to."""
