"""Assets: pictures, clips and sounds that the gateway keeps, to be named in generations."""
