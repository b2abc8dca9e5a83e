"""The magics: parse a line, call the storey below, hand the result to render."""
