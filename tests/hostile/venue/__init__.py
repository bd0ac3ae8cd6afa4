"""A hostile venue in a process of its own. It keeps its own truth, imports nothing of Gatehook, and survives SIGKILL.

Start it::

    python -m tests.hostile.venue --data DIR [--port N] [--control N] [--proof P] [--account A] [--set KEY=VALUE …]

It prints ``PORT CONTROL`` (two port numbers on 127.0.0.1) and then serves until it is killed. ``--data`` holds
``venue.log``, one line of JSON for each thing that happened, written before it is answered: started again over the same
directory it knows exactly what it took. ``--proof`` is ``scan``, ``by_id+lag``, ``bounded_request`` or ``none``;
``--account`` ``cash``, ``netting`` or ``hedging``; other settings are in ``settings.py``. A log that is there wins.

Both ports take lines of JSON, ``{"do": …}``, and answer each by one line.

The **trading port**, for the broker plugin: ``hello``, ``accounts``, ``account``, ``instruments``, ``quote``,
``orders``, ``fills``, ``positions``, ``lookup``, ``follow`` (a stream), and the commands ``submit``, ``submit_list``,
``cancel``, ``cancel_all``, ``amend``, ``close``, ``protect``. A command that comes twice is done twice: nothing here is
idempotent.

The **control port**, for tests (``tests.hostile.control.VenueProcess`` speaks it):

- ``reset`` + settings: forget everything. ``requests``: how many commands came. ``ledger``: everything, see below.
- ``mood``: ``{"mood": M, "count": N or null, "on": [commands] or null, …}`` bends the next N commands; without a count
  all, until ``calm``. The moods are in ``moods.py``. ``chaos``: ``{"seed": S, "rates": {mood: probability}}``.
- ``state`` + ``skew`` (ms), ``synchronizing``, ``banned`` (seconds), ``deaf`` (takes connections, answers nothing),
  ``mute`` (no streams): what lasts until it is set again.
- ``quote``: bid, ask, size. ``external``: an order by somebody else. ``fill``: client, quantity. ``stop_out``: account.
- ``deposit``: account, amount. ``gift``: account, side, quantity: a position changes without a trade, unannounced.
- ``cut``: drop the streams. ``forget``: cursors before now are expired.
- ``close``/``open``: refuse connections, take them again. ``restart``: both, with everything read again from the log.
- ``told``: return when the streams have sent all there is.

The ledger, the checker's truth: ``{"requests": [{"do", "client" or null, "id", "taken": bool, "error" or null}],
"orders": [{"id", "client", "state", "filled", …}], "fills": […], "positions": […], "news": count}``. A client id that
has two orders was sent twice. ``taken`` says that the command took effect, whatever was answered.
"""
