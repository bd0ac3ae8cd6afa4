"""A judged set of trading texts and queries, made by a seed and by hand, and what measures a memory with it.

    from gatehook.testing.judged.judging import fill, judge, table
    from gatehook.testing.judged.making import make_set

    judged = make_set()
    await fill(memory, judged)
    for row in table(await judge(memory, judged)):
        print(*row)

No text of it comes from anywhere else; it is under this project's licence. Which document is right for which query is
known by how the set was made. Half of the queries are for development, the other half is held out: a choice that was
made on the first half is reported on the second.
"""
