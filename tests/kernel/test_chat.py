"""`%%anyfast` and `%anyfast` in a real kernel, against a real built-in AnyFast."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Simulator
from tests.kernels import Kernel, Run

pytestmark = pytest.mark.kernel


@pytest.fixture
def k(kernel: Callable[..., Kernel], simulator: Simulator) -> Iterator[Kernel]:
    started = kernel(ANYFAST_BASE_URL=simulator.base_url, ANYFAST_API_KEY=simulator.key)
    assert started.execute("import anyfast_nb as af\n%load_ext anyfast_nb").status == "ok"
    return started


def ok(run: Run) -> str:
    assert run.status == "ok", run.text
    return run.text


def error(run: Run) -> str:
    assert run.status == "error", run.text
    return run.text


def test_a_cell_ends_in_one_output_that_is_the_answer(k: Kernel) -> None:
    run = k.execute("%%anyfast --to ans\nWhat is 17 * 23 + 4?")
    assert "**395**" in ok(run)
    (output,) = run.outputs
    assert output["data"]["text/plain"] == eval(ok(k.execute("ans.text")))
    assert "simulated ·" in output["data"]["text/html"]
    assert set(output["data"]) == {"text/plain", "text/html"}
    assert output["metadata"]["anyfast"]["ttft_s"] >= 0
    assert "ttft" not in output["data"]["text/html"]  # what changes from run to run is not on show
    assert (
        ok(k.execute("ans is af.last, ans.status, bool(ans.reasoning)"))
        == "(True, <Status.OK: 'ok'>, True)\n"
    )


def test_running_a_cell_twice_saves_the_same(k: Kernel) -> None:
    first, second = (k.execute("%%anyfast\nWhat is 6 * 7?") for _ in range(2))
    assert first.outputs[0]["data"] == second.outputs[0]["data"]


def test_the_cell_magic_alone_is_chat_and_returns_nothing(k: Kernel) -> None:
    for cell in ("%%anyfast\nWhat is 6 * 7?", "%%anyfast chat\nWhat is 6 * 7?"):
        run = k.execute(cell)
        assert "42" in ok(run)
        assert not [m for m in run.messages if m["msg_type"] == "execute_result"]


def test_variables_go_in_on_line_and_in_body(k: Kernel) -> None:
    k.execute("import pandas as pd\ncity, df = 'Oslo', pd.DataFrame({'a': range(5), 'b': range(5)})")
    run = k.execute('%anyfast chat "sim:echo {{city}} $5 {x} {{city + 1}}"')
    assert "Oslo $5 {x} {{city + 1}}" in ok(run)
    run = k.execute('%%anyfast\nsim:echo {{df.head()}} {"a": {"b": 1}} \\{{city}}')
    assert "| 4 | 4 |" in ok(run)
    assert "{{city}}" in ok(run)
    assert "inserted df.head(): 5 x 2, about" in run.outputs[0]["data"]["text/html"]
    assert "{{city}}" in ok(k.execute("%%anyfast --no-vars\nsim:echo {{city}}"))
    assert "Did you mean city?" in error(k.execute("%%anyfast\n{{citi}}"))
    assert "{{df.head(50)}}" in error(
        k.execute("df = pd.DataFrame({'a': range(60)})\n%anyfast chat '{{df}}'")
    )


def test_the_last_error_goes_in_with_its_cell_and_without_keys(k: Kernel) -> None:
    assert "no cell has failed" in error(k.execute("%%anyfast\n{{error}}"))
    error(k.execute("key = 'sk-abcdef0123456789'\nraise ValueError(key)"))
    error(k.execute("%%anyfast --temperature 7\nhi"))  # an error of ours is not the one that is meant
    text = ok(k.execute("%%anyfast\nsim:echo {{error}}"))
    assert "ValueError" in text
    assert "raise ValueError(key)" in text
    assert "abcdef0123" not in text


def test_images_by_name_path_and_force(k: Kernel) -> None:
    ok(k.execute("from PIL import Image\nred = Image.new('RGB', (60, 40), 'red')\nred.save('file.png')"))
    assert "60 × 40" in ok(k.execute("%%anyfast --image red\nWhat is it?"))
    assert "60 × 40" in ok(k.execute("%%anyfast --image file.png\nWhat is it?"))
    assert "60 × 40" in ok(k.execute("%%anyfast --image {{red}} --image ./file.png\nWhat is it?"))
    ok(k.execute("red.save('red', format='PNG')"))
    assert "both a file and a variable" in error(k.execute("%%anyfast --image red\nWhat is it?"))
    assert "no such file and no such variable" in error(k.execute("%%anyfast --image rad\nWhat is it?"))


def test_rerunning_a_cell_replaces_its_turn(k: Kernel) -> None:
    ok(k.execute("%%anyfast --thread t\nMy name is Ada.", cell_id="one"))
    assert "Ada" in ok(k.execute("%%anyfast --thread t\nWhat is my name?", cell_id="two"))
    run = k.execute("%%anyfast --thread t\nMy name is Grace.", cell_id="one")
    assert "1 later turn set aside" in run.outputs[0]["data"]["text/html"]
    assert "Grace" in ok(k.execute("%%anyfast --thread t\nWhat is my name?", cell_id="two"))
    assert "Ada" not in ok(k.execute("%%anyfast --thread t\nsim:echo", cell_id="three"))
    assert "Grace" not in ok(k.execute("%%anyfast --thread t --new\nWhat is my name?", cell_id="four"))
    assert "--thread NAME" in error(k.execute("%%anyfast --append\nhi"))
    rows = ok(k.execute("af.ledger.frame(thread='t', columns=['cell', 'thread']).to_dict('list')"))
    assert rows.count("'t'") == 6
    assert "'one', 'two', 'one', 'two'" in rows


def test_several_turns_of_one_run_follow_each_other(k: Kernel) -> None:
    k.execute("asks = ['My name is Ada.', 'What is my name?']")
    loop = "for ask in asks:\n    %anyfast chat '{{ask}}' --thread loop"
    assert "Your name is **Ada**" in ok(k.execute(loop, cell_id="loop"))
    assert "Your name is **Ada**" in ok(k.execute(loop, cell_id="loop"))


def test_odd_values_are_refused_in_a_line_or_two(k: Kernel) -> None:
    k.execute(
        "import pandas as pd\n"
        "class Broken:\n    def __str__(self):\n        return 1 / 0\n"
        "broken = Broken()\n"
        "twice = pd.DataFrame([[1]], columns=['a'], index=pd.Index([5], name='a'))\n"
        "from PIL import Image\nnothing = Image.new('RGB', (0, 0))"
    )
    assert "| 5 | 1 |" in ok(k.execute("%anyfast chat 'sim:echo {{twice}}'"))
    magics = ("-m ''", "--thread ' '", "--image ''", "--image nothing")
    cells = [f"%%anyfast {options}\nhi" for options in magics]
    for cell in [*cells, "%anyfast chat '{{broken}}'", "af.chat(None)", "af.chat('x', modle='m')"]:
        run = k.execute(cell)
        assert len(error(run).strip().splitlines()) <= 3, cell
        assert run.reply["content"]["ename"] == "InputError"
    assert "Did you mean model?" in error(k.execute("af.chat('x', modle='m')"))


def test_a_syntax_error_goes_in_without_paths_of_this_machine(k: Kernel) -> None:
    error(k.execute("x = = 1"))
    text = ok(k.execute("%%anyfast\nsim:echo {{error}}"))
    assert "SyntaxError" in text
    assert "site-packages" not in text


def test_a_key_set_later_counts(kernel: Callable[..., Kernel], simulator: Simulator) -> None:
    k = kernel(ANYFAST_SIM_SPEED="0")
    assert "the built-in AnyFast" in ok(k.execute("%load_ext anyfast_nb\n%anyfast config"))
    ok(k.execute(f"%env ANYFAST_API_KEY={simulator.key}\n%env ANYFAST_BASE_URL={simulator.base_url}"))
    assert "environment" in ok(k.execute("%anyfast config"))
    assert "42" in ok(k.execute("%anyfast chat 'What is 6 * 7?'"))


def test_what_came_before_a_cut_is_kept(k: Kernel) -> None:
    ok(k.execute("%%anyfast --thread cut --to v\nsim:chunks=10", cell_id="a"))
    assert "WireCut" in error(
        k.execute("%%anyfast --thread cut --to v\nsim:cut=20 sim:chunks=60", cell_id="b")
    )
    assert ok(k.execute("v.status.value, af.last is v, len(v.text)")) == "('truncated', True, 80)\n"


def test_a_dry_run_shows_the_request_and_sends_nothing(k: Kernel, simulator: Simulator) -> None:
    text = ok(k.execute("%%anyfast -m pro --temperature 0.3 --dry-run\nTell me"))
    assert '"model": "doubao-seed-2.0-pro"' in text
    assert '"temperature": 0.3' in text
    assert "Bearer [hidden]" in text
    assert simulator.key not in text
    assert ok(k.execute("len(af.ledger.frame())")) == "0\n"


def test_a_dry_run_shows_no_secret_and_the_size_of_a_file(k: Kernel) -> None:
    ok(k.execute("open('r.pdf', 'wb').write(b'%PDF-1.4\\nx\\n%%EOF\\n')"))
    signed = "https://example.com/a.pdf?X-Tos-Signature=5ec2e7"
    run = k.execute(
        f"%%anyfast --file r.pdf --file {signed} --reasoning off --dry-run\nmy key is sk-abc123DEF456"
    )
    for shown in (ok(run), run.outputs[0]["data"]["text/html"]):
        assert "5ec2e7" not in shown
        assert "abc123" not in shown
        assert "a.pdf?[hidden]" in shown
        assert "[application/pdf, 17 bytes]" in shown
        assert "no reasoning off: minimal" in shown


def test_json_no_stream_and_plain(k: Kernel) -> None:
    ok(k.execute("%%anyfast --json --to j\nGive me a list of three colours as JSON"))
    assert ok(k.execute("import json\ntype(json.loads(j.text)).__name__")) == "'dict'\n"
    assert "42" in ok(k.execute("%%anyfast --no-stream\nWhat is 6 * 7?"))
    run = k.execute("%%anyfast --plain\nWhat is 6 * 7?")
    assert "**42**" in run.outputs[0]["data"]["text/html"]


def test_code_lands_in_the_next_cell(k: Kernel) -> None:
    ok(k.execute("%%anyfast -m code\nWrite a Python function that computes the factorial."))
    run = k.execute("%anyfast code")
    (payload,) = [p for p in run.reply["content"]["payload"] if p["source"] == "set_next_input"]
    assert "def factorial" in payload["text"]
    assert payload["replace"] is False


def test_help_reaches_every_way_of_asking(k: Kernel) -> None:
    for line in ("%anyfast help chat", "%anyfast chat --help", "%anyfast chat?", "%%anyfast --help\nx"):
        assert "--max-tokens N" in ok(k.execute(line))
    run = k.execute("%%anyfast?")
    assert "--max-tokens N" in str(run.reply["content"]["payload"])
    assert "doctor" in ok(k.execute("%anyfast"))
    assert "Did you mean `%anyfast models`?" in error(k.execute("%anyfast model"))
    assert "Did you mean --temperature?" in error(k.execute("%%anyfast --temprature 1\nhi"))
    assert 'Write %anyfast chat "why?"' in error(k.execute("%anyfast chat why?"))


def test_a_loop_of_chats_keeps_every_answer(k: Kernel) -> None:
    """From Python nothing of the cell's other outputs is touched."""
    run = k.execute("print('above')\nfor n in (2, 3):\n    af.chat(f'What is {n} * {n}?')\nprint('below')")
    text = ok(run)
    for word in ("above", "**4**", "**9**", "below"):
        assert word in text


def test_usage_counts_what_ran(k: Kernel) -> None:
    ok(k.execute("%%anyfast -m mini\nWhat is 6 * 7?"))
    error(k.execute("%%anyfast -m mini\nsim:500"))
    text = ok(k.execute("%anyfast usage"))
    assert "simulated · no money" in text
    row = next(line.split() for line in text.splitlines() if "doubao-seed-2.0-mini" in line)
    assert row[:3] == ["doubao-seed-2.0-mini", "2", "1"]  # requests, errors
    assert "1 request without known usage" in text


def test_without_a_key_the_built_in_anyfast_answers_and_says_so_once(kernel: Callable[..., Kernel]) -> None:
    k = kernel(ANYFAST_SIM_SPEED="0")
    ok(k.execute("%load_ext anyfast_nb"))
    first = k.execute("%%anyfast\nWhat is 6 * 7?")
    assert "42" in ok(first)
    assert "No key is set" in first.outputs[0]["data"]["text/html"]
    second = k.execute("%%anyfast\nWhat is 6 * 7?")
    assert "No key is set" not in second.outputs[0]["data"]["text/html"]
    doctor = ok(k.execute("%anyfast doctor"))
    assert "the built-in AnyFast" in doctor
    other = kernel(ANYFAST_SIM_SPEED="0")
    assert ok(other.execute("%load_ext anyfast_nb\n%anyfast chat 'What is 6 * 7?'"))
    look = "import json, os\njson.load(open(os.environ['ANYFAST_HOME'] + '/simulator/state.json'))['pid']"
    assert ok(k.execute(look)) == ok(other.execute(look))  # one process for both kernels


def test_the_simulator_is_used_even_where_a_key_is(kernel: Callable[..., Kernel]) -> None:
    k = kernel(ANYFAST_BASE_URL="simulator", ANYFAST_API_KEY="sk-live-never-sent", ANYFAST_SIM_SPEED="0")
    assert "42" in ok(k.execute("%load_ext anyfast_nb\n%anyfast chat 'What is 6 * 7?'"))
    assert "simulated" in ok(k.execute("import anyfast_nb as af\naf.ledger.frame().source.tolist()"))


def test_plain_python_needs_a_key_or_the_simulators_name(kernel: Callable[..., Kernel]) -> None:
    k = kernel()
    text = error(k.execute("import anyfast_nb as af\naf.Client()"))
    assert "MissingKeyError" in text
    assert 'Client(base_url="simulator")' in text
    text = error(k.execute("af.Client(base_url='http://127.0.0.1:9')"))
    assert "MissingKeyError" in text


def test_tools_run_and_are_shown_with_their_results(k: Kernel) -> None:
    ok(
        k.execute(
            "seen = []\n"
            "def weather(city: str) -> dict:\n"
            '    """Current weather of a city."""\n'
            "    seen.append(city)\n"
            '    return {"temperature": -3, "asked": af.chat("What is 6 * 7?").status}\n'
            "async def height(mountain: str) -> int:\n"
            '    """The height of a mountain in metres."""\n'
            "    return 4810\n"
        )
    )
    for api in ("chat", "responses"):
        run = k.execute(
            f"%%anyfast --tools weather,height --tool-choice weather --api {api} --to ans\n"
            "What is the weather in Oslo?"
        )
        assert "-3" in ok(run)
        first, *inner, last = [output["data"]["text/html"] for output in run.outputs]
        assert "was run" in first
        assert "temperature" in first
        assert len(inner) == 1  # the tool's own chat shows itself, too
        assert "-3" in last
        told = eval(ok(k.execute("seen, len(ans.rounds), ans.rounds[0].results[0].failed, ans is af.last")))
        assert told == (["Oslo"], 1, False, True)
        ok(k.execute("seen.clear()"))
    assert "Did you mean height?" in error(k.execute("%%anyfast --tools heigt\nhi"))
    assert "none of the tools" in error(k.execute("%%anyfast --tools height --tool-choice weather\nhi"))
    assert "--tools" in error(k.execute("%%anyfast --tool-choice auto\nhi"))


def test_methods_are_tools_and_rounds_end_where_they_should(k: Kernel) -> None:
    ok(
        k.execute(
            "class Shop:\n    def count(self, ware: str) -> int:\n        return 3\n"
            "shop = Shop()\nweigh = shop.count\n"
        )
    )
    shown = ok(k.execute("%%anyfast --tools weigh --tool-choice weigh\nHow many boats?"))
    assert "says: **3**" in shown
    assert "says: **3**" in ok(k.execute("%%anyfast --tools shop.count --tool-choice required\nBoats?"))
    assert "the class Shop" in error(k.execute("%%anyfast --tools Shop\nhi"))
    assert "no such function" in error(k.execute("%%anyfast --tools print\nhi"))
    run = k.execute("%%anyfast --tools weigh --tool-choice required --max-rounds 1 --thread boats\nBoats?")
    ok(run)
    [output] = run.outputs
    assert "ended after 1 request (max_rounds): count not run" in output["data"]["text/html"]
    body = ok(k.execute("%%anyfast --thread boats --api responses\nsim:echo"))
    assert '"function_call_output"' in body


def test_a_plain_chat_loads_nothing_that_only_tools_and_media_need(k: Kernel) -> None:
    ok(k.execute("%%anyfast\nHello"))
    heavy = ["pydantic", "anyfast_nb.media", "anyfast_nb.gateway.tools", "PIL", "av", "pandas", "numpy"]
    loaded = ok(k.execute(f"import sys\n[name for name in {heavy} if name in sys.modules]"))
    assert loaded.strip() == "[]"


def test_a_thread_remembers_what_tools_said(k: Kernel) -> None:
    ok(k.execute("def weather(city: str) -> str:\n    return 'minus three'\n"))
    ok(k.execute("%%anyfast --thread trip --tools weather --tool-choice required\nThe weather in Oslo?"))
    body = ok(k.execute("%%anyfast --thread trip\nsim:echo"))
    assert '"role": "tool"' in body
    assert "minus three" in body


def test_documents_go_through_responses(k: Kernel) -> None:
    ok(k.execute("open('boats.md', 'w').write('# Boats\\n\\nAda builds boats in Oslo.\\n')"))
    run = k.execute("%%anyfast --file boats.md --to ans\nSummarize this document")
    assert "boats" in ok(run).lower()
    assert "/v1/responses" in ok(k.execute("%%anyfast --file boats.md --dry-run\nSummarize this document"))
    assert "chat takes none" in error(k.execute("%%anyfast --file boats.md --api chat\nSummarize"))
    frame = ok(k.execute("af.ledger.frame().kind.tolist()[-1]"))
    assert "responses" in frame


def test_options_reach_the_request(k: Kernel) -> None:
    ok(k.execute("%%anyfast --reasoning off --extra seed=7 --extra user=ada --dry-run\nhi"))
    body = ok(k.execute("%%anyfast --reasoning off --extra seed=7 --extra user=ada\nsim:echo"))
    assert '"thinking"' in body
    assert '"seed": 7' in body
    assert '"user": "ada"' in body
    assert '"effort": "high"' in ok(k.execute("%%anyfast --reasoning high --api responses\nsim:echo"))
    assert "NAME=VALUE" in error(k.execute("%%anyfast --extra seed\nhi"))
    assert "--reasoning" in error(k.execute("%%anyfast --reasoning lots\nhi"))
