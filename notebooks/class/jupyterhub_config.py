# A class on JupyterHub: each student's server gets a ledger of its own, and what the class shares.
#
# Before the first lesson, by the owner of an empty PostgreSQL database:
#
#   export ANYFAST_LEDGER_ADMIN_URL=postgresql+psycopg://owner:…@db.example.org/class
#   anyfast-ledger init
#   anyfast-ledger add anna ben chen --to /srv/jupyterhub/ledgers.txt
#   anyfast-ledger budget --each "50k tokens" --per day --class "2M tokens"
#
# Start the hub with the class's key in its environment: ANYFAST_API_KEY=… jupyterhub -f jupyterhub_config.py
# Each student's server gets that key, so a student can read it. Budgets and ANYFAST_ALLOW guard against
# accidents; whoever holds the key can spend.

import os

from anyfast_nb.ledger.classroom.hub import class_hook

c.Spawner.pre_spawn_hook = class_hook(
    # NAME URL, a line for each student; mode 0600, owned by the user that the hub runs as.
    ledgers=os.environ.get("ANYFAST_HUB_LEDGERS", "/srv/jupyterhub/ledgers.txt"),
    # Kinds of request and models that students may use; a comma separates several.
    allow="chat:doubao-seed-2.0-mini",
    # Works without a student's ledger: the teacher reads the class's by its owner's URL.
    staff=("teacher",),
)

# Notebooks, not only code, in the browser.
c.Spawner.default_url = "/lab"

# Who may log in, and how, is the hub's own matter: choose an authenticator that your school has.
# https://jupyterhub.readthedocs.io/en/stable/reference/authenticators.html
c.Authenticator.allowed_users = {"anna", "ben", "chen", "teacher"}
c.Authenticator.admin_users = {"teacher"}
