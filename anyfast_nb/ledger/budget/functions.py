"""Budgets on PostgreSQL: the functions that clients call, in PL/pgSQL.

They run with the rights of the tables' owner, so that a student who may read
nobody's rows can still be told sums, and reserve. Who asks is the role that
logged in, not what the client says, unless that one may change rows anyhow;
when it is, is said by the server's clock. All who reserve wait for
one another: each sees what the one before has reserved.
"""

from __future__ import annotations

from typing import Final

from anyfast_nb.ledger.budget.sums import standing_in_function, sums_in_function

NEVER_SENT_S: Final = 15 * 60
"""So long a reservation stands whose request is not in the ledger."""


SIGNATURES: Final = (
    "reserve(jsonb)",
    "release(text, boolean)",
    "set_budget(jsonb)",
    "end_budget(text)",
    "budget_states(jsonb)",
    "budget_standing(jsonb)",
)
"""What every user of the ledger may call; the other functions here are for these alone."""


def statements() -> tuple[str, ...]:
    """What makes the functions; carried out again, they are replaced.

    The tables must be there, and ``anyfast.acting_user`` and ``anyfast.is_trusted``.
    """
    made = (_MIDNIGHT, _WINDOW, _STATES, _RESERVE, _RELEASE, _SET, _END, _ASKED, _STANDING)
    return tuple(map(_filled, made))


def _filled(text: str) -> str:
    words = {
        "@RIGHTS": "SECURITY DEFINER SET search_path = anyfast, pg_temp",
        "@TEACHER": "is_trusted()",
        "@NOW": "floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
        "@LIFE": f"{NEVER_SENT_S}::bigint * 1000000",
        "@SUMS": sums_in_function(),
        "@STANDING": standing_in_function(),
    }
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text


# The day begins with the first of two midnights, where the clock is put back over it.
_MIDNIGHT: Final = """
CREATE OR REPLACE FUNCTION anyfast.midnight_of(v_day date, v_zone text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = anyfast, pg_temp AS $body$
DECLARE
    v_struck timestamptz := v_day::timestamp AT TIME ZONE v_zone;
    v_step interval;
BEGIN
    FOREACH v_step IN ARRAY ARRAY['2 hours', '1 hour', '30 minutes']::interval[] LOOP
        IF (v_struck - v_step) AT TIME ZONE v_zone = v_day::timestamp THEN
            RETURN v_struck - v_step;
        END IF;
    END LOOP;
    RETURN v_struck;
END
$body$
"""

_WINDOW: Final = """
CREATE OR REPLACE FUNCTION anyfast.window_of(
    v_per text, v_zone text, v_created_us bigint, v_moment timestamptz,
    OUT begins_us bigint, OUT ends_us bigint
) LANGUAGE plpgsql STABLE SET search_path = anyfast, pg_temp AS $body$
DECLARE
    v_first date;
    v_days integer := 1;
BEGIN
    IF v_per = 'total' THEN
        begins_us := v_created_us;
        RETURN;
    END IF;
    v_first := (v_moment AT TIME ZONE v_zone)::date;
    IF v_per = 'week' THEN
        v_days := 7;
        v_first := v_first - (extract(isodow FROM v_first)::integer - 1);
    END IF;
    begins_us := extract(epoch FROM midnight_of(v_first, v_zone)) * 1000000;
    ends_us := extract(epoch FROM midnight_of(v_first + v_days, v_zone)) * 1000000;
END
$body$
"""


# All budgets that apply, with their sums: for `reserve` of one asker, for showing of several.
_STATES: Final = """
CREATE OR REPLACE FUNCTION anyfast.states_of(
    v_user text, v_notebook text, v_thread text,
    v_any_user boolean, v_any_notebook boolean, v_any_thread boolean, v_moment_us bigint
) RETURNS jsonb
LANGUAGE plpgsql SET search_path = anyfast, pg_temp AS $body$
DECLARE
    v_states jsonb := '[]';
    v_budget budgets;
    v_line record;
    v_lines jsonb;
    v_scope text;
    v_unit text;
    v_owner text;
    v_begins_us bigint;
    v_ends_us bigint;
BEGIN
    FOR v_budget IN
        SELECT * FROM budgets
        WHERE ended_us IS NULL AND (v_any_user OR user_name IS NULL OR user_name = v_user)
          AND (scope <> 'thread' OR v_any_thread OR v_thread IS NOT NULL)
        ORDER BY created_us, id
    LOOP
        v_scope := v_budget.scope;
        v_unit := v_budget.unit;
        v_owner := v_budget.user_name;
        SELECT begins_us, ends_us INTO v_begins_us, v_ends_us FROM window_of(
            v_budget.per, v_budget.zone, v_budget.created_us,
            'epoch'::timestamptz + v_moment_us * interval '1 microsecond');
        v_lines := '[]';
        FOR v_line IN
            @SUMS
        LOOP
            v_lines := v_lines || to_jsonb(v_line);
        END LOOP;
        v_states := v_states || jsonb_build_object(
            'budget', to_jsonb(v_budget), 'user', v_user, 'begins_us', v_begins_us, 'ends_us', v_ends_us,
            'lines', v_lines);
    END LOOP;
    RETURN v_states;
END
$body$
"""


_RESERVE: Final = """
CREATE OR REPLACE FUNCTION anyfast.reserve(v_ask jsonb) RETURNS jsonb
LANGUAGE plpgsql @RIGHTS AS $body$
DECLARE
    v_user text := acting_user(v_ask->>'user');
    v_moment_us bigint;
    v_states jsonb;
    v_state jsonb;
    v_worst numeric;
    v_counted numeric;
    v_fits boolean := true;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM budgets WHERE ended_us IS NULL) THEN
        RETURN '{"states": [], "reserved": false, "any": false}';
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'anyfast.reserve must see what others have reserved: use READ COMMITTED';
    END IF;
    IF coalesce(v_ask->>'id', '') = '' OR (v_ask->>'tokens')::bigint < 0
       OR (v_ask->>'cost_nano')::bigint < 0
    THEN
        RAISE EXCEPTION 'anyfast.reserve: an id, and nothing below zero';
    END IF;
    PERFORM pg_advisory_xact_lock('anyfast.budgets'::regclass::oid::bigint);
    v_moment_us := @NOW;
    v_states := states_of(v_user, v_ask->>'notebook', v_ask->>'thread', false, false, false, v_moment_us);
    FOR v_state IN SELECT jsonb_array_elements(v_states) LOOP
        CONTINUE WHEN (v_state->'budget'->>'hard')::integer = 0;
        v_worst := CASE
            WHEN v_state->'budget'->>'unit' = 'tokens' THEN (v_ask->>'tokens')::numeric
            WHEN v_state->'budget'->>'unit' = v_ask->>'currency' THEN (v_ask->>'cost_nano')::numeric
        END;
        v_counted := coalesce((v_state->'lines'->0->>'spent')::numeric, 0)
                   + coalesce((v_state->'lines'->0->>'reserved')::numeric, 0);
        IF v_worst IS NULL OR v_counted + v_worst > (v_state->'budget'->>'amount')::numeric THEN
            v_fits := false;
        END IF;
    END LOOP;
    v_fits := v_fits AND jsonb_array_length(v_states) > 0;
    IF v_fits THEN
        INSERT INTO reservations (id, time_us, expires_us, tokens, cost_nano, currency,
                                  notebook, thread, user_name)
        VALUES (v_ask->>'id', v_moment_us, v_moment_us + @LIFE,
                (v_ask->>'tokens')::bigint, (v_ask->>'cost_nano')::bigint, v_ask->>'currency',
                v_ask->>'notebook', v_ask->>'thread', v_user);
    END IF;
    RETURN jsonb_build_object('states', v_states, 'reserved', v_fits, 'any', true);
END
$body$
"""

# A student takes back what was never sent; that a request which was sent used nothing, a teacher says.
_RELEASE: Final = """
CREATE OR REPLACE FUNCTION anyfast.release(v_id text, v_sent boolean) RETURNS text
LANGUAGE plpgsql @RIGHTS AS $body$
DECLARE
    v_teacher boolean := @TEACHER;
    v_owner text;
    v_in_ledger boolean;
BEGIN
    SELECT user_name, EXISTS (SELECT 1 FROM requests WHERE requests.id = reservations.id)
    INTO v_owner, v_in_ledger FROM reservations WHERE id = v_id AND released_us IS NULL;
    IF NOT FOUND OR (NOT v_teacher AND v_owner IS DISTINCT FROM session_user::text) THEN
        RETURN 'none';
    END IF;
    IF v_in_ledger AND NOT v_sent THEN
        RETURN 'sent';
    END IF;
    IF v_in_ledger AND NOT v_teacher THEN
        RETURN 'teacher';
    END IF;
    UPDATE reservations SET released_us = @NOW WHERE id = v_id;
    RETURN 'released';
END
$body$
"""

_SET: Final = """
CREATE OR REPLACE FUNCTION anyfast.set_budget(v_wish jsonb) RETURNS jsonb
LANGUAGE plpgsql @RIGHTS AS $body$
DECLARE
    v_owner text := CASE WHEN @TEACHER THEN v_wish->>'user' ELSE session_user::text END;
    v_now_us bigint;
    v_former bigint;
    v_made budgets;
BEGIN
    IF v_wish->>'per' NOT IN ('day', 'week', 'total') OR (v_wish->>'amount')::bigint < 0
       OR v_wish->>'scope' NOT IN ('all', 'user', 'notebook', 'thread')
       OR v_wish->>'unit' !~ '^(tokens|[A-Z]{3})$' OR (v_wish->>'hard')::integer NOT IN (0, 1)
    THEN
        RAISE EXCEPTION 'anyfast.set_budget: that is no budget';
    END IF;
    PERFORM pg_advisory_xact_lock('anyfast.budgets'::regclass::oid::bigint);
    v_now_us := @NOW;
    -- Raises if there is no such zone.
    PERFORM window_of('day', v_wish->>'zone', v_now_us, clock_timestamp());
    WITH former AS (
        UPDATE budgets SET ended_us = v_now_us
        WHERE ended_us IS NULL AND user_name IS NOT DISTINCT FROM v_owner AND per = v_wish->>'per'
          AND scope = v_wish->>'scope' AND unit = v_wish->>'unit' AND hard = (v_wish->>'hard')::integer
        RETURNING created_us
    ) SELECT min(created_us) INTO v_former FROM former;
    INSERT INTO budgets (id, created_us, amount, unit, per, zone, scope, hard, user_name)
    VALUES (v_wish->>'id', coalesce(v_former, v_now_us), (v_wish->>'amount')::bigint, v_wish->>'unit',
            v_wish->>'per', v_wish->>'zone', v_wish->>'scope', (v_wish->>'hard')::integer, v_owner)
    RETURNING * INTO v_made;
    RETURN to_jsonb(v_made);
END
$body$
"""

_END: Final = """
CREATE OR REPLACE FUNCTION anyfast.end_budget(v_id text) RETURNS text
LANGUAGE plpgsql @RIGHTS AS $body$
DECLARE
    v_teacher boolean := @TEACHER;
    v_owner text;
BEGIN
    SELECT user_name INTO v_owner FROM budgets WHERE id = v_id AND ended_us IS NULL
       AND (v_teacher OR user_name IS NULL OR user_name = session_user::text);
    IF NOT FOUND THEN
        RETURN 'none';
    END IF;
    IF NOT v_teacher AND v_owner IS NULL THEN
        RETURN 'teacher';
    END IF;
    UPDATE budgets SET ended_us = @NOW WHERE id = v_id;
    RETURN 'ended';
END
$body$
"""

_ASKED: Final = """
CREATE OR REPLACE FUNCTION anyfast.budget_states(v_wish jsonb) RETURNS jsonb
LANGUAGE plpgsql @RIGHTS AS $body$
DECLARE
    v_any_user boolean := @TEACHER AND (v_wish->>'everyone')::boolean;
BEGIN
    RETURN states_of(
        acting_user(v_wish->>'user'), v_wish->>'notebook', v_wish->>'thread', v_any_user,
        v_any_user OR v_wish->>'notebook' IS NULL, v_any_user OR v_wish->>'thread' IS NULL, @NOW);
END
$body$
"""


_STANDING: Final = """
CREATE OR REPLACE FUNCTION anyfast.budget_standing(v_wish jsonb) RETURNS jsonb
LANGUAGE plpgsql @RIGHTS AS $body$
DECLARE
    v_any_user boolean := @TEACHER AND (v_wish->>'everyone')::boolean;
    v_user text := acting_user(v_wish->>'user');
    v_begins_us bigint := (v_wish->>'begins_us')::bigint;
    v_line record;
    v_lines jsonb := '[]';
BEGIN
    FOR v_line IN
        @STANDING
    LOOP
        v_lines := v_lines || to_jsonb(v_line);
    END LOOP;
    RETURN jsonb_build_object('now_us', @NOW, 'lines', v_lines);
END
$body$
"""
