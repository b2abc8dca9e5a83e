"""Help for films, pictures, and what goes into them."""

from __future__ import annotations

from typing import Final

_MEDIA: Final = """
A medium is a URL, a file, asset://ID (Seedance), or the name of a Python object: a PIL image,
an array, a figure, an earlier job or its pictures. A part is written as in Python, without calls:
shot.last_frame, pics[0]. The id of an earlier job stands for it, too."""

_FILM_REST: Final = """
What to do with it
  --to VAR                the job in a variable: VAR.path, VAR.video, VAR.last_frame; the same as
                          VAR = %{kind} "…"
  --take N                another film of the same wish: running a cell again shows its film
                          and pays nothing
  --no-wait, --wait       give the notebook back at once, with a live card; or wait
                          (%anyfast config wait=false)
  --embed                 the film itself inside the notebook
  --dry-run               show what it amounts to, send nothing
  --yes                   send it although it is above %anyfast config confirm_above=TOKENS
  --downscale             make a picture that is too large fit
  --no-strict             send what lies outside documented limits all the same
  --extra FIELD=VALUE     any other field of the request
  --no-vars               send {{{{braces}}}} as they are

Stop ends the waiting, not the film: %anyfast resume ID. {{{{name}}}} puts a variable in."""

_SEEDANCE: Final = (
    """
%seedance "prompt" [options]
%%seedance [options]            the prompt is the cell's body

    %seedance "A cat plays the piano" --duration 8 --ratio 16:9 --resolution 720p --to shot
    %seedance "She turns to the window" --first-frame shot.last_frame
    %seedance "@image1 dances to @audio1" --image cat.png --audio song.mp3

What goes in
  --image MEDIUM          a reference, named @image1 in the prompt; up to 9
  --video MEDIUM          a reference, @video1; up to 3; a local clip becomes an asset, once
  --audio MEDIUM          a reference, @audio1; up to 3
  --first-frame MEDIUM    the film begins with it; not together with references
  --last-frame MEDIUM     and ends with it
"""
    + _MEDIA.lstrip("\n")
    + """
What comes out
  -m, --model MODEL       seedance (2.0) by default
  --duration N            seconds, 4 to 15        --seed N
  --ratio WORD            16:9 4:3 1:1 3:4 9:16 21:9 adaptive
  --resolution WORD       480p 720p 1080p
  --sound, --silent       with sound, or without; the server's default is with
  --watermark             --return-last-frame     --web-search (from words alone)"""
    + _FILM_REST.format(kind="seedance")
)

_KLING: Final = (
    """
%kling "prompt" [options]
%%kling [options]               the prompt is the cell's body

    %kling "A cat plays the piano" --duration 5 --aspect-ratio 16:9 --to shot
    %kling "She turns her head" --image portrait.png --mode pro

What goes in
  --image MEDIUM          once: the film begins with it; two to four times: they are put together
  --image-tail MEDIUM     the film ends with it
  --negative-prompt TEXT  what to keep out
"""
    + _MEDIA.lstrip("\n")
    + """
What comes out
  -m, --model MODEL       kling-v3 by default, from several images kling-v1-6
  --duration N            seconds: kling-v3 takes 3 to 15, others 5 or 10
  --mode std|pro          --cfg-scale 0-1
  --aspect-ratio, --ratio 16:9 9:16 1:1
  --sound, --silent       from kling-v2-6 on
  --camera-control JSON   '{"type": "simple", "config": {"zoom": 5}}'"""
    + _FILM_REST.format(kind="kling")
)

_SEEDREAM: Final = (
    """
%seedream "prompt" [options]
%%seedream [options]            the prompt is the cell's body

    %seedream "A red kite over the sea" --size 2K --to kite
    %seedance "The kite rises" --first-frame kite
    %seedream "The same kite at night" --image kite --count 3 --to pics

  --image MEDIUM          a reference; may be repeated
"""
    + _MEDIA.lstrip("\n")
    + """
  -m, --model MODEL       doubao-seedream-5-0-260128 by default
  --size WORD             1K 2K 3K 4K as the model allows, or 2048x2048
  --count N               pictures as a group; they come one by one
  --format png|jpeg       (--output-format) 5.0 only
  --seed N                --watermark     --web-search (5.0)     --guidance-scale 1-10 (3.0)
  --response-format url|b64_json          the files are the same
  --no-stream             all at once
  --to VAR                the pictures in a variable: VAR[0].path, VAR.save("folder")
  --dry-run               show what it amounts to, send nothing
  --yes                   send it although it is above %anyfast config confirm_above=TOKENS
  --downscale             make a picture that is too large fit
  --no-strict             send what lies outside documented limits all the same
  --extra FIELD=VALUE     any other field of the request
  --no-vars               send {{braces}} as they are

Running a cell again asks for its pictures, and pays for them, again."""
)

_JOBS: Final = """
%anyfast jobs [options]

    %anyfast jobs --status failed --since 2026-11-01
    %anyfast jobs --kind seedance --sort tokens --last 50

  --status WORD           running queued succeeded failed submit_unknown …; may be repeated
  --kind seedance|kling   may be repeated; so may -m, --model MODEL and --notebook NAME
  --text TEXT             somewhere in the prompt
  --since DATE            2026-11-01, or 7d, 12h: so long ago
  --sort when|kind|status|progress|tokens     when by default
  --last N                so many of them, 20 by default; 0 is all

Films of this ledger, the newest at the bottom. The same as objects: client.jobs().
"""

_RESUME: Final = """
%anyfast resume [ID] [options]

    %anyfast resume                     what can be resumed
    %anyfast resume 3f9a01c2            wait for it, and show its film
    %anyfast resume --all

  --all                   all that are not done
  --task-id asyntask_…    the task id that the console shows, for a job whose reply was lost
  --to VAR                the job in a variable
  --no-wait, --wait       a live card; or wait
  --embed                 the film itself inside the notebook

ID is a job's id, its last digits, the server's task id, or a variable. Nothing is created or billed.
"""

_ASSETS: Final = """
%anyfast assets add MEDIUM … [--name NAME] [--group NAME|ID] [--type Image|Video|Audio]
%anyfast assets list [--group NAME|ID] [--name PART] [--type Image|Video|Audio] [--pictures]
%anyfast assets rm ID …
%anyfast assets groups [add NAME | rename NAME|ID NEW | rm ID …]

    %anyfast assets groups add hero
    %anyfast assets add portrait.png --group hero --to ada
    %seedance "@image1 walks along a street" --image ada

Pictures, clips and sounds that AnyFast keeps. `add` waits until the asset can be used; the same
file is uploaded once. `list --pictures` shows them.
  --to VAR                the asset, or the group, in a variable; --group takes its name, too
"""

TOPICS: Final = {"seedance": _SEEDANCE, "kling": _KLING, "seedream": _SEEDREAM}
VERB_GUIDES: Final = {"jobs": _JOBS, "resume": _RESUME, "assets": _ASSETS}
