"""``POST /v1/responses``: the same teacher as chat behind the other door, and the only one for documents."""
