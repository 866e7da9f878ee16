"""A believable history for trying the product out, for screenshots and for benchmarks.

    catalogue   the services of an invented company
    plans       what is asked for, and the instants that follow from it
    episodes    when which service is in trouble, and how
    samples     single checks: pools of good ones to draw from, bad ones made one by one
    replay      the checks around each episode, put through `decide`: the ledger and the state are what it says
    sums        checks summed up as the job of the rollups does it
    history     one service from its first check to its last, a day at a time
    host        readings of an invented host
    bulk        many rows into the database, quickly
    loading     the use case

All but the last two are pure: the same plan and the same instant give the same history.
"""
